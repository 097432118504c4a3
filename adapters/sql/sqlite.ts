import {
  type SqlDatabase,
  type SqlResult,
  type SqlRow,
  type Statement,
  type Work,
  ask,
  retrying,
  runSync,
} from './database.js'
import { type Dialect, type Table, insertSql, keyColumns, memberOf, storedColumns, toJsonRows } from './dialect.js'

/** What is used of a prepared statement; `reader` is better-sqlite3's: it gives rows. */
export interface SqliteStatement {
  readonly reader?: boolean
  all(...values: unknown[]): unknown[]
  run(...values: unknown[]): { readonly changes: number | bigint }
}

/** What is used of a `Database` of better-sqlite3 or a `DatabaseSync` of node:sqlite. */
export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement
  exec(sql: string): unknown
}

const maxStatements = 500

/**
 * Uses the host's open SQLite database, 3.38 or later; never opens or closes one. Its statements block the process
 * while they run: meant for one machine with moderate traffic, with `PRAGMA journal_mode = WAL` set by the host.
 */
export function sqlite(database: SqliteDatabase): SqlDatabase {
  const statements = new Map<string, SqliteStatement>()

  function prepared(sql: string): SqliteStatement {
    const known = statements.get(sql)
    if (known) return known
    if (statements.size === maxStatements) statements.clear()
    const statement = database.prepare(sql)
    statements.set(sql, statement)
    return statement
  }

  function query({ sql, values }: Statement): SqlResult {
    const statement = prepared(sql)
    if (statement.reader ?? /^SELECT|RETURNING/.test(sql))
      return { rows: statement.all(...values).filter(isRow), changes: 0 }
    return { rows: [], changes: Number(statement.run(...values).changes) }
  }

  function transact<T>(work: Work<T>): T {
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = runSync(work, query)
      database.exec('COMMIT')
      return result
    } catch (error) {
      rollBack(database)
      throw error
    }
  }

  return {
    dialect: sqliteDialect,
    query: (statement) => retrying(sqliteDialect, async () => query(statement)),
    // Its transactions begin with the only lock there is.
    transact: (work) => retrying(sqliteDialect, async () => transact(work())),
  }
}

/** Some errors end the transaction by themselves. */
function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // There is none any more.
  }
}

function isRow(row: unknown): row is SqlRow {
  return typeof row === 'object' && row !== null
}

// Result codes of https://sqlite.org/rescode.html; better-sqlite3 gives their names, node:sqlite the numbers.
const busy: ReadonlySet<unknown> = new Set([5, 6])
const outOfOrder: ReadonlySet<unknown> = new Set([7, 8, 10, 13, 14])
const duplicates: ReadonlySet<unknown> = new Set([1555, 2067])

const sqliteDialect: Dialect = {
  name: 'sqlite',
  types: {
    word: 'TEXT',
    key: 'TEXT',
    text: 'TEXT',
    integer: 'INTEGER',
    number: 'REAL',
    flag: 'INTEGER',
    money: 'INTEGER',
  },
  tableOptions: ' WITHOUT ROWID',
  forUpdate: () => '',
  entriesAtOnce: 50,
  splitsMoney: true,
  rows(columns) {
    const selected = columns.map(({ name }) => `json_extract(value, '$.${name}') AS ${name}`)
    return `(SELECT ${selected.join(', ')} FROM json_each(?)) AS r`
  },
  onConflict: (key) => `ON CONFLICT (${key.join(', ')}) DO UPDATE SET`,
  incoming: (column) => `excluded.${column}`,
  updateSql(table, set) {
    const changes = set.map((name) => `${name} = r.${name}`)
    const same = table.key.map((name) => `${table.name}.${name} = r.${name}`)
    const rows = sqliteDialect.rows(storedColumns(sqliteDialect, table.columns))
    return `UPDATE ${table.name} SET ${changes.join(', ')} FROM ${rows} WHERE ${same.join(' AND ')}`
  },
  deleteSql(table) {
    const key = table.key.map((name) => `r.${name}`)
    const rows = sqliteDialect.rows(keyColumns(table))
    return `DELETE FROM ${table.name} WHERE (${table.key.join(', ')}) IN (SELECT ${key.join(', ')} FROM ${rows})`
  },
  insertNew,
  weekOf: (column) => `strftime('week %Y-%m-%d', ${column}, '-6 days', 'weekday 1')`,
  insertLists: 'INSERT',
  // In the order of the table's key; an ORDER BY within is known since 3.44 only.
  jsonList: (column) => `json_group_array(${column})`,
  shortKey: (text) => text,
  isContention(error) {
    const [code, number] = [memberOf(error, 'code'), memberOf(error, 'errcode')]
    return /^SQLITE_(BUSY|LOCKED)/.test(String(code)) || busy.has(Number(number) & 255)
  },
  isOutOfOrder(error) {
    const [code, number] = [memberOf(error, 'code'), memberOf(error, 'errcode')]
    return /^SQLITE_(FULL|IOERR|READONLY|NOMEM|CANTOPEN)/.test(String(code)) || outOfOrder.has(Number(number) & 255)
  },
  isDuplicate(error) {
    const [code, number] = [memberOf(error, 'code'), memberOf(error, 'errcode')]
    return /^SQLITE_CONSTRAINT_(PRIMARYKEY|UNIQUE)$/.test(String(code)) || duplicates.has(number)
  },
}

function* insertNew(table: Table, rows: readonly SqlRow[]): Work<ReadonlySet<string>> {
  const sql = `${insertSql(sqliteDialect, table)} ON CONFLICT (id) DO NOTHING RETURNING id`
  const inserted = yield* ask(sql, toJsonRows(sqliteDialect, rows))
  return new Set(inserted.rows.map((row) => String(row['id'])))
}
