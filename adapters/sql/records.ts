import {
  type NewRecord,
  type RecordIndex,
  type RecordPage,
  type RecordQuery,
  type RecordStore,
  type StoredRecord,
  type WriteResult,
  fromCursor,
  isObject,
  pageSize,
  parseJson,
  toCursor,
} from '../../src/index.js'
import { type SqlDatabase, type SqlRow, type SqlValue, type Statement, type Work, ask } from './database.js'
import { type Dialect, type Table, deleteRows } from './dialect.js'
import type { Tables } from './schema.js'
import { toExactKey, toKey, toText } from './text.js'

/** Rows that one transaction of `prune` deletes: each stays short. */
const rowsAtOnce = 1_000

const indexColumns = {
  user: 'user_id',
  team: 'team_id',
  organization: 'organization_id',
  alias: 'alias',
} as const satisfies Record<keyof RecordIndex, string>

const indexNames = ['user', 'team', 'organization', 'alias'] as const
const columns = 'id, version, created_at, updated_at, user_id, team_id, organization_id, alias, data_json'

/** Keeps records in the host's database; ids, aliases and owners have at most 230 bytes. */
export function sqlRecords(database: SqlDatabase, { records }: Tables, now: () => number): RecordStore {
  const table = records.name

  async function get(kind: string, id: string): Promise<StoredRecord | undefined> {
    const sql = `SELECT ${columns} FROM ${table} WHERE kind = ? AND id = ?`
    const { rows } = await database.query({ sql, values: [kind, toKey(id)] })
    return rows[0] && fromRow(rows[0])
  }

  async function writing(
    write: () => Promise<WriteResult>,
    conflict: () => Promise<'id' | 'alias'>,
  ): Promise<WriteResult> {
    try {
      return await write()
    } catch (error) {
      if (!database.dialect.isDuplicate(error)) throw error
      return { conflict: await conflict() }
    }
  }

  return {
    get,
    async find(kind, query) {
      const { rows } = await database.query(find(table, kind, query))
      return toPage(rows, pageSize(query.limit))
    },
    async insert(kind, record, { uniqueAlias = false } = {}) {
      const at = now()
      const row: Readonly<Record<string, SqlValue>> = {
        kind,
        version: 1,
        created_at: at,
        updated_at: at,
        alias_is_unique: Number(uniqueAlias),
        unique_alias: uniqueAlias ? (record.index?.alias ?? null) : null,
        ...toColumns(record),
      }
      const places = Object.keys(row).map(() => '?')
      const sql = `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${places.join(', ')})`
      return writing(
        async () => {
          await database.query({ sql, values: Object.values(row) })
          return { record: toStored(record, { version: 1, createdAt: at, updatedAt: at }) }
        },
        async () => ((await get(kind, record.id)) ? 'id' : 'alias'),
      )
    },
    update: (kind, record, version) =>
      writing(
        () => database.transact(() => update(table, kind, { record, version, at: now() })),
        async () => 'alias',
      ),
    async delete(kind, id) {
      const sql = `DELETE FROM ${table} WHERE kind = ? AND id = ?`
      return (await database.query({ sql, values: [kind, toKey(id)] })).changes > 0
    },
    async prune(kind, before) {
      for (let pruned = 0, last = rowsAtOnce; ; pruned += last) {
        if (last < rowsAtOnce) return pruned
        last = await database.transact(() => prune(database.dialect, records, { kind, before }))
      }
    },
  }
}

interface Old {
  readonly kind: string
  readonly before: number
}

function* prune(dialect: Dialect, records: Table, { kind, before }: Old): Work<number> {
  const oldest = `FROM ${records.name} WHERE kind = ? AND created_at < ? ORDER BY created_at, id LIMIT ${rowsAtOnce}`
  const { rows } = yield* ask(`SELECT kind, id ${oldest}`, kind, Math.ceil(before))
  yield* deleteRows(dialect, records, rows)
  return rows.length
}

interface Replacement {
  readonly record: NewRecord
  readonly version: number
  readonly at: number
}

function* update(table: string, kind: string, { record, version, at }: Replacement): Work<WriteResult> {
  const { id, ...row } = toColumns(record)
  const set = Object.keys(row).map((name) => `${name} = ?`)
  const { changes } = yield* ask(
    `UPDATE ${table} SET ${set.join(', ')}, unique_alias = CASE WHEN alias_is_unique = 1 THEN ? ELSE NULL END, version = version + 1, updated_at = ? WHERE kind = ? AND id = ? AND version = ?`,
    ...Object.values(row),
    row['alias'] ?? null,
    at,
    kind,
    id ?? null,
    version,
  )
  const { rows } = yield* ask(`SELECT ${columns} FROM ${table} WHERE kind = ? AND id = ?`, kind, id ?? null)
  if (!rows[0]) return { conflict: 'gone' }
  return changes === 0 ? { conflict: 'version' } : { record: fromRow(rows[0]) }
}

function find(table: string, kind: string, { index = {}, limit, after }: RecordQuery): Statement {
  const conditions: (readonly [string, ...SqlValue[]])[] = [['kind = ?', kind]]
  for (const name of indexNames) {
    const value = index[name]
    if (value !== undefined) conditions.push([`${indexColumns[name]} = ?`, toKey(value)])
  }
  if (after !== undefined) {
    const { at, id } = fromCursor(after)
    conditions.push(['created_at <= ? AND (created_at < ? OR id < ?)', at, at, toText(id)])
  }
  const where = conditions.map(([condition]) => condition).join(' AND ')
  return {
    sql: `SELECT ${columns} FROM ${table} WHERE ${where} ORDER BY created_at DESC, id DESC LIMIT ${pageSize(limit) + 1}`,
    values: conditions.flatMap(([, ...values]) => values),
  }
}

function toColumns({ id, index = {}, data }: NewRecord): Readonly<Record<string, SqlValue>> {
  const named = indexNames.map((name) => {
    const value = index[name]
    return [indexColumns[name], value === undefined ? null : toExactKey(value, name)] as const
  })
  return { id: toExactKey(id, 'id'), ...Object.fromEntries(named), data_json: JSON.stringify(data) }
}

/** As it would be read: without undefined members. */
function toStored(
  { id, index = {}, data }: NewRecord,
  times: Pick<StoredRecord, 'version' | 'createdAt' | 'updatedAt'>,
): StoredRecord {
  const kept = parseJson(JSON.stringify({ index, data }))
  return { id, ...times, index: {}, data: {}, ...(isObject(kept) ? kept : {}) }
}

function fromRow(row: SqlRow): StoredRecord {
  const data = parseJson(String(row['data_json']))
  const index = indexNames.flatMap((name) => {
    const value = row[indexColumns[name]]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  return {
    id: String(row['id']),
    version: Number(row['version']),
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
    index: Object.fromEntries(index),
    data: isObject(data) ? data : {},
  }
}

function toPage(rows: readonly SqlRow[], size: number): RecordPage {
  const records = rows.slice(0, size).map(fromRow)
  const last = rows.length > size ? records.at(-1) : undefined
  return { records, next: last && toCursor({ at: last.createdAt, id: last.id }) }
}
