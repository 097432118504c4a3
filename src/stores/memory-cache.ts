import { LRUCache } from 'lru-cache'
import { systemClock } from '../clock.js'
import type { Clock } from '../ports.js'
import type { CacheEntry, CacheStore } from '../ports/cache-store.js'

/** How much a cache in memory may keep. */
export interface MemoryCacheOptions {
  /** @default the system's */
  readonly clock?: Pick<Clock, 'now'>
  /** Of keys and values as JavaScript keeps them, two bytes for each UTF-16 unit. @default 64 MiB */
  readonly maxBytes?: number
  /** @default 10,000 */
  readonly maxEntries?: number
}

/** A cache in this process, which can also answer at once. */
export interface MemoryCache extends CacheStore {
  /** What `get` gives for one key. */
  recall(key: string): string | null
  readonly size: { readonly entries: number; readonly bytes: number }
}

// What an entry costs beside its two strings: the slots of the lists, and the headers of the strings.
const entryBytes = 128

/** Keeps values in this process; the least recently used go first. A value larger than `maxBytes` is not kept. */
export function createMemoryCache({
  clock = systemClock,
  maxBytes = 64 * 1024 * 1024,
  maxEntries = 10_000,
}: MemoryCacheOptions = {}): MemoryCache {
  const values = new LRUCache<string, string>({
    max: maxEntries,
    maxSize: maxBytes,
    sizeCalculation: (value, key) => entryBytes + 2 * (key.length + value.length),
    perf: clock,
    // Asks the clock each time; anything else starts timers that are not the clock's.
    ttlResolution: 0,
  })
  const keep = ({ key, value, ttlMs }: CacheEntry): void => void values.set(key, value, { ttl: Math.max(1, ttlMs) })
  const recall = (key: string): string | null => values.get(key) ?? null
  return {
    recall,
    get size() {
      return { entries: values.size, bytes: values.calculatedSize }
    },
    async get(keys) {
      return keys.map(recall)
    },
    async set(entries) {
      for (const entry of entries) keep(entry)
    },
    async setIfAbsent(entry) {
      if (values.has(entry.key)) return false
      keep(entry)
      return true
    },
    async delete(keys) {
      for (const key of keys) values.delete(key)
    },
  }
}
