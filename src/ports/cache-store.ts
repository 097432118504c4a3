/** One value to be kept. */
export interface CacheEntry {
  readonly key: string
  readonly value: string
  readonly ttlMs: number
}

/** Values by key that may be lost at any time. Every method may reject; whoever calls it has the deadline. */
export interface CacheStore {
  /** In the order of `keys`, null for what is not there; one round trip. */
  get(keys: readonly string[]): Promise<readonly (string | null)[]>
  /** One round trip. */
  set(entries: readonly CacheEntry[]): Promise<void>
  /** Keeps the value only where the key has none; false where it has one. */
  setIfAbsent(entry: CacheEntry): Promise<boolean>
  delete(keys: readonly string[]): Promise<void>
}
