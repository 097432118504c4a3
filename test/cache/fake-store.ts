import type { Logger } from '../../src/ports.js'
import type { CacheEntry, CacheStore } from '../../src/ports/cache-store.js'
import type { FakeClock } from '../support/fake-clock.js'

/** A store on a fake clock that counts, and that fails when told to. */
export class FakeStore implements CacheStore {
  readonly values = new Map<string, { value: string; expires: number }>()
  readonly #clock: FakeClock
  calls = { get: 0, set: 0, setIfAbsent: 0, delete: 0 }
  failure: Error | undefined
  /** What answers of `get`, after the look, and writes of `set`, before them, wait for. */
  gates: { get?: Promise<void>; set?: Promise<void> } = {}

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  async get(keys: readonly string[]): Promise<readonly (string | null)[]> {
    this.#begin('get')
    const values = keys.map((key) => this.#read(key))
    await this.gates.get
    return values
  }

  async set(entries: readonly CacheEntry[]): Promise<void> {
    this.#begin('set')
    await this.gates.set
    for (const entry of entries) this.#write(entry)
  }

  async setIfAbsent(entry: CacheEntry): Promise<boolean> {
    this.#begin('setIfAbsent')
    if (this.#read(entry.key) !== null) return false
    this.#write(entry)
    return true
  }

  async delete(keys: readonly string[]): Promise<void> {
    this.#begin('delete')
    for (const key of keys) this.values.delete(key)
  }

  #begin(method: keyof FakeStore['calls']): void {
    this.calls[method] += 1
    if (this.failure) throw this.failure
  }

  #read(key: string): string | null {
    const found = this.values.get(key)
    return found && this.#clock.now() < found.expires ? found.value : null
  }

  #write({ key, value, ttlMs }: CacheEntry): void {
    this.values.set(key, { value, expires: this.#clock.now() + ttlMs })
  }
}

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** Lets everything run that waits for nothing but promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Something to wait for, and what ends the waiting. */
export function createGate(): { readonly closed: Promise<void>; open(): void } {
  let open = (): void => {}
  const closed = new Promise<void>((resolve) => (open = resolve))
  return { closed, open: () => open() }
}
