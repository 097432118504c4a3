import {
  type CallPage,
  type CallQuery,
  type CallRecord,
  type CallStore,
  fromCursor,
  isObject,
  marksOf,
  marksWanted,
  pageSize,
  parseJson,
  toCursor,
} from '../../src/index.js'
import { type SqlDatabase, type SqlRow, type SqlValue, type Statement, type Work, ask } from './database.js'
import { type Dialect, deleteRows, insertRows } from './dialect.js'
import type { Tables } from './schema.js'
import { toKey, toText } from './text.js'

/** Rows that one transaction of `prune` deletes: each stays short. */
const rowsAtOnce = 1_000

/** Keeps the call log in the host's database; whatever a call is found by is a row of its own, ordered by time. */
export function sqlCalls(database: SqlDatabase, tables: Tables): CallStore {
  const { dialect } = database
  return {
    async append(records) {
      // The first of those that have an id in common; in the order of ids, or writers could lock each other out.
      const byId = new Map(records.toReversed().map((record) => [toKey(record.id), record]))
      const sorted = [...byId].toSorted(([a], [b]) => (a < b ? -1 : 1))
      if (sorted.length > 0) await database.transact(() => append(dialect, tables, sorted))
    },
    async query(query) {
      const { rows } = await database.query(find(tables, query))
      return toPage(rows, pageSize(query.limit))
    },
    async get(id) {
      const sql = `SELECT record_json, bodies_json FROM ${tables.calls.name} WHERE id = ?`
      const { rows } = await database.query({ sql, values: [toKey(id)] })
      return rows[0] && fromRow(rows[0])
    },
    async prune(before) {
      for (let pruned = 0, last = rowsAtOnce; ; pruned += last) {
        if (last < rowsAtOnce) return pruned
        last = await database.transact(() => prune(dialect, tables, before))
      }
    },
  }
}

function* append(
  dialect: Dialect,
  { calls, callMarks }: Tables,
  sorted: readonly (readonly [string, CallRecord])[],
): Work<void> {
  const inserted = yield* dialect.insertNew(
    calls,
    sorted.map(([, record]) => toRow(record)),
  )
  const added = sorted.filter(([id]) => inserted.has(id))
  yield* insertRows(
    dialect,
    callMarks,
    added.flatMap(([, record]) => toMarkRows(record)),
  )
}

function toRow(record: CallRecord): SqlRow {
  const { request, response, ...rest } = record
  const bodies = request === undefined && response === undefined ? null : JSON.stringify({ request, response })
  return {
    id: toKey(record.id),
    call_id: toKey(record.callId),
    outcome: record.outcome,
    ended_ms: Math.trunc(record.endedAt),
    failed: Number(record.status === 'failure'),
    record_json: JSON.stringify(rest),
    bodies_json: bodies,
  }
}

function toMarkRows(record: CallRecord): readonly SqlRow[] {
  const place = { ended_ms: Math.trunc(record.endedAt), record_id: toKey(record.id) }
  return marksOf(record).map(({ kind, value }) => ({ kind, mark: toKey(value), ...place }))
}

/** Walks the index of the rarest mark, or of time, from where the page before ended; further marks are looked up there. */
function find({ calls, callMarks }: Tables, query: CallQuery): Statement {
  const { callId, status, outcome, from, until, after } = query
  const size = pageSize(query.limit)
  const [first, ...others] = callId === undefined ? marksWanted(query) : []
  const [time, id] = first ? ['m.ended_ms', 'm.record_id'] : ['c.ended_ms', 'c.id']
  const conditions: (readonly [string, ...SqlValue[]])[] = []
  if (first) conditions.push(['m.kind = ? AND m.mark = ?', first.kind, toKey(first.value)])
  if (callId !== undefined) conditions.push(['c.call_id = ?', toKey(callId)])
  for (const { kind, value } of callId === undefined ? others : marksWanted(query)) {
    const same = `o.kind = ? AND o.mark = ? AND o.ended_ms = ${time} AND o.record_id = ${id}`
    conditions.push([`EXISTS (SELECT 1 FROM ${callMarks.name} o WHERE ${same})`, kind, toKey(value)])
  }
  if (status !== undefined) conditions.push(['c.failed = ?', Number(status === 'failure')])
  if (outcome !== undefined) conditions.push(['c.outcome = ?', outcome])
  if (from !== undefined) conditions.push([`${time} >= ?`, Math.ceil(from)])
  if (until !== undefined) conditions.push([`${time} < ?`, Math.ceil(until)])
  if (after !== undefined) {
    const { at, id: last } = fromCursor(after)
    conditions.push([`${time} <= ? AND (${time} < ? OR ${id} < ?)`, at, at, toText(last)])
  }
  const source = first ? `${callMarks.name} m JOIN ${calls.name} c ON c.id = m.record_id` : `${calls.name} c`
  const where = conditions.map(([condition]) => condition).join(' AND ') || '1 = 1'
  return {
    sql: `SELECT c.id AS id, c.ended_ms AS ended_ms, c.record_json AS record_json FROM ${source} WHERE ${where} ORDER BY ${time} DESC, ${id} DESC LIMIT ${size + 1}`,
    values: conditions.flatMap(([, ...values]) => values),
  }
}

function toPage(rows: readonly SqlRow[], size: number): CallPage {
  const last = rows.length > size ? rows[size - 1] : undefined
  return {
    records: rows.slice(0, size).map(fromRow),
    next: last && toCursor({ at: Number(last['ended_ms']), id: String(last['id']) }),
  }
}

/** What JSON leaves out. */
const unset = {
  trace: undefined,
  sessionId: undefined,
  error: undefined,
  modelName: undefined,
  deployment: undefined,
  provider: undefined,
  model: undefined,
  endUser: undefined,
  metadata: undefined,
  firstTokenAt: undefined,
}
const unsetOfAttempt = { firstTokenAt: undefined, error: undefined, cost: undefined }

/** What this adapter wrote itself as a record. */
function fromRow(row: SqlRow): CallRecord {
  const written = parseJson(String(row['record_json'])) as CallRecord
  const bodies = typeof row['bodies_json'] === 'string' ? parseJson(row['bodies_json']) : undefined
  const attempts = written.attempts.map((attempt) => ({ ...unsetOfAttempt, ...attempt }))
  return { ...unset, ...written, attempts, ...(isObject(bodies) && bodies) }
}

function* prune(dialect: Dialect, { calls, callMarks }: Tables, before: number): Work<number> {
  const oldest = `FROM ${calls.name} c WHERE c.ended_ms < ? ORDER BY c.ended_ms, c.id LIMIT ${rowsAtOnce}`
  const { rows } = yield* ask(`SELECT c.id AS id, c.record_json AS record_json ${oldest}`, Math.ceil(before))
  yield* deleteRows(
    dialect,
    callMarks,
    rows.flatMap((row) => toMarkRows(fromRow(row))),
  )
  yield* deleteRows(dialect, calls, rows)
  return rows.length
}
