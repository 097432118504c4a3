import {
  type LedgerEntry,
  type LedgerPage,
  type LedgerQuery,
  type LedgerStore,
  type ScopeRef,
  type SpendQuery,
  type SpendRow,
  chargedTo,
} from '../ports/ledger.js'
import { type Cursor, fromCursor, pageSize, toCursor } from './cursor.js'
import { createMemoryEvents } from './memory-events.js'
import { type Wanted, createMemoryHours, isOfModel } from './memory-hours.js'
import {
  type Change,
  type ReportPlan,
  type Sums,
  type WindowParts,
  addSums,
  compareGroups,
  correctionOf,
  hourMs,
  hourOf,
  isColumnOfEntry,
  modelsOf,
  planReport,
  priceChange,
  rollUp,
  sumsOf,
  windowParts,
  withPrice,
} from './roll-ups.js'
import { sumsCuts } from './sums-cut.js'

/** Settings of the ledger in memory. */
export interface MemoryLedgerOptions {
  /** How many entries are kept, the newest; and how many events, beyond which none is taken. @default 100,000 */
  readonly maxEntries?: number
  /** How many roll-ups of each sort are kept: the newest. @default 500,000 */
  readonly maxRollUps?: number
}

/** A roll-up by the names of its columns. */
interface KeptRollUp {
  readonly columns: Readonly<Record<string, string>>
  readonly sums: Sums
}

type Period = WindowParts['outside'][number]

/** Keeps the ledger in memory until the process ends; what is beyond the bounds is forgotten, the oldest first. */
export function createMemoryLedger({
  maxEntries = 100_000,
  maxRollUps = 500_000,
}: MemoryLedgerOptions = {}): LedgerStore {
  const byId = new Map<string, LedgerEntry>()
  /** Sorted by time and id. */
  let entries: LedgerEntry[] = []
  /** All rows of then and later are there. */
  let forgottenUntil = -Infinity
  const days = new Map<string, KeptRollUp>()
  const callers = new Map<string, KeptRollUp>()
  const hours = createMemoryHours(maxRollUps)
  const events = createMemoryEvents(maxEntries)

  function change(changes: readonly Change[]): void {
    const rolledUp = rollUp(changes)
    for (const { day, kind, id, model, provider, ...sums } of rolledUp.days) {
      addRollUp(days, { kind, day, id, model, provider }, sums)
    }
    for (const { day, organization, team, user, key, model, provider, ...sums } of rolledUp.callers) {
      addRollUp(callers, { day, organization, team, user, key, model, provider }, sums)
    }
    for (const row of rolledUp.modelHours) hours.add(row)
  }

  function addRollUp(rows: Map<string, KeptRollUp>, columns: KeptRollUp['columns'], sums: Sums): void {
    const name = JSON.stringify(Object.values(columns))
    const known = rows.get(name)
    rows.set(name, { columns, sums: known ? addSums(known.sums, sums) : sums })
    dropOldest(rows, maxRollUps)
  }

  function insert(entry: LedgerEntry): void {
    byId.set(entry.id, entry)
    entries.splice(placeOf(entries, entry), 0, entry)
  }

  function forget(count: number): void {
    for (const { id, at } of entries.splice(0, count)) {
      byId.delete(id)
      forgottenUntil = Math.max(forgottenUntil, at + 1)
    }
  }

  /** What of an hour's sum is outside of a window; where rows of it are gone, from the rows that came after them. */
  function chargedOutside(part: Period, wanted: Wanted): bigint {
    const hour = hourOf(part.from)
    const ofHour = hours.get(hour, wanted)
    // What the hour has not is not to be taken from it either.
    if (ofHour === undefined) return 0n
    if (part.from >= forgottenUntil || part.from > hour || part.until < forgottenUntil) {
      return chargedWithin(part, wanted)
    }
    return ofHour - chargedWithin({ from: part.until, until: hour + hourMs }, wanted)
  }

  function chargedWithin({ from, until }: Period, { scope, model }: Wanted): bigint {
    let sum = 0n
    for (let place = placeOf(entries, { at: from, id: '' }); place < entries.length; place += 1) {
      const entry = entries[place]
      if (!entry || entry.at >= until) break
      if (hasScope(entry, scope) && isOfModel(modelsOf(entry.scopes), model)) sum += chargedTo(entry, scope)
    }
    return sum
  }

  return {
    async append(batch, { tell = false } = {}) {
      const added = [...new Map(batch.toReversed().map((entry) => [entry.id, entry])).values()]
        .toReversed()
        .filter(({ id }) => !byId.has(id))
      if (tell) events.add(added)
      change(added.map((entry) => ({ entry, sums: sumsOf(entry) })))
      added.forEach(insert)
      if (entries.length > maxEntries) forget(entries.length - maxEntries)
    },
    async total(scope, from, until, model) {
      const parts = windowParts(from, until)
      if (!parts) return 0n
      const wanted = { scope, model }
      let sum = 0n
      for (const hour of hours.known()) {
        if (hour >= parts.hours.from && hour < parts.hours.until) sum += hours.get(hour, wanted) ?? 0n
      }
      return parts.outside.reduce((rest, part) => rest - chargedOutside(part, wanted), sum)
    },
    query: async (query) => findIn(entries, query),
    async report(query) {
      const plan = planReport(query)
      return sumUp([...(plan.from === 'days' ? days : callers).values()], query, plan)
    },
    async reprice(prices) {
      const changed = [...new Map(prices.map((price) => [price.id, price])).values()].flatMap((price) => {
        const entry = byId.get(price.id)
        return entry ? [{ entry, priced: withPrice(entry, price), tellAs: price.tellAs }] : []
      })
      events.add(
        changed.flatMap(({ entry, priced, tellAs }) => {
          return (tellAs === undefined ? undefined : correctionOf(entry, priced, tellAs)) ?? []
        }),
      )
      change(changed.map(({ entry, priced }) => priceChange(entry, priced)))
      for (const { entry, priced } of changed) {
        byId.set(entry.id, priced)
        entries[placeOf(entries, entry)] = priced
      }
      return changed.length
    },
    async prune(before) {
      const count = placeOf(entries, { at: hourOf(before), id: '' })
      forget(count)
      return count
    },
    async pruneSums(pruning) {
      const { sums, sessions, forgetsSessions } = sumsCuts(pruning)
      let pruned = forgetDays(days, ({ kind, day = '' }) => {
        const cut = kind === 'session' ? sessions : sums
        return cut !== undefined && day < cut.day
      })
      if (sums) {
        pruned += forgetDays(callers, ({ day = '' }) => day < sums.day)
        pruned += hours.merge(sums.at, (kind) => kind !== 'session' || !forgetsSessions)
      }
      if (sessions && forgetsSessions) pruned += hours.forgetIdle('session', sessions.at)
      return pruned
    },
    takeEvents: async (claim) => events.take(claim),
    forgetEvents: async (ids) => events.forget(ids),
  }
}

function hasScope({ scopes }: LedgerEntry, { kind, id }: ScopeRef): boolean {
  return scopes.some((scope) => scope.kind === kind && scope.id === id)
}

function forgetDays(rows: Map<string, KeptRollUp>, isOld: (columns: KeptRollUp['columns']) => boolean): number {
  const { size } = rows
  for (const [name, { columns }] of rows) if (isOld(columns)) rows.delete(name)
  return size - rows.size
}

function dropOldest<Key, Row>(rows: Map<Key, Row>, most: number): void {
  if (rows.size <= most) return
  for (const oldest of rows.keys()) {
    rows.delete(oldest)
    return
  }
}

/** The first place whose entry is not before the given one. */
function placeOf(entries: readonly LedgerEntry[], { at, id }: Cursor): number {
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = entries[middle]
    if (entry && (entry.at < at || (entry.at === at && entry.id < id))) low = middle + 1
    else high = middle
  }
  return low
}

function findIn(entries: readonly LedgerEntry[], query: LedgerQuery): LedgerPage {
  const size = pageSize(query.limit)
  const after = query.after === undefined ? undefined : fromCursor(query.after)
  const found: LedgerEntry[] = []
  let place = after ? placeOf(entries, after) : entries.length
  while (place > 0) {
    place -= 1
    const entry = entries[place]
    if (!entry || !matches(entry, query)) continue
    if (found.length === size) return { entries: found, next: nextOf(found) }
    found.push(entry)
  }
  return { entries: found, next: undefined }
}

function nextOf(found: readonly LedgerEntry[]): string | undefined {
  const last = found.at(-1)
  return last && toCursor(last)
}

function matches(entry: LedgerEntry, query: LedgerQuery): boolean {
  return (
    entry.at >= (query.from ?? -Infinity) &&
    entry.at < (query.until ?? Infinity) &&
    (query.callId === undefined || entry.callId === query.callId) &&
    (query.modelName === undefined || entry.modelName === query.modelName) &&
    (query.failed === undefined || query.failed === (entry.failure !== undefined)) &&
    (query.priced === undefined || query.priced === entry.priced) &&
    (query.scope === undefined || hasScope(entry, query.scope))
  )
}

function sumUp(rows: readonly KeptRollUp[], { fromDay, untilDay }: SpendQuery, plan: ReportPlan): SpendRow[] {
  const column = (group: string): string => (plan.from === 'days' && group === plan.kind ? 'id' : group)
  const groups = new Map<string, SpendRow>()
  for (const { columns, sums } of rows) {
    const day = columns['day'] ?? ''
    if (day < fromDay || day > untilDay) continue
    if (plan.from === 'days' && columns['kind'] !== plan.kind) continue
    if (!plan.where.every(([name, id]) => columns[column(name)] === id)) continue
    const group = plan.by.map((name) => columns[column(name)] ?? '')
    // An empty id stands for no scope of that kind.
    if (group.some((id, place) => id === '' && !isColumnOfEntry(plan.by[place]))) continue
    const name = JSON.stringify(group)
    const known = groups.get(name)
    groups.set(name, { group, ...(known ? addSums(known, sums) : sums) })
  }
  return [...groups.values()].toSorted(compareGroups)
}
