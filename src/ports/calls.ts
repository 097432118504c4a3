import type { CallRecord } from './callback.js'
import type { ScopeRef } from './ledger.js'

/** A record without its bodies, as lists give it. */
export type CallSummary = Omit<CallRecord, 'request' | 'response'>

/** Which calls are wanted; every field narrows. */
export interface CallQuery {
  /** Calls that count for all of these: scopes of the caller, `tag`, `deployment`, `provider` of the call. */
  readonly scopes?: readonly ScopeRef[]
  readonly callId?: string
  /** The model group, or what was asked for where there is none of that name. */
  readonly modelName?: string
  readonly status?: CallRecord['status']
  readonly outcome?: CallRecord['outcome']
  /** Ended at or after, in milliseconds since the epoch. */
  readonly from?: number
  /** Ended before. */
  readonly until?: number
  /** @default 100; at most 1,000 */
  readonly limit?: number
  /** `next` of the page before. */
  readonly after?: string
}

/** Calls, the ones that ended last first, and where the next page begins. */
export interface CallPage {
  readonly records: readonly CallSummary[]
  readonly next: string | undefined
}

/** Where calls are looked up, whatever came of them. Every method may reject; whoever calls it has the deadline and the queue. */
export interface CallStore {
  /** Keeps records; one whose id is known changes nothing. A store with bounds forgets the oldest. */
  append(records: readonly CallRecord[]): Promise<void>
  query(query: CallQuery): Promise<CallPage>
  /** One record whole, by its id. */
  get(id: string): Promise<CallRecord | undefined>
  /** Forgets calls that ended before this (milliseconds since the epoch); gives how many. */
  prune(before: number): Promise<number>
}
