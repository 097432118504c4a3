/** What a counter does with what it is given. */
export type HoldKind = 'budget' | 'rate' | 'lease'

/** One counter that a call counts against, and how much of it the call may need. All numbers are safe integers. */
export interface Hold {
  /**
   * Name of the counter, the same in every process: `budget:team:acme:1mo@1793491200000`. A budget's window is part of
   * its name, so that a call which is settled after its window ended never touches the new one.
   */
  readonly counter: string
  /**
   * `budget`: `spent + held + amount` may not exceed `limit`; nano-dollars.
   * `rate`: what was taken within the last `windowMs` may not exceed it; requests or tokens.
   * `lease`: counts while the reservation lives; slots.
   */
  readonly kind: HoldKind
  readonly amount: number
  /** Infinity only counts. */
  readonly limit: number
  /** Of `rate`: length of the sliding window in milliseconds. */
  readonly windowMs?: number
  /** Of `budget`: when the window ends, in milliseconds since the epoch; then the counter may be forgotten. Undefined: never. */
  readonly endsAt?: number | undefined
}

/** A set of holds that was granted as a whole. */
export interface Reservation {
  readonly id: string
  readonly tenant: string
  /** Each counter once. */
  readonly holds: readonly Hold[]
  /** How full each counter is with this reservation, in the order of `holds`: spent and held, taken, or slots in use. */
  readonly used: readonly number[]
}

/** What came of asking for a reservation. */
export type ReserveResult =
  | { readonly granted: Reservation }
  | { readonly refused: Shortage }
  /** None was held: these budget counters are not known yet, or no longer; `seed` them from the ledger and ask again. */
  | { readonly missing: readonly string[] }

/** Why a reservation was refused; none of its holds counts for anything. */
export interface Shortage {
  /** The hold that did not fit; where several did not, the one that takes longest to, and the first of equals. */
  readonly index: number
  /** How full its counter is: spent and held, taken within the window, or slots in use. */
  readonly used: number
  /**
   * When it fits at the latest if nothing more is taken: the end of a budget's window, the moment enough has left a
   * rate's. Undefined where nobody knows: leases, budgets without end, amounts larger than the limit.
   */
  readonly retryAfterMs: number | undefined
}

/** How a reservation is named and how long it lives if nobody ends it. */
export interface ReserveOptions {
  /** Unique; reserving the same id again while it lives gives what was granted first. */
  readonly id: string
  /** Counters of one tenant lie together, so that one script can change all of them in a cluster. */
  readonly tenant: string
  readonly ttlMs: number
}

/** How long a store remembers that a reservation was settled or released, at the least; in milliseconds. */
export const settledMemoryMs = 120_000

/**
 * All-or-nothing holds over many counters. A reservation is settled or released once: repeating either within
 * `settledMemoryMs` does nothing. An abandoned one expires by itself. Every method may reject; whoever calls it has the deadline.
 *
 * What a budget has spent is what the ledger's rows from before `seededUntil` add up to, plus what was settled with a
 * later date: every row counts once, however late it reaches the ledger.
 */
export interface CounterStore {
  /** How long its operations may take, in milliseconds; calls wait for them. @default 50 */
  readonly deadlineMs?: number
  /** How long a store may be silent, as long as it `isConnected`, until it is taken for away. @default `deadlineMs` */
  readonly silenceMs?: number
  /** False where the connection is known to be lost: nobody waits for longer than `deadlineMs` then. @default true */
  isConnected?(): boolean
  /** Set by stores that keep their counters in this process, so that no call has to wait for them. */
  readonly immediate?: ImmediateCounters | undefined
  reserve(holds: readonly Hold[], options: ReserveOptions): Promise<ReserveResult>
  /** Keeps reservations of running calls alive for another `ttlMs`; gives the ids of those that were already gone. */
  renew(reservations: readonly Reservation[], ttlMs: number): Promise<readonly string[]>
  /**
   * Replaces what was held by what was used, in the order of the reservation's holds. A budget also counts what a
   * reservation spent that had expired or that this store never saw. A lease ends whatever its number. A rate keeps what
   * was used at the time of its hold; what was used beyond that counts from now.
   *
   * `at` is the date of the ledger's row. Gives how much each budget has spent now, undefined where the counter is missing
   * or was seeded after `at`: then the row belongs to the ledger's part, see `seed`. The empty list: ended before.
   */
  settle(reservation: Reservation, actual: readonly number[], at: number): Promise<readonly (number | undefined)[]>
  /** Gives everything back; nothing is counted. */
  release(reservation: Reservation): Promise<void>
  /**
   * Sets the ledger's part of budget counters that do not exist. Raises it, and never lowers it, where a counter was seeded
   * with the same `until`, when rows came late. A counter that was split at `until` begins anew there: it keeps what was
   * settled with a later date, and everything before is the ledger's part, at least what it was. Leaves all others.
   */
  seed(tenant: string, counters: readonly SeededCounter[]): Promise<void>
  /**
   * Has budget counters tell apart from now on what is settled with a date at or after `at`, so that `seed` can begin them
   * anew there: whatever they missed of earlier rows is then found. `at` lies ahead, as nothing may have been settled with
   * such a date. Leaves counters that are missing, were seeded later, or are split already.
   */
  split(tenant: string, counters: readonly string[], at: number): Promise<void>
  /** Forgets what budget counters have spent, but not what is held of them: the next reservation misses them. */
  forget(tenant: string, counters: readonly string[]): Promise<void>
  /** What is known of counters, in the order of `holds`. */
  read(tenant: string, holds: readonly Hold[]): Promise<readonly CounterLevel[]>
}

/** The operations that a call waits for, done at once: they throw what those of `CounterStore` reject with. */
export interface ImmediateCounters {
  reserve(holds: readonly Hold[], options: ReserveOptions): ReserveResult
  settle(reservation: Reservation, actual: readonly number[], at: number): readonly (number | undefined)[]
  release(reservation: Reservation): void
}

/** A budget counter, and what the ledger's rows of its window add up to. */
export interface SeededCounter {
  readonly counter: string
  /** Nano-dollars. */
  readonly spent: number
  /** The rows that were added up are those dated before this, in milliseconds since the epoch. */
  readonly until: number
  /** End of the window, see `Hold`. */
  readonly endsAt?: number | undefined
}

/** One counter as it stands. */
export interface CounterLevel {
  /** Budgets: spent. Rates: taken within the window. Leases: 0. */
  readonly used: number
  /** By reservations that live; of rates 0, as what they hold is taken. */
  readonly held: number
  /** Of budgets; undefined where the counter is missing. */
  readonly seededUntil?: number | undefined
  /** Of budgets that are split: where. */
  readonly splitAt?: number | undefined
}
