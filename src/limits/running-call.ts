import type { CounterStore, Reservation } from '../ports/counters.js'
import type { ScopeHold, Settlement } from './holds.js'
import type { CountedCall } from './known-budgets.js'

/** A call that was let in. Has to be settled or released, whatever becomes of it; only the first counts. */
export interface AdmittedCall {
  /** `x-ratelimit-*` of the tightest scope; empty where there is no limit. */
  readonly headers: Readonly<Record<string, string>>
  /** False for a call without budgets and limits. */
  readonly isHeld: boolean
  /** When the first of the budgets' windows ends that it counts in: rows of a later date would count in the next. @default never */
  readonly endsAt?: number | undefined
  /** Replaces what is held by what was used. Returns at once; is repeated until the store has it. */
  settle(settlement: Settlement): void
  /** For a call that nothing was billed for: gives back what is held, requests and tokens of the minute included. */
  release(): void
}

/** What a call holds. */
export interface Held {
  readonly tenant: string
  readonly reservation: Reservation
  /** The one that holds, and whatever else has to hear how it ends. */
  readonly stores: readonly CounterStore[]
}

/** A call from its admission to its end. */
export interface EndingCall extends CountedCall {
  /** Undefined for a call without budgets and limits. */
  readonly held: Held | undefined
  /** Held beside its call, which counts in whatever this does not hold. */
  readonly isAttempt: boolean
}

/** What ends calls. */
export interface CallEnds {
  /** Released where there is no settlement. */
  end(call: EndingCall, settlement: Settlement | undefined): void
}

/** Ends once. A class, as V8 keeps what literals with getters hold for long. */
export class RunningCall implements AdmittedCall {
  readonly headers: Readonly<Record<string, string>>
  readonly #call: EndingCall
  readonly #ends: CallEnds
  #isOver = false

  constructor(headers: Readonly<Record<string, string>>, call: EndingCall, ends: CallEnds) {
    this.headers = headers
    this.#call = call
    this.#ends = ends
  }

  get isHeld(): boolean {
    return this.#call.held !== undefined
  }

  get endsAt(): number | undefined {
    return firstEnd(this.#call.parts)
  }

  settle(settlement: Settlement): void {
    this.#end(settlement)
  }

  release(): void {
    this.#end(undefined)
  }

  #end(settlement: Settlement | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#ends.end(this.#call, settlement)
  }
}

/** When the first of the budgets' windows ends; undefined where none does. */
export function firstEnd(parts: readonly ScopeHold[]): number | undefined {
  let first: number | undefined
  for (const { hold } of parts) if (hold.endsAt !== undefined) first = Math.min(first ?? hold.endsAt, hold.endsAt)
  return first
}
