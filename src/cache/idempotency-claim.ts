import type { Clock, Timer } from '../ports.js'
import type { CacheEntry } from '../ports/cache-store.js'
import type { SafeStore } from './safe-store.js'
import { type KeyState, readRecord, writeRecord } from './idempotency-record.js'

/** What a claim is made of. */
export interface ClaimParts {
  readonly store: SafeStore
  readonly clock: Clock
  readonly storeKey: string
  readonly digest: string
  readonly owner: string
  /** A claim whose process is gone ends by itself after this. */
  readonly claimMs: number
  /** How long an answer or error is kept. */
  readonly ttlMs: number
}

/** One call's hold on its key: kept up while the call runs, however long; then replaced by the answer, or taken back. */
export class KeyClaim {
  readonly #parts: ClaimParts
  #timer: Timer | undefined
  #renewing: Promise<void> = Promise.resolve()
  #over = false

  constructor(parts: ClaimParts) {
    this.#parts = parts
  }

  /** False where the key is taken; undefined where the store does not say. */
  take(): Promise<boolean | undefined> {
    return this.#parts.store.setIfAbsent(this.#entry({ state: 'running' }, this.#parts.claimMs))
  }

  /** Takes the place of whatever the key has. */
  seize(): Promise<void> {
    return this.#parts.store.set([this.#entry({ state: 'running' }, this.#parts.claimMs)])
  }

  /** Begins to renew the claim. */
  holdOn(): void {
    const { clock, claimMs } = this.#parts
    this.#timer = clock.setTimeout(() => {
      this.#renewing = this.#renew()
    }, claimMs / 3)
  }

  /** Puts the outcome in the place of the claim. */
  async replace(state: KeyState): Promise<void> {
    await this.#stop()
    await this.#parts.store.set([this.#entry(state, this.#parts.ttlMs)])
  }

  /** Frees the key, unless somebody else has it by now. */
  async takeBack(): Promise<void> {
    await this.#stop()
    if (await this.#isOurs()) await this.#parts.store.delete([this.#parts.storeKey])
  }

  async #renew(): Promise<void> {
    const isOurs = await this.#isOurs()
    if (isOurs) await this.seize()
    // The store has lost it, or does not answer.
    if (isOurs === undefined) await this.take()
    if (!this.#over && isOurs !== false) this.holdOn()
  }

  /** Undefined where the store has nothing, or does not say. */
  async #isOurs(): Promise<boolean | undefined> {
    const { store, storeKey, owner, clock } = this.#parts
    const [value] = await store.get([storeKey])
    return typeof value === 'string' ? readRecord(storeKey, value, clock.now())?.owner === owner : undefined
  }

  /** A renewal under way must not come after the outcome. */
  async #stop(): Promise<void> {
    this.#over = true
    this.#timer?.cancel()
    await this.#renewing
  }

  #entry(state: KeyState, ttlMs: number): CacheEntry {
    const { storeKey, digest, owner } = this.#parts
    return { key: storeKey, value: writeRecord(storeKey, { ...state, digest, owner }, ttlMs), ttlMs }
  }
}
