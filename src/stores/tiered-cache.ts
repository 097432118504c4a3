import { LRUCache } from 'lru-cache'
import { systemClock } from '../clock.js'
import type { Clock, Logger } from '../ports.js'
import type { CacheEntry, CacheStore } from '../ports/cache-store.js'

/** How the two tiers work together. */
export interface TieredCacheOptions {
  readonly logger: Pick<Logger, 'warn'>
  /** @default the system's */
  readonly clock?: Pick<Clock, 'now'>
  /** How long the shared tier is not asked again for a key that it did not have, in milliseconds. @default 10,000 */
  readonly throttleMs?: number
  /** For how many keys that is remembered. @default 1,000 */
  readonly maxThrottled?: number
  /** How long a value of the shared tier stays in memory, as the rest of its life is not known, in milliseconds. @default 10,000 */
  readonly backFillMs?: number
}

/** A cache in memory in front of one that processes share. */
export interface TieredCache extends CacheStore {
  /**
   * Memory first, then one request for the rest; who asks for the same key meanwhile waits for that request. The keys in
   * `fresh` are always asked of the shared tier. While that fails, what memory has is the answer.
   */
  get(keys: readonly string[], fresh?: ReadonlySet<string>): Promise<readonly (string | null)[]>
  /** Memory keeps the values even where the shared tier fails. */
  set(entries: readonly CacheEntry[]): Promise<void>
  /** The shared tier decides; memory does while that fails. */
  setIfAbsent(entry: CacheEntry): Promise<boolean>
  /** Rejects where the shared tier may still have the values. */
  delete(keys: readonly string[]): Promise<void>
}

/** Values by key; undefined where the shared tier failed. */
type Answers = ReadonlyMap<string, string> | undefined

const nothing: ReadonlySet<string> = new Set()

/** Puts `memory` in front of `shared`, whose operations need a deadline of their own. */
export function createTieredCache(memory: CacheStore, shared: CacheStore, options: TieredCacheOptions): TieredCache {
  const { logger, clock = systemClock, throttleMs = 10_000, maxThrottled = 1_000, backFillMs = 10_000 } = options
  /** When the shared tier was asked for a key that it does not have. */
  const misses = new LRUCache<string, number>({ max: maxThrottled })
  const underWay = new Map<string, Promise<Answers>>()
  let silentUntil = -Infinity

  // One line stands for many: while the shared tier is away, failures come by the request.
  function warn(error: unknown): void {
    if (clock.now() < silentUntil) return
    silentUntil = clock.now() + throttleMs
    logger.warn({ error }, 'The shared cache failed; this process goes on with what it has itself.')
  }

  /** What is under way is older than what is being written now. */
  function forget(keys: readonly string[]): void {
    for (const key of keys) {
      misses.delete(key)
      underWay.delete(key)
    }
  }

  function isDue(key: string): boolean {
    return !underWay.has(key) && clock.now() - (misses.peek(key) ?? -Infinity) >= throttleMs
  }

  /** Takes note of the misses before anything is awaited, so that nobody asks for them a second time meanwhile. */
  function ask(keys: readonly string[]): Promise<Answers> {
    const now = clock.now()
    const before = new Map(keys.map((key) => [key, misses.peek(key)]))
    for (const key of keys) misses.set(key, now)
    const isOwn = (key: string): boolean => underWay.get(key) === request
    const request = read(keys, isOwn).catch((error: unknown) => {
      warn(error)
      for (const [key, stamp] of before) if (isOwn(key)) restore(key, stamp)
      return undefined
    })
    for (const key of keys) underWay.set(key, request)
    return request.finally(() => {
      for (const key of keys) if (isOwn(key)) underWay.delete(key)
    })
  }

  function restore(key: string, stamp: number | undefined): void {
    if (stamp === undefined) misses.delete(key)
    else misses.set(key, stamp)
  }

  async function read(keys: readonly string[], isOwn: (key: string) => boolean): Promise<Answers> {
    const found = toFound(keys, await shared.get(keys))
    const current = [...found].filter(([key]) => isOwn(key))
    for (const [key] of current) misses.delete(key)
    if (current.length > 0) await memory.set(current.map(([key, value]) => ({ key, value, ttlMs: backFillMs })))
    return found
  }

  return {
    async get(keys, fresh = nothing) {
      const unique = [...new Set(keys)]
      const local = toFound(unique, await memory.get(unique))
      const wanted = unique.filter((key) => fresh.has(key) || !local.has(key))
      if (wanted.length === 0) return keys.map((key) => local.get(key) ?? null)
      // Before anything is awaited, so that whoever asks next finds what is under way.
      const others = new Set(wanted.flatMap((key) => underWay.get(key) ?? []))
      const due = wanted.filter((key) => fresh.has(key) || isDue(key))
      const own = due.length > 0 ? ask(due) : undefined
      const found = new Map(local)
      for (const answers of await Promise.all(others)) merge(found, answers)
      const answers = await own
      if (answers) for (const key of due) found.delete(key)
      merge(found, answers)
      return keys.map((key) => found.get(key) ?? null)
    },
    async set(entries) {
      forget(entries.map(({ key }) => key))
      await memory.set(entries)
      await shared.set(entries).catch(warn)
    },
    async setIfAbsent(entry) {
      const kept = await shared.setIfAbsent(entry).catch(warn)
      if (kept === undefined) return memory.setIfAbsent(entry)
      forget([entry.key])
      if (kept) await memory.set([entry])
      return kept
    },
    async delete(keys) {
      try {
        await shared.delete(keys)
      } finally {
        // Afterwards, as a request that began meanwhile may have brought the values back.
        forget(keys)
        await memory.delete(keys)
      }
    },
  }
}

function merge(found: Map<string, string>, answers: Answers): void {
  for (const [key, value] of answers ?? []) found.set(key, value)
}

function toFound(keys: readonly string[], values: readonly (string | null)[] | null): Map<string, string> {
  const found = new Map<string, string>()
  for (const [index, key] of keys.entries()) {
    const value = values?.[index] ?? null
    if (value !== null) found.set(key, value)
  }
  return found
}
