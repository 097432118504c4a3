import type { Broadcast, CacheStore, CounterStore, RouterStore } from '../src/index.js'
import { redisBroadcast } from './redis/broadcast.js'
import { redisCache } from './redis/cache.js'
import { createChannels } from './redis/channels.js'
import type { RedisLike, RedisSubscriber } from './redis/client.js'
import { createRedisCounters } from './redis/counters.js'
import { redisRouterStore } from './redis/router.js'

export type { RedisLike, RedisSubscriber } from './redis/client.js'

/** How the host's Redis is used. */
export interface RedisStoresOptions {
  /** All keys and channels begin with it; gateways that share it share what they know. @default 'sluice' */
  readonly prefix?: string
  /** A connection that does nothing but listen, such as `redis.duplicate()`. @default none: changes are found by asking */
  readonly subscriber?: RedisSubscriber
  /** The deadline that the gateway gives to operations on its stores, in milliseconds. @default 50 */
  readonly deadlineMs?: number
}

/** What a gateway keeps in Redis. */
export interface RedisStores {
  readonly cache: CacheStore
  readonly router: RouterStore
  readonly counters: CounterStore
  /** Only with a `subscriber`. */
  readonly broadcast?: Broadcast
}

/**
 * Keeps the shared state of gateways in the host's Redis, through the host's ioredis client:
 * `createGateway({ stores: redisStores(redis), … })`. Opens no connection, closes none, and needs Redis 5 or newer. How soon
 * a lost connection is there again is the client's affair: by default ioredis 6 waits for up to 5 s, so set its
 * `retryStrategy: () => 500`.
 */
export function redisStores(client: RedisLike, options: RedisStoresOptions = {}): RedisStores {
  const { prefix = 'sluice', subscriber, deadlineMs = 50 } = options
  const channels = subscriber && createChannels(subscriber)
  return {
    cache: redisCache(client, prefix),
    router: redisRouterStore(client, { prefix, channels, deadlineMs }),
    counters: createRedisCounters(client, { prefix }),
    ...(channels && { broadcast: redisBroadcast(client, channels, prefix) }),
  }
}
