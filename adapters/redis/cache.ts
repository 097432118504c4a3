import type { CacheEntry, CacheStore } from '../../src/index.js'
import type { RedisLike } from './client.js'

/** Keeps values in Redis as strings that expire by themselves; keys are `<prefix>:cache:<key>`. */
export function redisCache(client: RedisLike, prefix: string): CacheStore {
  const toKey = (key: string): string => `${prefix}:cache:${key}`
  const put = ({ key, value, ttlMs }: CacheEntry, ...condition: string[]): Promise<unknown> =>
    client.call('set', toKey(key), value, 'px', Math.max(1, Math.ceil(ttlMs)), ...condition)
  return {
    async get(keys) {
      return readMany(client, keys.map(toKey))
    },
    async set(entries) {
      // Sent without waiting for each other: one round trip.
      await Promise.all(entries.map((entry) => put(entry)))
    },
    async setIfAbsent(entry) {
      return (await put(entry, 'nx')) === 'OK'
    },
    async delete(keys) {
      if (keys.length === 0) return
      if (!client.isCluster) await client.call('del', ...keys.map(toKey))
      else await Promise.all(keys.map((key) => client.call('del', toKey(key))))
    },
  }
}

/** In a cluster a command may only name keys of one slot, so there each key is a command of its own, all sent at once. */
async function readMany(client: RedisLike, keys: readonly string[]): Promise<(string | null)[]> {
  if (keys.length === 0) return []
  const values = client.isCluster
    ? await Promise.all(keys.map((key) => client.call('get', key)))
    : await client.call('mget', ...keys)
  if (!Array.isArray(values)) throw new TypeError('Redis answered MGET with something that is no list.')
  return values.map((value: unknown) => (typeof value === 'string' ? value : null))
}
