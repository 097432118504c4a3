import { type Hold, type Reservation, type ReserveResult, type Shortage, settledMemoryMs } from '../../src/index.js'
import { type Locked, type ReserveOperation, type Tell, livingRow } from './counter-operations.js'
import { type Counter, counterId, idRows, readHeld, spentOf } from './counter-rows.js'
import { type Work, ask } from './database.js'
import { deleteRows, insertRows } from './dialect.js'
import { toKey } from './text.js'

/** A hold of an operation, with its counter. */
interface Asked {
  readonly hold: Hold
  readonly counter: Counter
}

/** A hold that does not fit, and how full its counter was then. */
interface Overfull extends Asked {
  readonly index: number
  readonly used: number
  /** Of `used`, what leaves with time. */
  readonly held: number
}

type Decision = ReserveResult | { readonly overfull: readonly Overfull[] }

/** What leaves a rate's window, and when. */
interface Entry {
  readonly amount: number
  readonly expiresAt: number
}

/** Grants in order, each one what those before it have left. */
export function* reserveAll(locked: Locked, operations: readonly ReserveOperation[]): Work<readonly Tell[]> {
  if (operations.length === 0) return []
  const { counters, now } = locked
  const asked = operations.map(({ reservation: { tenant, holds } }) =>
    holds.flatMap((hold): Asked | [] => {
      const counter = counters.get(counterId(tenant, hold.counter))
      return counter ? { hold, counter } : []
    }),
  )
  const ids = new Set(asked.flatMap((holds) => holds.map(({ counter }) => counter.id)))
  for (const [id, amount] of yield* readHeld(locked, ids, now)) {
    const counter = counters.get(id)
    if (counter) counter.held = amount
  }
  const decisions = operations.map((operation, index) => decide(locked, operation, asked[index] ?? []))
  const granted = operations.filter(
    ({ reservation }, index) => isGranted(decisions[index]) && !livingRow(locked, reservation.id),
  )
  yield* takeAll(locked, granted, decisions.filter(isGranted))
  const entries = yield* entriesOf(locked, decisions)
  return operations.map(({ answer }, index) => {
    const decision = decisions[index] ?? { missing: [] }
    const result = 'overfull' in decision ? { refused: shortageOf(decision.overfull, entries, now) } : decision
    return () => answer(result)
  })
}

function isGranted(decision: Decision | undefined): decision is { readonly granted: Reservation } {
  return decision !== undefined && 'granted' in decision
}

function decide(locked: Locked, { reservation }: ReserveOperation, asked: readonly Asked[]): Decision {
  const row = livingRow(locked, reservation.id)
  if (row) return { granted: { ...reservation, used: JSON.parse(String(row['used_json'])) } }
  const missing = asked.filter(({ hold, counter }) => spentOf(counter, hold.kind) === undefined)
  if (missing.length > 0) return { missing: missing.map(({ hold }) => hold.counter) }
  const used = asked.map(({ hold, counter }) => (spentOf(counter, hold.kind) ?? 0) + counter.held)
  const overfull = asked.flatMap((one, index): Overfull | [] => {
    const taken = used[index] ?? 0
    return taken + one.hold.amount > one.hold.limit ? { ...one, index, used: taken, held: one.counter.held } : []
  })
  if (overfull.length > 0) return { overfull }
  for (const { hold, counter } of asked) counter.held += hold.amount
  return { granted: { ...reservation, used: asked.map(({ hold }, index) => (used[index] ?? 0) + hold.amount) } }
}

function* takeAll(
  { dialect, tables, now, reservations }: Locked,
  operations: readonly ReserveOperation[],
  granted: readonly { readonly granted: Reservation }[],
): Work<void> {
  const used = new Map(granted.map(({ granted: { id, used: levels } }) => [id, levels]))
  const rows = operations.map(({ reservation: { id }, ttlMs }) => ({
    id: toKey(id),
    expires_at: now + ttlMs,
    ended: 0,
    forget_at: now + ttlMs + settledMemoryMs,
    used_json: JSON.stringify(used.get(id) ?? []),
  }))
  // Of the same name, and long over.
  const old = rows.filter(({ id }) => reservations.has(id)).map(({ id }) => ({ id, reservation_id: id }))
  yield* deleteRows(dialect, tables.reservations, old)
  yield* deleteRows(dialect, { ...tables.holds, key: ['reservation_id'] }, old)
  yield* insertRows(dialect, tables.reservations, rows)
  const held = operations.flatMap(({ reservation: { id, tenant, holds }, ttlMs }) =>
    holds.map(({ counter, kind, amount, windowMs = 0 }) => ({
      counter_id: counterId(tenant, counter),
      reservation_id: toKey(id),
      part: 0,
      kind,
      amount,
      expires_at: now + (kind === 'rate' ? windowMs : ttlMs),
    })),
  )
  yield* insertRows(dialect, tables.holds, held)
}

/** What the rates that somebody was refused by have taken, oldest first. */
function* entriesOf(locked: Locked, decisions: readonly Decision[]): Work<ReadonlyMap<string, readonly Entry[]>> {
  const full = decisions.flatMap((decision) => ('overfull' in decision ? decision.overfull : []))
  const ids = new Set(full.filter(({ hold }) => hold.kind === 'rate').map(({ counter }) => counter.id))
  if (ids.size === 0) return new Map()
  const [from, parameter] = idRows(locked, ids)
  const { rows } = yield* ask(
    `SELECT h.counter_id AS id, h.amount AS amount, h.expires_at AS expires_at FROM ${from} JOIN ${locked.tables.holds.name} h ON h.counter_id = r.id WHERE h.expires_at > ? ORDER BY h.counter_id, h.expires_at`,
    parameter,
    locked.now,
  )
  const entries = new Map<string, Entry[]>()
  for (const row of rows) {
    const id = String(row['id'])
    const known = entries.get(id) ?? []
    entries.set(id, known)
    known.push({ amount: Number(row['amount']), expiresAt: Number(row['expires_at']) })
  }
  return entries
}

/** The hold that takes longest to fit. */
function shortageOf(
  overfull: readonly Overfull[],
  entries: ReadonlyMap<string, readonly Entry[]>,
  now: number,
): Shortage {
  let longest: { readonly shortage: Shortage; readonly wait: number } | undefined
  for (const one of overfull) {
    const wait = waitFor(one, entries.get(one.counter.id) ?? [], now)
    if (longest && wait <= longest.wait) continue
    const isKnown = wait < Infinity && one.hold.kind !== 'lease'
    longest = { wait, shortage: { index: one.index, used: one.used, retryAfterMs: isKnown ? wait : undefined } }
  }
  return longest?.shortage ?? { index: 0, used: 0, retryAfterMs: undefined }
}

/** Milliseconds until the hold fits at the latest; Infinity where nobody knows, 0 for a slot, which any call may free. */
function waitFor({ hold, held }: Overfull, entries: readonly Entry[], now: number): number {
  if (hold.amount > hold.limit) return Infinity
  if (hold.kind === 'lease') return 0
  if (hold.kind === 'budget') return hold.endsAt === undefined ? Infinity : Math.max(0, hold.endsAt - now)
  let excess = held + hold.amount - hold.limit
  for (const { amount, expiresAt } of entries) {
    excess -= amount
    if (excess <= 0) return expiresAt - now
  }
  return 0
}
