import {
  type CounterLevel,
  type CounterStore,
  type Hold,
  type Reservation,
  type ReserveOptions,
  type ReserveResult,
  type SeededCounter,
  type Shortage,
  settledMemoryMs,
} from '../../src/index.js'
import { type SqlDatabase, type SqlResult, type SqlRow, type Work, ask } from './database.js'
import { type Dialect, insertRows } from './dialect.js'
import type { Tables } from './schema.js'
import { toKey } from './text.js'

/** One counter as its rows tell it, and the hold that asks for it. */
interface Counter {
  readonly id: string
  readonly hold: Hold
  /** Budgets: spent; undefined while missing. Others: 0. */
  readonly spent: number | undefined
  readonly seededUntil: number | undefined
  /** Of reservations that live, or within the window of a rate. */
  readonly held: number
}

interface Context {
  readonly dialect: Dialect
  readonly tables: Tables
  readonly now: number
}

const sweepEveryMs = 60_000

/**
 * Counts in the host's database: the rows of a reservation's counters are locked in one order, so whoever asks at the
 * same moment waits its turn. A few round trips per call; where there is a Redis, count there. The processes' clocks
 * have to agree.
 */
export function sqlCounters(database: SqlDatabase, tables: Tables, clock: () => number): CounterStore {
  const { dialect } = database
  let sweptAt = clock()

  function transact<T>(work: (context: Context) => Work<T>): Promise<T> {
    return database.transact(() => work({ dialect, tables, now: clock() }))
  }

  /** Now and then, on the way of a call that has been answered; what fails is done by the next one. */
  async function sweep(): Promise<void> {
    if (clock() - sweptAt < sweepEveryMs) return
    sweptAt = clock()
    await transact(deleteExpired).catch(() => undefined)
  }

  return {
    // A reservation is a transaction of several round trips, and waits for others on the same counters.
    deadlineMs: 10_000,
    reserve: (holds, options) => transact((context) => reserve(context, holds, options)),
    async renew(reservations, ttlMs) {
      return transact((context) => renew(context, reservations, ttlMs))
    },
    async settle(reservation, actual, at) {
      const spent = await transact((context) => end(context, reservation, { actual, at }))
      await sweep()
      return spent
    },
    async release(reservation) {
      await transact((context) => end(context, reservation, undefined))
    },
    seed: (tenant, counters) => transact((context) => seed(context, tenant, counters)),
    async forget(tenant, counters) {
      const sql = `UPDATE ${tables.counters.name} SET seeded_until = NULL, ledger_spent = 0, settled = 0 WHERE id = ?`
      await transact(function* () {
        for (const id of counters.map((counter) => counterId(tenant, counter)).toSorted()) yield* ask(sql, id)
      })
    },
    async read(tenant, holds) {
      const found = await transact((context) => readCounters(context, tenant, holds, ''))
      return found.map(toLevel)
    },
  }
}

function counterId(tenant: string, counter: string): string {
  return toKey(JSON.stringify([tenant, counter]))
}

/** The rows of a list of ids, as a table expression `r`, and its parameter. */
function idRows({ dialect }: Context, ids: readonly string[]): { readonly from: string; readonly parameter: string } {
  const sorted = [...new Set(ids)].toSorted()
  return {
    from: dialect.rows([{ name: 'id', type: 'key' }]),
    parameter: JSON.stringify(sorted.map((id) => ({ id }))),
  }
}

/** Creates the counters that are not there, and locks all of them until the transaction ends. */
function* lockCounters(context: Context, tenant: string, holds: readonly Hold[]): Work<readonly Counter[]> {
  const { dialect, tables } = context
  const rows = new Map(
    holds.map(({ counter, kind, endsAt }) => {
      const id = counterId(tenant, counter)
      return [id, { id, kind, ledger_spent: 0, settled: 0, seeded_until: null, ends_at: endsAt ?? null }]
    }),
  )
  for (;;) {
    const locked = yield* readCounters(context, tenant, holds, dialect.forUpdate('c'))
    const missing = [...rows.values()].filter(
      ({ id }) => !locked.some((counter) => counter.id === id && counter.exists),
    )
    if (missing.length === 0) return locked
    // A counter may be swept at this very moment, hence the loop.
    yield* dialect.insertNew(
      tables.counters,
      missing.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    )
  }
}

function* readCounters(
  context: Context,
  tenant: string,
  holds: readonly Hold[],
  lock: string,
): Work<readonly (Counter & { readonly exists: boolean })[]> {
  if (holds.length === 0) return []
  const { tables, now } = context
  const { from, parameter } = idRows(
    context,
    holds.map(({ counter }) => counterId(tenant, counter)),
  )
  const counters = yield* ask(
    `SELECT c.id AS id, c.ledger_spent AS ledger_spent, c.settled AS settled, c.seeded_until AS seeded_until FROM ${from} JOIN ${tables.counters.name} c ON c.id = r.id ORDER BY c.id${lock}`,
    parameter,
  )
  const sums = yield* ask(
    `SELECT h.counter_id AS id, SUM(h.amount) AS amount FROM ${from} JOIN ${tables.holds.name} h ON h.counter_id = r.id WHERE h.expires_at > ? GROUP BY h.counter_id`,
    parameter,
    now,
  )
  const rows = byId(counters)
  const held = byId(sums)
  return holds.map((hold) => {
    const id = counterId(tenant, hold.counter)
    const row = rows.get(id)
    const seededUntil = numberOr(row?.['seeded_until'], undefined)
    const isMissing = hold.kind === 'budget' && seededUntil === undefined
    const spent = numberOr(row?.['ledger_spent'], 0) + numberOr(row?.['settled'], 0)
    const amount = numberOr(held.get(id)?.['amount'], 0)
    return { id, hold, exists: row !== undefined, seededUntil, held: amount, spent: isMissing ? undefined : spent }
  })
}

function byId({ rows }: SqlResult): ReadonlyMap<string, SqlRow> {
  return new Map(rows.map((row) => [String(row['id']), row]))
}

function numberOr<T>(value: unknown, otherwise: T): number | T {
  return value === null || value === undefined ? otherwise : Number(value)
}

function toLevel({ hold, spent, held, seededUntil }: Counter): CounterLevel {
  if (hold.kind === 'rate') return { used: held, held: 0 }
  return { used: spent ?? 0, held, ...(hold.kind === 'budget' && { seededUntil }) }
}

function* reserve(context: Context, holds: readonly Hold[], options: ReserveOptions): Work<ReserveResult> {
  const { tables, now } = context
  const { id, tenant, ttlMs } = options
  const counters = yield* lockCounters(context, tenant, holds)
  const key = toKey(id)
  const { rows } = yield* ask(
    `SELECT used_json FROM ${tables.reservations.name} WHERE id = ? AND ended = 0 AND expires_at > ?`,
    key,
    now,
  )
  if (rows[0]) return { granted: { id, tenant, holds, used: JSON.parse(String(rows[0]['used_json'])) } }
  const missing = counters.filter(({ spent }) => spent === undefined).map(({ hold }) => hold.counter)
  if (missing.length > 0) return { missing }
  const refused = yield* shortageOf(context, counters)
  if (refused) return { refused }
  const used = counters.map((counter) => usedOf(counter) + counter.hold.amount)
  yield* take(context, counters, { key, used, expiresAt: now + ttlMs })
  return { granted: { id, tenant, holds, used } }
}

interface Taking {
  readonly key: string
  readonly used: readonly number[]
  readonly expiresAt: number
}

function* take({ dialect, tables, now }: Context, counters: readonly Counter[], taking: Taking): Work<void> {
  const { key, used, expiresAt } = taking
  yield* ask(`DELETE FROM ${tables.reservations.name} WHERE id = ?`, key)
  yield* ask(`DELETE FROM ${tables.holds.name} WHERE reservation_id = ?`, key)
  const row = { id: key, expires_at: expiresAt, ended: 0, forget_at: expiresAt + settledMemoryMs }
  yield* insertRows(dialect, tables.reservations, [{ ...row, used_json: JSON.stringify(used) }])
  const taken = counters.map(({ id, hold }) => ({
    counter_id: id,
    reservation_id: key,
    part: 0,
    kind: hold.kind,
    amount: hold.amount,
    expires_at: hold.kind === 'rate' ? now + (hold.windowMs ?? 0) : expiresAt,
  }))
  yield* insertRows(dialect, tables.holds, taken)
}

function usedOf({ spent = 0, held }: Counter): number {
  return spent + held
}

/** The hold that takes longest to fit, if any does not. */
function* shortageOf(context: Context, counters: readonly Counter[]): Work<Shortage | undefined> {
  let longest: { readonly shortage: Shortage; readonly wait: number } | undefined
  for (const [index, counter] of counters.entries()) {
    const { hold } = counter
    const used = usedOf(counter)
    if (used + hold.amount <= hold.limit) continue
    const wait = yield* waitFor(context, counter)
    if (longest && wait <= longest.wait) continue
    const isKnown = wait < Infinity && hold.kind !== 'lease'
    longest = { wait, shortage: { index, used, retryAfterMs: isKnown ? wait : undefined } }
  }
  return longest?.shortage
}

/** Milliseconds until the hold fits at the latest; Infinity where nobody knows, 0 for a slot, which any call may free. */
function* waitFor({ tables, now }: Context, { id, hold, held }: Counter): Work<number> {
  if (hold.amount > hold.limit) return Infinity
  if (hold.kind === 'lease') return 0
  if (hold.kind === 'budget') return hold.endsAt === undefined ? Infinity : Math.max(0, hold.endsAt - now)
  const { rows } = yield* ask(
    `SELECT amount, expires_at FROM ${tables.holds.name} WHERE counter_id = ? AND expires_at > ? ORDER BY expires_at`,
    id,
    now,
  )
  let excess = held + hold.amount - hold.limit
  for (const row of rows) {
    excess -= Number(row['amount'])
    if (excess <= 0) return Number(row['expires_at']) - now
  }
  return 0
}

function* renew(
  { tables, now }: Context,
  reservations: readonly Reservation[],
  ttlMs: number,
): Work<readonly string[]> {
  const gone: string[] = []
  const until = now + ttlMs
  for (const { id } of reservations.toSorted((a, b) => (toKey(a.id) < toKey(b.id) ? -1 : 1))) {
    const { changes } = yield* ask(
      `UPDATE ${tables.reservations.name} SET expires_at = ?, forget_at = ? WHERE id = ? AND ended = 0 AND expires_at > ?`,
      until,
      until + settledMemoryMs,
      toKey(id),
      now,
    )
    if (changes === 0) gone.push(id)
    else {
      const sql = `UPDATE ${tables.holds.name} SET expires_at = ? WHERE reservation_id = ? AND kind <> 'rate'`
      yield* ask(sql, until, toKey(id))
    }
  }
  return gone
}

/** Settles, or releases where nothing was used. */
function* end(
  context: Context,
  reservation: Reservation,
  settled: { readonly actual: readonly number[]; readonly at: number } | undefined,
): Work<readonly (number | undefined)[]> {
  const counters = yield* lockCounters(context, reservation.tenant, reservation.holds)
  if (!(yield* markEnded(context, toKey(reservation.id)))) return []
  const { tables } = context
  yield* ask(`DELETE FROM ${tables.holds.name} WHERE reservation_id = ? AND kind <> 'rate'`, toKey(reservation.id))
  const spent: (number | undefined)[] = []
  for (const [index, counter] of counters.entries()) {
    const amount = settled?.actual[index] ?? 0
    if (counter.hold.kind === 'rate') yield* trueUp(context, { counter, key: toKey(reservation.id), amount })
    spent.push(settled && (yield* spend(context, counter, { amount, at: settled.at })))
  }
  return spent
}

/** False where the reservation had ended before. */
function* markEnded({ dialect, tables, now }: Context, key: string): Work<boolean> {
  const row = { id: key, expires_at: now, ended: 1, forget_at: now + settledMemoryMs, used_json: '[]' }
  const inserted = yield* dialect.insertNew(tables.reservations, [row])
  if (inserted.size > 0) return true
  const sql = `UPDATE ${tables.reservations.name} SET ended = 1, forget_at = ? WHERE id = ? AND ended = 0`
  return (yield* ask(sql, row.forget_at, key)).changes > 0
}

function* spend(
  { tables }: Context,
  { id, hold, spent, seededUntil }: Counter,
  { amount, at }: { readonly amount: number; readonly at: number },
): Work<number | undefined> {
  if (hold.kind !== 'budget' || spent === undefined || at < (seededUntil ?? 0)) return undefined
  yield* ask(`UPDATE ${tables.counters.name} SET settled = settled + ? WHERE id = ?`, amount, id)
  return spent + amount
}

interface TrueUp {
  readonly counter: Counter
  readonly key: string
  readonly amount: number
}

/** A rate keeps what was used at the time of its hold; what was used beyond that counts from now. */
function* trueUp({ dialect, tables, now }: Context, { counter, key, amount }: TrueUp): Work<void> {
  const { id, hold } = counter
  yield* ask(
    `UPDATE ${tables.holds.name} SET amount = ? WHERE counter_id = ? AND reservation_id = ? AND part = 0 AND amount > ?`,
    amount,
    id,
    key,
    amount,
  )
  const excess = amount - hold.amount
  if (excess <= 0) return
  const expires = now + (hold.windowMs ?? 0)
  const row = { counter_id: id, reservation_id: key, part: 1, kind: 'rate', amount: excess, expires_at: expires }
  yield* insertRows(dialect, tables.holds, [row])
}

function* seed(context: Context, tenant: string, counters: readonly SeededCounter[]): Work<void> {
  const { name } = context.tables.counters
  const holds = counters.map(({ counter, endsAt }): Hold => ({ counter, kind: 'budget', amount: 0, limit: 0, endsAt }))
  yield* lockCounters(context, tenant, holds)
  for (const { counter, spent, until, endsAt } of counters) {
    yield* ask(
      `UPDATE ${name} SET settled = CASE WHEN seeded_until IS NULL THEN 0 ELSE settled END, ledger_spent = ?, ends_at = ?, seeded_until = ? WHERE id = ? AND (seeded_until IS NULL OR seeded_until = ?)`,
      spent,
      endsAt ?? null,
      until,
      counterId(tenant, counter),
      until,
    )
  }
}

/** Forgets what has no effect any more: nothing that counts is touched. */
function* deleteExpired({ tables, now }: Context): Work<void> {
  const { counters, holds, reservations } = tables
  yield* ask(`DELETE FROM ${holds.name} WHERE expires_at <= ?`, now)
  yield* ask(`DELETE FROM ${reservations.name} WHERE forget_at <= ?`, now)
  yield* ask(
    `DELETE FROM ${counters.name} WHERE (kind <> 'budget' OR ends_at <= ?) AND NOT EXISTS (SELECT 1 FROM ${holds.name} h WHERE h.counter_id = ${counters.name}.id)`,
    now,
  )
}
