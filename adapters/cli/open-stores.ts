import type { ConfigResult, StoreOptions } from '../../src/index.js'
import { openDatabase } from './database.js'
import { type OpenedStores, openRedis } from './redis.js'

/**
 * Connects to everything that a configuration names. What processes share is in Redis where there is one, else in the
 * database.
 * @throws StartError with nothing left open
 */
export async function openStores(
  { database, redis, cacheStore }: Pick<ConfigResult, 'database' | 'redis' | 'cacheStore'>,
  folder: string,
): Promise<OpenedStores> {
  const opened: OpenedStores[] = []
  const close = async (): Promise<void> => void (await Promise.all(opened.map((one) => one.close())))
  try {
    if (database) opened.push(await openDatabase(database, folder))
    if (redis) opened.push(await openRedis(redis))
    if (typeof cacheStore === 'object') opened.push(forAnswers(await openRedis(cacheStore)))
  } catch (error) {
    await close()
    throw error
  }
  const stores = opened.reduce<StoreOptions>((all, one) => ({ ...all, ...one.stores }), {})
  return { stores: cacheStore === 'memory' ? { ...stores, cache: undefined } : stores, close }
}

function forAnswers({ stores: { cache }, close }: OpenedStores): OpenedStores {
  return { stores: { cache }, close }
}
