/** What a counter does with what it is given. */
export type HoldKind = 'budget' | 'rate' | 'lease'

/** One counter that a call counts against, and how much of it the call may need. All numbers are safe integers. */
export interface Hold {
  /**
   * Name of the counter, the same in every process: `budget:team:acme:2026-11`. A budget's window is part of its name,
   * so that a call which is settled after its window ended never touches the new one.
   */
  readonly counter: string
  /**
   * `budget`: `spent + held + amount` may not exceed `limit`; nano-dollars.
   * `rate`: a sliding window of `windowMs`; requests or tokens.
   * `lease`: counts while the hold lives; slots.
   */
  readonly kind: HoldKind
  readonly amount: number
  /** Infinity only counts. */
  readonly limit: number
  /** Of `rate`: length of the sliding window in milliseconds. */
  readonly windowMs?: number
  /** Of `budget`: when the window ends, in milliseconds since the epoch; the counter may be forgotten a day later. Undefined: never. */
  readonly endsAt?: number | undefined
}

/** A set of holds that was granted as a whole. */
export interface Reservation {
  readonly id: string
  readonly tenant: string
  readonly holds: readonly Hold[]
  /** What is left of each hold's limit after this reservation, in the order of `holds`; for rate-limit headers. */
  readonly remaining: readonly number[]
}

/** What came of asking for a reservation. */
export type ReserveResult =
  | { readonly granted: Reservation }
  /** None was held. `index` is the hold that did not fit; where several did not, the one that takes longest to. */
  | { readonly refused: { readonly index: number; readonly used: number; readonly retryAfterMs: number | undefined } }
  /** None was held: these budget counters are not known yet, or no longer; `seed` them from the ledger and ask again. */
  | { readonly missing: readonly string[] }

/** How a reservation is named and how long it lives if nobody ends it. */
export interface ReserveOptions {
  /** Unique; reserving the same id twice gives the first result. */
  readonly id: string
  /** Counters of one tenant lie together, so that one script can change all of them in a cluster. */
  readonly tenant: string
  readonly ttlMs: number
}

/**
 * All-or-nothing holds over many counters. A reservation is settled or released once, repeating either does nothing;
 * an abandoned one expires by itself. Every method may reject; whoever calls it has the deadline.
 */
export interface CounterStore {
  reserve(holds: readonly Hold[], options: ReserveOptions): Promise<ReserveResult>
  /** Keeps reservations of running calls alive for another `ttlMs`; gives the ids of those that were already gone. */
  renew(reservations: readonly Reservation[], ttlMs: number): Promise<readonly string[]>
  /**
   * Replaces what was held by what was used, in the order of the reservation's holds; a lease ends whatever its number.
   * Also counts what a reservation used that had expired meanwhile. Settling an id again does nothing.
   */
  settle(reservation: Reservation, actual: readonly number[]): Promise<void>
  /** Gives everything back; rates count nothing. */
  release(reservation: Reservation): Promise<void>
  /** Sets what was spent of budget counters that do not exist; leaves those that do. */
  seed(tenant: string, counters: readonly SeededCounter[]): Promise<void>
  /** Adds to what was spent of budget counters that exist, for spend that came to light later; leaves those that do not. */
  correct(tenant: string, counters: readonly SeededCounter[]): Promise<void>
  /** What is known of counters, for pages and tests: used (budgets: spent), and held by reservations that live. */
  read(tenant: string, holds: readonly Hold[]): Promise<readonly CounterLevel[]>
}

/** A budget counter and what its window has spent so far, in nano-dollars. */
export interface SeededCounter {
  readonly counter: string
  readonly spent: number
  readonly endsAt?: number | undefined
}

/** One counter as it stands. */
export interface CounterLevel {
  readonly used: number
  readonly held: number
}
