import { endAll, renewAll } from './counter-ending.js'
import { type CounterOperation, type EndOperation, type Tell, reservationsOf } from './counter-operations.js'
import { reserveAll } from './counter-reserving.js'
import { type CounterContext, idRows, lockCounters, splitId } from './counter-rows.js'
import { type SqlRow, type Work, ask } from './database.js'
import { toKey } from './text.js'

/**
 * Does operations in one transaction: whatever their number, a handful of statements. What ends makes room for what is
 * reserved. Each reservation may be named by one operation only.
 */
export function* runOperations(
  context: CounterContext,
  operations: readonly CounterOperation[],
): Work<readonly Tell[]> {
  const named = operations.flatMap(reservationsOf)
  const counters = yield* lockCounters(
    context,
    named.flatMap(({ tenant, holds }) => holds.map((hold) => ({ tenant, ...hold }))),
    operations.filter(isKind('end')).flatMap(splitsOf),
  )
  const reservations = yield* readReservations(
    context,
    named.map(({ id }) => toKey(id)),
  )
  const locked = { ...context, now: context.clock(), counters, reservations }
  return [
    ...(yield* endAll(locked, operations.filter(isKind('end')))),
    ...(yield* renewAll(locked, operations.filter(isKind('renew')))),
    ...(yield* reserveAll(locked, operations.filter(isKind('reserve')))),
  ]
}

function isKind<K extends CounterOperation['kind']>(kind: K) {
  return (operation: CounterOperation): operation is Extract<CounterOperation, { kind: K }> => operation.kind === kind
}

/** What is settled may have to be told apart. */
function splitsOf({ settled, reservation: { tenant, holds } }: EndOperation): readonly string[] {
  return settled ? holds.filter(({ kind }) => kind === 'budget').map(({ counter }) => splitId(tenant, counter)) : []
}

function* readReservations(context: CounterContext, keys: readonly string[]): Work<ReadonlyMap<string, SqlRow>> {
  const [from, parameter] = idRows(context, keys)
  const { rows } = yield* ask(
    `SELECT v.id AS id, v.ended AS ended, v.expires_at AS expires_at, v.used_json AS used_json FROM ${from} JOIN ${context.tables.reservations.name} v ON v.id = r.id`,
    parameter,
  )
  return new Map(rows.map((row) => [String(row['id']), row]))
}
