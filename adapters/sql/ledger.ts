import { setImmediate } from 'node:timers/promises'
import {
  type Change,
  type EventClaim,
  GatewayError,
  type LedgerEntry,
  type LedgerPage,
  type LedgerQuery,
  type LedgerStore,
  type RepricedEntry,
  compareGroups,
  correctionOf,
  fromCursor,
  fromLine,
  hourOf,
  isModelMatch,
  isObject,
  pageSize,
  parseJson,
  planReport,
  priceChange,
  rollUp,
  type SpendGroup,
  type SpendQuery,
  type SpendRow,
  sumsOf,
  toCursor,
  toLine,
  type UsageEvent,
  type WindowParts,
  windowParts,
  withPrice,
} from '../../src/index.js'
import { type SqlDatabase, type SqlRow, type SqlValue, type Statement, type Work, ask } from './database.js'
import {
  type Dialect,
  addRows,
  deleteRows,
  fromMoney,
  insertRows,
  keyColumns,
  moneyText,
  updateRows,
} from './dialect.js'
import { fromLedgerRow, marks, toLedgerRow, toMarkRows, toRollUpRows, toScopeRows, withKeys } from './ledger-rows.js'
import { fillModelHours } from './model-hours.js'
import { pruneSums } from './prune-sums.js'
import type { Tables } from './schema.js'
import { toKey, toText } from './text.js'
import { type PeriodRange, lackingWeeks, periodRanges, periodsOf, weeksQuestion } from './weeks.js'

/** Rows that one transaction of `reprice` or `prune` touches: each stays short. */
const rowsAtOnce = 1_000

/** Keeps the ledger and its roll-ups in the host's database. */
export function sqlLedger(database: SqlDatabase, tables: Tables): LedgerStore {
  const { dialect } = database
  return {
    async append(entries, { tell = false } = {}) {
      // The first of those that have an id in common.
      const byId = new Map(entries.toReversed().map((entry) => [toKey(entry.id), entry]))
      for (const chunk of chunksOf(sortedById(byId), dialect.entriesAtOnce)) {
        await database
          .transact(() => append(dialect, tables, { sorted: chunk, tell }))
          .catch((error: unknown) => {
            throw dialect.isOutOfOrder(error) ? unavailable(error) : error
          })
        // Others have their turn between blocking transactions.
        await setImmediate()
      }
    },
    async total(scope, from, until, model) {
      const parts = windowParts(from, until)
      if (!parts) return 0n
      const window = { kind: scope.kind, scope: toKey(scope.id), ...parts }
      if (model === undefined) return signedSum((await database.query(totalOf(dialect, tables, window))).rows)
      const read = async () => (await database.query(totalsByModels(dialect, tables, window))).rows
      let rows = await read()
      if (!addsUp(rows)) {
        await fillModelHours(database, tables, { ...window, ...window.hours })
        rows = await read()
      }
      return signedSum(rows.filter((row) => isOfModel(row, model)))
    },
    async query(query) {
      const { rows } = await database.query(find(dialect, tables, query))
      return toPage(rows, pageSize(query.limit))
    },
    async report(query) {
      const { rows } = await database.query(
        report(dialect, tables, { query, ranges: await rangesOf(database, tables, query) }),
      )
      return rows.map((row) => toSpendRow(row, query.by)).toSorted(compareGroups)
    },
    async reprice(prices) {
      const byId = new Map(prices.map((price) => [toKey(price.id), price]))
      let changed = 0
      for (const chunk of chunksOf(sortedById(byId), rowsAtOnce)) {
        changed += await database.transact(() => reprice(dialect, tables, new Map(chunk)))
      }
      return changed
    },
    async prune(before) {
      const hour = hourOf(before)
      for (let pruned = 0, last = rowsAtOnce; ; pruned += last) {
        if (last < rowsAtOnce) return pruned
        last = await database.transact(() => prune(dialect, tables, hour))
      }
    },
    pruneSums: (pruning) => pruneSums(database, tables, pruning),
    takeEvents: (claim) => database.transact(() => takeEvents(dialect, tables, claim)),
    async forgetEvents(ids) {
      const rows = ids.map((id) => ({ id: toKey(id) }))
      await database.transact(() => deleteRows(dialect, tables.usageEvents, rows))
    },
  }
}

/** A row that is known is taken by a full disk too: it must not be thought that new ones are refused. */
function unavailable(cause: unknown): GatewayError {
  return new GatewayError('unavailable', 'The database takes no rows at the moment.', { cause })
}

/** Every writer goes by the order of ids and keys: two that wait for each other would be a deadlock. */
function sortedById<T>(byId: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function chunksOf<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}

interface Batch {
  readonly sorted: readonly (readonly [string, LedgerEntry])[]
  readonly tell: boolean
}

function* append(dialect: Dialect, tables: Tables, { sorted, tell }: Batch): Work<void> {
  const rows = sorted.map(([, entry]) => toLedgerRow(entry))
  const inserted = yield* dialect.insertNew(tables.ledger, rows)
  const added = sorted.filter(([id]) => inserted.has(id)).map(([, entry]) => entry)
  yield* insertRows(dialect, tables.ledgerScopes, [...added.flatMap(toScopeRows), ...added.flatMap(toMarkRows)])
  if (tell) yield* addEvents(dialect, tables, added)
  yield* addToRollUps(
    dialect,
    tables,
    added.map((entry) => ({ entry: withKeys(entry), sums: sumsOf(entry) })),
  )
}

/** Last, as the locks on shared rows are held from here to the end. */
function* addToRollUps(dialect: Dialect, tables: Tables, changes: readonly Change[]): Work<void> {
  const { callerDays, days, hours, modelHours } = toRollUpRows(rollUp(changes, periodsOf))
  yield* addRows(dialect, tables.callerDays, callerDays)
  yield* addRows(dialect, tables.days, days)
  yield* addRows(dialect, tables.hours, hours)
  yield* addRows(dialect, tables.modelHours, modelHours)
}

interface Window extends WindowParts {
  readonly kind: string
  readonly scope: string
}

/** Whole hours from their roll-ups, less the rows that are outside; one statement, so one state of the data. */
function totalOf(dialect: Dialect, { hours, ledgerScopes }: Tables, window: Window): Statement {
  const sum = `${moneyText(dialect, 'w.charged', true)} AS charged`
  const ofHours = `SELECT 1 AS sign, ${sum} FROM ${hours.name} w ${within('hour_ms')}`
  const ofRows = `SELECT -1 AS sign, ${sum} FROM ${ledgerScopes.name} w ${within('at_ms')}`
  return unionOf(window, [ofHours], ofRows)
}

/**
 * The same by models, and what the hours themselves come to (`sign` 0), which those of models must add up to. `models`
 * has ids, of rows as scopes among others.
 */
function totalsByModels(dialect: Dialect, tables: Tables, window: Window): Statement {
  const sum = `${moneyText(dialect, 'w.charged', true)} AS charged`
  const whole = `SELECT 0 AS sign, '[]' AS models, ${sum} FROM ${tables.hours.name} w ${within('hour_ms')}`
  const ofHours = `SELECT 1 AS sign, w.models_json AS models, ${sum} FROM ${tables.modelHours.name} w ${within('hour_ms')} GROUP BY w.models_json`
  const ofRows = `SELECT -1 AS sign, l.scopes_json AS models, ${sum} FROM ${tables.ledgerScopes.name} w JOIN ${tables.ledger.name} l ON l.id = w.entry_id ${within('at_ms')} GROUP BY l.scopes_json`
  return unionOf(window, [whole, ofHours], ofRows)
}

function within(time: string): string {
  return `WHERE w.kind = ? AND w.scope = ? AND w.${time} >= ? AND w.${time} < ?`
}

function unionOf({ kind, scope, hours, outside }: Window, ofHours: readonly string[], ofRows: string): Statement {
  const parts = [...ofHours.map((sql) => ({ sql, ...hours })), ...outside.map((part) => ({ sql: ofRows, ...part }))]
  return {
    sql: parts.map(({ sql }) => sql).join(' UNION ALL '),
    values: parts.flatMap(({ from, until }) => [kind, scope, from, until]),
  }
}

function signedSum(rows: readonly SqlRow[]): bigint {
  return rows.reduce((sum, { sign, charged }) => sum + BigInt(Number(sign)) * fromMoney(charged), 0n)
}

/** False where the models of whole hours are not all that the hours come to. */
function addsUp(rows: readonly SqlRow[]): boolean {
  const sumOf = (wanted: number): bigint =>
    rows.reduce((sum, { sign, charged }) => (Number(sign) === wanted ? sum + fromMoney(charged) : sum), 0n)
  return sumOf(0) === sumOf(1)
}

/** A fallback's entries count for both models: the one that was asked for, and the one that answered. */
function isOfModel({ models }: SqlRow, model: string): boolean {
  const pattern = model.endsWith('*') ? model : toKey(model)
  const told = parseJson(String(models))
  const ids = Array.isArray(told) ? told : []
  return ids.some((one: unknown) => {
    if (isObject(one)) return one['kind'] === 'model' && isModelMatch(pattern, toKey(String(one['id'])))
    return isModelMatch(pattern, String(one))
  })
}

function ledgerColumns(dialect: Dialect, { ledger }: Tables): string {
  return ledger.columns
    .map(({ name, type }) =>
      type === 'money' ? `${moneyText(dialect, `l.${name}`)} AS ${name}` : `l.${name} AS ${name}`,
    )
    .join(', ')
}

function find(dialect: Dialect, tables: Tables, query: LedgerQuery): Statement {
  const size = pageSize(query.limit)
  const scope = query.scope ? { kind: query.scope.kind, scope: toKey(query.scope.id) } : rareMarkOf(query)
  // The scopes' own columns order and narrow, so that the database walks their index and nothing else.
  const [time, id] = scope ? ['s.at_ms', 's.entry_id'] : ['l.at_ms', 'l.id']
  const conditions: (readonly [string, ...SqlValue[]])[] = []
  if (scope) conditions.push(['s.kind = ? AND s.scope = ?', scope.kind, scope.scope])
  if (query.callId !== undefined) conditions.push(['l.call_id = ?', toKey(query.callId)])
  if (query.modelName !== undefined) conditions.push(['l.model_name = ?', toKey(query.modelName)])
  if (query.from !== undefined) conditions.push([`${time} >= ?`, Math.ceil(query.from)])
  if (query.until !== undefined) conditions.push([`${time} < ?`, Math.ceil(query.until)])
  if (query.failed !== undefined) conditions.push([`l.failure IS ${query.failed ? 'NOT ' : ''}NULL`])
  if (query.priced !== undefined) conditions.push(['l.priced = ?', Number(query.priced)])
  if (query.after !== undefined) {
    const { at, id: last } = fromCursor(query.after)
    conditions.push([`${time} <= ? AND (${time} < ? OR ${id} < ?)`, at, at, toText(last)])
  }
  const from = scope
    ? `${tables.ledgerScopes.name} s JOIN ${tables.ledger.name} l ON l.id = s.entry_id`
    : `${tables.ledger.name} l`
  const where = conditions.map(([condition]) => condition).join(' AND ') || '1 = 1'
  const sql = `SELECT ${ledgerColumns(dialect, tables)} FROM ${from} WHERE ${where} ORDER BY ${time} DESC, ${id} DESC LIMIT ${size + 1}`
  return { sql, values: conditions.flatMap(([, ...values]) => values) }
}

function rareMarkOf({ failed, priced, callId }: LedgerQuery): (typeof marks)[keyof typeof marks] | undefined {
  if (callId !== undefined) return undefined
  if (priced === false) return marks.unpriced
  return failed === true ? marks.failed : undefined
}

function toPage(rows: readonly SqlRow[], size: number): LedgerPage {
  const entries = rows.slice(0, size).map(fromLedgerRow)
  const last = rows.length > size ? entries.at(-1) : undefined
  return { entries, next: last && toCursor(last) }
}

const callerColumns: Readonly<Partial<Record<SpendGroup, string>>> = {
  organization: 'organization_id',
  team: 'team_id',
  user: 'user_id',
  key: 'key_id',
}
const countColumns = ['calls', 'failures', 'input_tokens', 'output_tokens', 'cache_read_tokens']

interface ReportQuestion {
  readonly query: SpendQuery
  readonly ranges: readonly PeriodRange[]
}

function report(dialect: Dialect, { days, callerDays }: Tables, { query, ranges }: ReportQuestion): Statement {
  const plan = planReport(query)
  const columnOf = (group: SpendGroup): string => {
    if (group === 'day' || group === 'model' || group === 'provider') return group
    return plan.from === 'days' ? 'scope' : (callerColumns[group] ?? group)
  }
  const by = plan.by.map(columnOf)
  const conditions: (readonly [string, ...SqlValue[]])[] = [
    [`(${ranges.map(() => 'day >= ? AND day <= ?').join(' OR ')})`, ...ranges.flat()],
  ]
  if (plan.from === 'days') conditions.push(['kind = ?', plan.kind])
  else for (const column of by) if (column.endsWith('_id')) conditions.push([`${column} <> ?`, ''])
  for (const [group, id] of plan.where) conditions.push([`${columnOf(group)} = ?`, group === 'day' ? id : toKey(id)])
  const selected = [
    ...by.map((column, index) => `${column} AS group_${index}`),
    ...['charged', 'cost'].map((name) => `${moneyText(dialect, name, true)} AS ${name}`),
    ...countColumns.map((name) => `SUM(${name}) AS ${name}`),
  ]
  const where = conditions.map(([condition]) => condition).join(' AND ')
  const groupBy = by.length === 0 ? 'HAVING COUNT(*) > 0' : `GROUP BY ${by.join(', ')}`
  const table = plan.from === 'days' ? days : callerDays
  return {
    sql: `SELECT ${selected.join(', ')} FROM ${table.name} WHERE ${where} ${groupBy}`,
    values: conditions.flatMap(([, ...values]) => values),
  }
}

/** Weeks where nothing asks for days, and they are what their days add up to. */
async function rangesOf(
  database: SqlDatabase,
  tables: Tables,
  { by, fromDay, untilDay }: SpendQuery,
): Promise<readonly PeriodRange[]> {
  const range = { fromDay: toText(fromDay), untilDay: toText(untilDay) }
  if (by.includes('day')) return [[range.fromDay, range.untilDay]]
  const question = weeksQuestion(database.dialect, tables, range)
  return periodRanges(range, question && lackingWeeks((await database.query(question)).rows))
}

function toSpendRow(row: SqlRow, by: readonly SpendGroup[]): SpendRow {
  return {
    group: by.map((_, index) => String(row[`group_${index}`])),
    charged: fromMoney(row['charged']),
    cost: fromMoney(row['cost']),
    calls: Number(row['calls']),
    failures: Number(row['failures']),
    inputTokens: Number(row['input_tokens']),
    outputTokens: Number(row['output_tokens']),
    cacheReadTokens: Number(row['cache_read_tokens']),
  }
}

function* reprice(dialect: Dialect, tables: Tables, prices: ReadonlyMap<string, RepricedEntry>): Work<number> {
  const ids = JSON.stringify([...prices.keys()].map((id) => ({ id })))
  const from = `${dialect.rows(keyColumns(tables.ledger))} JOIN ${tables.ledger.name} l ON l.id = r.id`
  const { rows } = yield* ask(
    `SELECT ${ledgerColumns(dialect, tables)} FROM ${from} ORDER BY l.id${dialect.forUpdate('l')}`,
    ids,
  )
  const before = rows.map(fromLedgerRow)
  const after = before.map((entry) => {
    const price = prices.get(entry.id)
    return price ? withPrice(entry, price) : entry
  })
  yield* updateRows(dialect, tables.ledger, {
    set: ['cost', 'charged', 'priced', 'price_json', 'scopes_json'],
    rows: after.map(toLedgerRow),
  })
  yield* deleteRows(dialect, tables.ledgerScopes, before.flatMap(toMarkRows))
  yield* insertRows(dialect, tables.ledgerScopes, after.flatMap(toMarkRows))
  yield* updateRows(dialect, tables.ledgerScopes, { set: ['charged'], rows: after.flatMap(toScopeRows) })
  const changes = before.flatMap((entry, index) => {
    const price = after[index]
    return price ? [priceChange(withKeys(entry), withKeys(price))] : []
  })
  const events = before.flatMap((entry, index) => {
    const [price, priced] = [prices.get(entry.id), after[index]]
    return (price?.tellAs === undefined || !priced ? undefined : correctionOf(entry, priced, price.tellAs)) ?? []
  })
  yield* addEvents(dialect, tables, events)
  yield* addToRollUps(dialect, tables, changes)
  return before.length
}

/** Kept with what they tell of, or neither; one whose row was pruned and came again may be there still. */
function* addEvents(dialect: Dialect, { usageEvents }: Tables, events: readonly UsageEvent[]): Work<void> {
  if (events.length === 0) return
  const rows = events.map((event) => ({ id: toKey(event.id), due_ms: 0, event_json: toLine(event) }))
  yield* dialect.insertNew(usageEvents, rows)
}

function* takeEvents(dialect: Dialect, { usageEvents }: Tables, { limit, now, until }: EventClaim): Work<UsageEvent[]> {
  const { rows } = yield* ask(
    `SELECT e.id AS id, e.event_json AS event_json FROM ${usageEvents.name} e WHERE e.due_ms <= ? ORDER BY e.due_ms, e.id LIMIT ${pageSize(limit)}${dialect.forUpdate('e', true)}`,
    Math.trunc(now),
  )
  const taken = rows.map(({ id }) => ({ id, due_ms: Math.trunc(until) }))
  yield* updateRows(dialect, usageEvents, { set: ['due_ms'], rows: taken })
  // What a later version wrote is left to its processes.
  return rows.flatMap((row) => fromLine(String(row['event_json'])) ?? [])
}

function* prune(dialect: Dialect, tables: Tables, before: number): Work<number> {
  const oldest = `FROM ${tables.ledger.name} l WHERE l.at_ms < ? ORDER BY l.at_ms, l.id LIMIT ${rowsAtOnce}`
  const { rows } = yield* ask(`SELECT ${ledgerColumns(dialect, tables)} ${oldest}${dialect.forUpdate('l')}`, before)
  const entries = rows.map(fromLedgerRow)
  yield* deleteRows(dialect, tables.ledgerScopes, [...entries.flatMap(toScopeRows), ...entries.flatMap(toMarkRows)])
  yield* deleteRows(dialect, tables.ledger, entries.map(toLedgerRow))
  return entries.length
}
