import type { CounterLevel, Hold, SeededCounter } from '../../src/index.js'
import {
  type Counter,
  type CounterContext,
  counterId,
  lockCounters,
  readCounters,
  readHeld,
  spentOf,
  splitId,
} from './counter-rows.js'
import { type SqlRow, type Work, ask } from './database.js'
import { deleteRows } from './dialect.js'

/** What is known of counters. */
export function* readLevels(
  context: CounterContext,
  tenant: string,
  holds: readonly Hold[],
): Work<readonly CounterLevel[]> {
  if (holds.length === 0) return []
  const ids = holds.map(({ counter }) => counterId(tenant, counter))
  const splits = holds.map(({ counter }) => splitId(tenant, counter))
  const counters = yield* readCounters(context, [...ids, ...splits])
  const amounts = yield* readHeld(context, ids, context.clock())
  return holds.map(({ kind }, index) => {
    const id = ids[index] ?? ''
    const [counter, held] = [counters.get(id), amounts.get(id) ?? 0]
    if (kind === 'rate') return { used: held, held: 0 }
    const used = spentOf(counter, kind) ?? 0
    if (kind !== 'budget') return { used, held }
    return { used, held, seededUntil: counter?.seededUntil, splitAt: counters.get(splits[index] ?? '')?.seededUntil }
  })
}

/** Sets the ledger's part of budgets, see `CounterStore.seed`. */
export function* seed(context: CounterContext, tenant: string, counters: readonly SeededCounter[]): Work<void> {
  const { dialect, tables } = context
  const locked = yield* lockCounters(
    context,
    counters.map(({ counter, endsAt }) => ({ tenant, counter, kind: 'budget', endsAt })),
    counters.map(({ counter }) => splitId(tenant, counter)),
  )
  const over: SqlRow[] = []
  for (const seeded of counters) {
    const [id, ofSplit] = [counterId(tenant, seeded.counter), splitId(tenant, seeded.counter)]
    const account = seededAccount(locked.get(id), locked.get(ofSplit), seeded)
    if (!account) continue
    yield* ask(
      `UPDATE ${tables.counters.name} SET ledger_spent = ?, settled = ?, ends_at = ?, seeded_until = ? WHERE id = ?`,
      account.ledgerSpent,
      account.settled,
      seeded.endsAt ?? null,
      seeded.until,
      id,
    )
    if (account.isAnew) over.push({ id: ofSplit })
  }
  yield* deleteRows(dialect, tables.counters, over)
}

/** Undefined where the counter stays as it is; `isAnew`: it is no longer split. */
function seededAccount(known: Counter | undefined, split: Counter | undefined, { spent, until }: SeededCounter) {
  if (known?.seededUntil === undefined) return { ledgerSpent: spent, settled: 0, isAnew: true }
  const { ledgerSpent, settled } = known
  if (split?.seededUntil === until) {
    const before = ledgerSpent + settled - split.settled
    return { ledgerSpent: Math.max(spent, before), settled: split.settled, isAnew: true }
  }
  if (known.seededUntil !== until) return undefined
  return { ledgerSpent: Math.max(spent, ledgerSpent), settled, isAnew: false }
}

/** Has budgets tell apart what is settled from then on, see `CounterStore.split`. */
export function* split(
  context: CounterContext,
  tenant: string,
  { counters, at }: { readonly counters: readonly string[]; readonly at: number },
): Work<void> {
  const { dialect, tables } = context
  const locked = yield* lockPresent(context, tenant, counters)
  const rows = counters.flatMap((counter) => {
    const id = splitId(tenant, counter)
    const known = locked.get(counterId(tenant, counter))
    if (known?.seededUntil === undefined || known.seededUntil >= at || locked.has(id)) return []
    return { id, kind: 'budget', ledger_spent: 0, settled: 0, seeded_until: at, ends_at: known.endsAt ?? null }
  })
  if (rows.length > 0) yield* dialect.insertNew(tables.counters, rows)
}

/** Forgets what budgets have spent, but not what is held of them. */
export function* forget(context: CounterContext, tenant: string, counters: readonly string[]): Work<void> {
  const { dialect, tables } = context
  const locked = yield* lockPresent(context, tenant, counters)
  const sql = `UPDATE ${tables.counters.name} SET seeded_until = NULL, ledger_spent = 0, settled = 0 WHERE id = ?`
  for (const counter of counters) {
    const id = counterId(tenant, counter)
    if (locked.has(id)) yield* ask(sql, id)
  }
  yield* deleteRows(
    dialect,
    tables.counters,
    counters.map((counter) => ({ id: splitId(tenant, counter) })).filter(({ id }) => locked.has(id)),
  )
}

/** Locks what there is of budgets, and of their splits. */
function lockPresent(context: CounterContext, tenant: string, counters: readonly string[]) {
  const ids = counters.flatMap((counter) => [counterId(tenant, counter), splitId(tenant, counter)])
  return readCounters(context, ids, context.dialect.forUpdate('c'))
}
