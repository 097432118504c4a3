import type { Reservation, ReserveResult } from '../../src/index.js'
import type { CounterContext, Counters } from './counter-rows.js'
import type { SqlRow } from './database.js'
import type { Operation } from './group-commit.js'
import { toKey } from './text.js'

/** Holds all of a reservation's counters, or none. */
export interface ReserveOperation extends Operation {
  readonly kind: 'reserve'
  readonly reservation: Omit<Reservation, 'used'>
  readonly ttlMs: number
  readonly answer: (result: ReserveResult) => void
}

/** Settles a reservation; releases it where `settled` is undefined. */
export interface EndOperation extends Operation {
  readonly kind: 'end'
  readonly reservation: Omit<Reservation, 'used'>
  readonly settled: { readonly actual: readonly number[]; readonly at: number } | undefined
  readonly answer: (spent: readonly (number | undefined)[]) => void
}

/** Keeps reservations alive. */
export interface RenewOperation extends Operation {
  readonly kind: 'renew'
  readonly reservations: readonly Omit<Reservation, 'used'>[]
  readonly ttlMs: number
  readonly answer: (gone: readonly string[]) => void
}

/** What is done to reservations. */
export type CounterOperation = ReserveOperation | EndOperation | RenewOperation

/** What a transaction has found when its counters were locked. */
export interface Locked extends CounterContext {
  readonly now: number
  readonly counters: Counters
  /** Rows of the reservations that are known, by their keys. */
  readonly reservations: ReadonlyMap<string, SqlRow>
}

/** Tells a result to whoever waits for it. */
export type Tell = () => void

/** The reservations that an operation is about. */
export function reservationsOf(
  operation:
    | Pick<ReserveOperation | EndOperation, 'kind' | 'reservation'>
    | Pick<RenewOperation, 'kind' | 'reservations'>,
): readonly Omit<Reservation, 'used'>[] {
  return operation.kind === 'renew' ? operation.reservations : [operation.reservation]
}

/** The row of a reservation that neither ended nor expired. */
export function livingRow({ reservations, now }: Locked, id: string): SqlRow | undefined {
  const row = reservations.get(toKey(id))
  return row && Number(row['ended']) === 0 && Number(row['expires_at']) > now ? row : undefined
}
