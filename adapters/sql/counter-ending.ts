import { type Reservation, settledMemoryMs } from '../../src/index.js'
import { type EndOperation, type Locked, type RenewOperation, type Tell, livingRow } from './counter-operations.js'
import { counterId, spentOf, splitId } from './counter-rows.js'
import { type SqlRow, type Work, ask } from './database.js'
import { deleteRows, insertRows, insertSql, toJsonRows, updateRows } from './dialect.js'
import { toKey } from './text.js'

/** The rows of what a reservation holds and a renewal or its end changes: rates leave by themselves. */
function lastingRows({ id, tenant, holds }: Omit<Reservation, 'used'>): readonly SqlRow[] {
  return holds
    .filter(({ kind }) => kind !== 'rate')
    .map(({ counter }) => ({ counter_id: counterId(tenant, counter), reservation_id: toKey(id), part: 0 }))
}

/** Ends reservations, in order; what has ended before does nothing. */
export function* endAll(locked: Locked, operations: readonly EndOperation[]): Work<readonly Tell[]> {
  const { dialect, tables, now, reservations } = locked
  const [before, ending] = partition(
    operations,
    ({ reservation }) => Number(reservations.get(toKey(reservation.id))?.['ended']) === 1,
  )
  const ended = ending.map(({ reservation }) => {
    return { id: toKey(reservation.id), expires_at: now, ended: 1, forget_at: now + settledMemoryMs, used_json: '[]' }
  })
  if (ended.length > 0) {
    const sql = `${insertSql(dialect, tables.reservations)} ${dialect.onConflict(['id'])} ended = ${dialect.incoming('ended')}, forget_at = ${dialect.incoming('forget_at')}`
    yield* ask(sql, toJsonRows(dialect, ended))
  }
  yield* deleteRows(
    dialect,
    tables.holds,
    ending.flatMap(({ reservation }) => lastingRows(reservation)),
  )
  const spent = yield* spendAll(locked, ending)
  yield* trueUpAll(locked, ending)
  return [
    ...before.map(
      ({ answer }) =>
        () =>
          answer([]),
    ),
    ...ending.map(
      ({ answer }, index) =>
        () =>
          answer(spent[index] ?? []),
    ),
  ]
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))]
}

/** Adds to budgets what was spent of them; gives what each has spent then. */
function* spendAll(
  { dialect, tables, counters }: Locked,
  operations: readonly EndOperation[],
): Work<readonly (readonly (number | undefined)[])[]> {
  const changed = new Map<string, SqlRow>()
  const spent = operations.map(({ settled, reservation: { tenant, holds } }) =>
    holds.map(({ kind, counter: name }, index) => {
      const counter = counters.get(counterId(tenant, name))
      if (!settled || kind !== 'budget' || counter?.seededUntil === undefined) return undefined
      if (settled.at < counter.seededUntil) return undefined
      const split = counters.get(splitId(tenant, name))
      for (const row of [counter, split]) {
        if (row?.seededUntil === undefined || settled.at < row.seededUntil) continue
        row.settled += settled.actual[index] ?? 0
        changed.set(row.id, { id: row.id, settled: row.settled })
      }
      return spentOf(counter, kind)
    }),
  )
  yield* updateRows(dialect, tables.counters, { set: ['settled'], rows: [...changed.values()] })
  return spent
}

/** A rate keeps what was used at the time of its hold; what was used beyond that counts from now. */
function* trueUpAll({ dialect, tables, now }: Locked, operations: readonly EndOperation[]): Work<void> {
  const less: SqlRow[] = []
  const more: SqlRow[] = []
  for (const { settled, reservation } of operations) {
    for (const [index, { kind, counter, amount, windowMs = 0 }] of reservation.holds.entries()) {
      if (kind !== 'rate') continue
      const used = settled?.actual[index] ?? 0
      const row = { counter_id: counterId(reservation.tenant, counter), reservation_id: toKey(reservation.id) }
      if (used < amount) less.push({ ...row, part: 0, amount: used })
      if (used > amount) more.push({ ...row, part: 1, kind, amount: used - amount, expires_at: now + windowMs })
    }
  }
  yield* updateRows(dialect, tables.holds, { set: ['amount'], rows: less })
  yield* insertRows(dialect, tables.holds, more)
}

/** Renews reservations that live. */
export function* renewAll(locked: Locked, operations: readonly RenewOperation[]): Work<readonly Tell[]> {
  const { dialect, tables, now } = locked
  const renewed = operations.flatMap(({ reservations, ttlMs }) =>
    reservations
      .filter(({ id }) => livingRow(locked, id))
      .map((reservation) => ({ reservation, expires_at: now + ttlMs, forget_at: now + ttlMs + settledMemoryMs })),
  )
  yield* updateRows(dialect, tables.reservations, {
    set: ['expires_at', 'forget_at'],
    rows: renewed.map(({ reservation, ...until }) => ({ id: toKey(reservation.id), ...until })),
  })
  yield* updateRows(dialect, tables.holds, {
    set: ['expires_at'],
    rows: renewed.flatMap(({ reservation, expires_at }) =>
      lastingRows(reservation).map((row) => ({ ...row, expires_at })),
    ),
  })
  return operations.map(({ reservations, answer }) => {
    const gone = reservations.filter(({ id }) => !livingRow(locked, id)).map(({ id }) => id)
    return () => answer(gone)
  })
}
