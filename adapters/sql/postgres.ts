import {
  type SqlDatabase,
  type SqlResult,
  type SqlRow,
  type Statement,
  type Work,
  ask,
  retrying,
  runAsync,
} from './database.js'
import { type Column, type Dialect, type Table, insertSql, keyColumns, memberOf, toJsonRows } from './dialect.js'
import { maxKeyBytes } from './text.js'

interface PostgresQuery {
  readonly text: string
  readonly values: unknown[]
  /** Raw text for every column, whatever parsers the host has set for the driver as a whole. */
  readonly types: { getTypeParser(): (value: string | null) => string | null }
}

interface PostgresQueryable {
  query(query: PostgresQuery): Promise<{ readonly rows: SqlRow[]; readonly rowCount: number | null }>
}

/** What is used of a client of `pg`. */
export interface PostgresClient extends PostgresQueryable {
  release(broken?: boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
}

/** What is used of a `Pool` of `pg`. */
export interface PostgresPool extends PostgresQueryable {
  connect(): Promise<PostgresClient>
}

/** Uses the host's pool of `pg`; never opens or ends one. Works behind PgBouncer in any pooling mode. */
export function postgres(pool: PostgresPool): SqlDatabase {
  return {
    dialect: postgresDialect,
    query: (statement) => query(pool, statement),
    transact: (work, lock) => retrying(postgresDialect, () => transact(pool, work(), lock)),
  }
}

async function query(on: PostgresQueryable, { sql, values }: Statement): Promise<SqlResult> {
  let place = 0
  const text = sql.replaceAll('?', () => `$${(place += 1)}`)
  const result = await on.query({ text, values: [...values], types: { getTypeParser: () => (value) => value } })
  return { rows: result.rows, changes: result.rowCount ?? 0 }
}

async function transact<T>(pool: PostgresPool, work: Work<T>, lock: string | undefined): Promise<T> {
  const client = await pool.connect()
  // A connection that breaks while it is lent raises an event that would end the process if nobody listened.
  client.on('error', ignore)
  let broken = true
  try {
    // Counters rely on it: what is read after a lock was waited for must be what the lock's owner left.
    await client.query(statement('BEGIN ISOLATION LEVEL READ COMMITTED'))
    // Given back by the end of the transaction, whichever it is.
    if (lock !== undefined) await query(client, { sql: 'SELECT pg_advisory_xact_lock(hashtext(?))', values: [lock] })
    const result = await runAsync(work, (next) => query(client, next))
    await client.query(statement('COMMIT'))
    broken = false
    return result
  } catch (error) {
    broken = await client.query(statement('ROLLBACK')).then(
      () => false,
      () => true,
    )
    throw error
  } finally {
    client.removeListener('error', ignore)
    client.release(broken)
  }
}

function statement(text: string): PostgresQuery {
  return { text, values: [], types: { getTypeParser: () => (value) => value } }
}

function ignore(): void {}

// Deadlock, serialization failure, lock timeout.
const contention: ReadonlySet<unknown> = new Set(['40P01', '40001', '55P03'])

// Of https://www.postgresql.org/docs/current/errcodes-appendix.html: connection, read-only transaction, resources, a server
// that ends, system errors. A statement that took too long is none of them: half of its rows may be taken.
const outOfOrder = /^(?:08|25|53|57P|58)/

const postgresDialect: Dialect = {
  name: 'postgres',
  types: {
    word: 'VARCHAR(20) COLLATE "C"',
    key: 'VARCHAR(230) COLLATE "C"',
    text: 'TEXT',
    integer: 'BIGINT',
    number: 'DOUBLE PRECISION',
    flag: 'SMALLINT',
    money: 'NUMERIC(38, 0)',
  },
  tableOptions: '',
  forUpdate: (alias, free = false) => ` FOR UPDATE OF ${alias}${free ? ' SKIP LOCKED' : ''}`,
  entriesAtOnce: 1_000,
  splitsMoney: false,
  rows(columns) {
    const declared = columns.map(({ name, type }) => `${name} ${recordTypes[type]}`)
    return `json_to_recordset(?) AS r(${declared.join(', ')})`
  },
  onConflict: (key) => `ON CONFLICT (${key.join(', ')}) DO UPDATE SET`,
  incoming: (column) => `excluded.${column}`,
  updateSql(table, set) {
    const changes = set.map((name) => `${name} = r.${name}`)
    const same = table.key.map((name) => `${table.name}.${name} = r.${name}`)
    return `UPDATE ${table.name} SET ${changes.join(', ')} FROM ${postgresDialect.rows(table.columns)} WHERE ${same.join(' AND ')}`
  },
  deleteSql(table) {
    const same = table.key.map((name) => `${table.name}.${name} = r.${name}`)
    return `DELETE FROM ${table.name} USING ${postgresDialect.rows(keyColumns(table))} WHERE ${same.join(' AND ')}`
  },
  insertNew,
  weekOf: (column) => `to_char(date_trunc('week', ${column}::date), '"week "YYYY-MM-DD')`,
  insertLists: 'INSERT',
  jsonList: (column) => `'[' || string_agg(to_json(${column})::text, ',' ORDER BY ${column}) || ']'`,
  shortKey: (text) => `CASE WHEN octet_length(${text}) <= ${maxKeyBytes} THEN ${text} ELSE md5(${text}) END`,
  isContention: (error) => contention.has(memberOf(error, 'code')),
  isOutOfOrder: (error) => outOfOrder.test(String(memberOf(error, 'code'))),
  isDuplicate: (error) => memberOf(error, 'code') === '23505',
}

const recordTypes: Readonly<Record<Column['type'], string>> = {
  word: 'text',
  key: 'text',
  text: 'text',
  integer: 'bigint',
  number: 'double precision',
  flag: 'smallint',
  money: 'numeric',
}

function* insertNew(table: Table, rows: readonly SqlRow[]): Work<ReadonlySet<string>> {
  const sql = `${insertSql(postgresDialect, table)} ON CONFLICT (id) DO NOTHING RETURNING id`
  const inserted = yield* ask(sql, toJsonRows(postgresDialect, rows))
  return new Set(inserted.rows.map((row) => String(row['id'])))
}
