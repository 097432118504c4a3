import type { Hold } from '../../src/index.js'
import { type SqlResult, type SqlRow, type Work, ask } from './database.js'
import type { Dialect } from './dialect.js'
import type { Tables } from './schema.js'
import { toKey } from './text.js'

/** What the counters' statements are made with. */
export interface CounterContext {
  readonly dialect: Dialect
  readonly tables: Tables
  /** Milliseconds since the epoch. */
  readonly clock: () => number
}

/** One counter as its row tells it; changed as operations of its transaction change it. */
export interface Counter {
  readonly id: string
  /** Nano-dollars that the ledger's rows from before `seededUntil` add up to. */
  ledgerSpent: number
  /** Nano-dollars that were settled with a later date. */
  settled: number
  /** Of budgets; undefined where the ledger was not asked yet. */
  readonly seededUntil: number | undefined
  readonly endsAt: number | undefined
  /** By reservations that live, or taken within the window of a rate; 0 until `readHeld`. */
  held: number
}

/** Counters by the ids of their rows. */
export type Counters = ReadonlyMap<string, Counter>

/** A counter that may have to be created. */
export interface NamedCounter extends Pick<Hold, 'counter' | 'kind' | 'endsAt'> {
  readonly tenant: string
}

/** The id of a counter's row. */
export function counterId(tenant: string, counter: string): string {
  return toKey(JSON.stringify([tenant, counter]))
}

/**
 * The id of the row that a budget has beside its own while it is split: there `settled` is what has a date at or after
 * `seeded_until`.
 */
export function splitId(tenant: string, counter: string): string {
  return toKey(JSON.stringify([tenant, counter, 'split']))
}

/** The rows of these ids as a table expression `r`, and its parameter. */
export function idRows({ dialect }: CounterContext, ids: Iterable<string>): readonly [string, string] {
  const sorted = [...new Set(ids)].toSorted()
  return [dialect.rows([{ name: 'id', type: 'key' }]), JSON.stringify(sorted.map((id) => ({ id })))]
}

/**
 * Creates the counters that are not there, and locks all of them, in one order, until the transaction ends; and the rows
 * of further ids, if there are any.
 */
export function* lockCounters(
  context: CounterContext,
  named: readonly NamedCounter[],
  further: readonly string[] = [],
): Work<Counters> {
  const { dialect, tables } = context
  const rows = new Map(
    named.map(({ tenant, counter, kind, endsAt }) => {
      const id = counterId(tenant, counter)
      return [id, { id, kind, ledger_spent: 0, settled: 0, seeded_until: null, ends_at: endsAt ?? null }]
    }),
  )
  for (;;) {
    const locked = yield* readCounters(context, [...rows.keys(), ...further], dialect.forUpdate('c'))
    const missing = [...rows.values()].filter(({ id }) => !locked.has(id))
    if (missing.length === 0) return locked
    // A counter may be swept at this very moment, hence the loop.
    yield* dialect.insertNew(
      tables.counters,
      missing.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    )
  }
}

/** Counters that exist. */
export function* readCounters(context: CounterContext, ids: Iterable<string>, lock = ''): Work<Counters> {
  const [from, parameter] = idRows(context, ids)
  const { rows } = yield* ask(
    `SELECT c.id AS id, c.ledger_spent AS ledger_spent, c.settled AS settled, c.seeded_until AS seeded_until, c.ends_at AS ends_at FROM ${from} JOIN ${context.tables.counters.name} c ON c.id = r.id ORDER BY c.id${lock}`,
    parameter,
  )
  return new Map(rows.map((row) => [String(row['id']), toCounter(row)]))
}

function toCounter(row: SqlRow): Counter {
  return {
    id: String(row['id']),
    ledgerSpent: Number(row['ledger_spent']),
    settled: Number(row['settled']),
    seededUntil: toDate(row['seeded_until']),
    endsAt: toDate(row['ends_at']),
    held: 0,
  }
}

function toDate(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value)
}

/** What is held of counters at this time. */
export function* readHeld(
  context: CounterContext,
  ids: Iterable<string>,
  now: number,
): Work<ReadonlyMap<string, number>> {
  const [from, parameter] = idRows(context, ids)
  const sums: SqlResult = yield* ask(
    `SELECT h.counter_id AS id, SUM(h.amount) AS amount FROM ${from} JOIN ${context.tables.holds.name} h ON h.counter_id = r.id WHERE h.expires_at > ? GROUP BY h.counter_id`,
    parameter,
    now,
  )
  return new Map(sums.rows.map((row) => [String(row['id']), Number(row['amount'])]))
}

/** Nano-dollars that a counter has spent; undefined while a budget is missing, 0 of others. */
export function spentOf(counter: Counter | undefined, kind: Hold['kind']): number | undefined {
  if (kind !== 'budget') return 0
  return counter?.seededUntil === undefined ? undefined : counter.ledgerSpent + counter.settled
}
