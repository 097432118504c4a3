import type { Logger } from '../ports.js'
import type { CacheEntry, CacheStore } from '../ports/cache-store.js'

/** A store that may be down: what it cannot give is not there, what it cannot keep is lost. Never rejects. */
export interface SafeStore {
  /** In the order of the keys. */
  get(keys: readonly string[]): Promise<readonly (string | null)[]>
  set(entries: readonly CacheEntry[]): Promise<void>
  /** Undefined where the store does not say. */
  setIfAbsent(entry: CacheEntry): Promise<boolean | undefined>
  delete(keys: readonly string[]): Promise<void>
}

/** Takes the failures of a store, which its own deadline bounds, away from whoever uses it. */
export function toSafeStore(store: CacheStore, logger: Logger): SafeStore {
  const attempt = async <T>(what: string, ask: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask()
    } catch (error) {
      // The store's own guard reports an outage once; here it would be once a request.
      logger.debug({ error }, `The cache store failed to ${what}.`)
      return undefined
    }
  }
  return {
    get: async (keys) => (await attempt('get', () => store.get(keys))) ?? keys.map(() => null),
    async set(entries) {
      await attempt('set', () => store.set(entries))
    },
    setIfAbsent: (entry) => attempt('set', () => store.setIfAbsent(entry)),
    async delete(keys) {
      await attempt('delete', () => store.delete(keys))
    },
  }
}
