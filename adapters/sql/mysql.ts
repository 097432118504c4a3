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
import { type Dialect, type Table, insertSql, keyColumns, memberOf, toJsonRows } from './dialect.js'
import { maxKeyBytes } from './text.js'

/** Prepared on the server: text that is put together here could be read otherwise there, depending on `sql_mode`. */
interface MysqlQueryable {
  execute(
    options: { readonly sql: string; readonly rowsAsArray: false },
    values: SqlValues,
  ): Promise<[unknown, unknown]>
}

type SqlValues = (string | number | null)[]

/** What is used of a connection of `mysql2/promise`. */
export interface MysqlConnection extends MysqlQueryable {
  query(sql: string): Promise<unknown>
  release(): void
  destroy(): void
}

/** What is used of a pool of `mysql2/promise`. */
export interface MysqlPool extends MysqlQueryable {
  getConnection(): Promise<MysqlConnection>
}

/** A pool of `mysql2` itself, which gives the one with promises. */
export interface MysqlCallbackPool {
  promise(): MysqlPool
}

/**
 * Uses the host's pool of `mysql2` for MySQL 8 or MariaDB 10.6 and later; never opens or ends one. The connections'
 * charset must be utf8mb4, as it is by default.
 */
export function mysql(pool: MysqlPool | MysqlCallbackPool): SqlDatabase {
  const promised = 'promise' in pool ? pool.promise() : pool
  return {
    dialect: mysqlDialect,
    query: (statement) => execute(promised, statement),
    transact: (work, lock) => retrying(mysqlDialect, () => transact(promised, work(), lock)),
  }
}

async function execute(on: MysqlQueryable, { sql, values }: Statement): Promise<SqlResult> {
  const [result] = await on.execute({ sql, rowsAsArray: false }, [...values])
  if (Array.isArray(result)) return { rows: result, changes: 0 }
  return { rows: [], changes: Number(memberOf(result, 'affectedRows')) }
}

async function transact<T>(pool: MysqlPool, work: Work<T>, lock: string | undefined): Promise<T> {
  const connection = await pool.getConnection()
  let broken = true
  try {
    if (lock !== undefined) await takeLock(connection, lock)
    // Fewer gaps between keys are locked than by default, so fewer writers meet.
    await connection.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED')
    await connection.query('START TRANSACTION')
    const result = await runAsync(work, (next) => execute(connection, next))
    await connection.query('COMMIT')
    broken = false
    return result
  } catch (error) {
    broken = await connection.query('ROLLBACK').then(
      () => false,
      () => true,
    )
    throw error
  } finally {
    // The connection's, not the transaction's: whoever has it next must see what was committed.
    if (!broken && lock !== undefined) broken = await giveLock(connection, lock)
    if (broken) connection.destroy()
    else connection.release()
  }
}

const longestName = 64
const lockSeconds = 600

async function takeLock(connection: MysqlConnection, lock: string): Promise<void> {
  const taken = { sql: 'SELECT GET_LOCK(?, ?) AS locked', values: [lock.slice(0, longestName), lockSeconds] }
  const { rows } = await execute(connection, taken)
  if (Number(rows[0]?.['locked']) !== 1) throw new Error(`Others held the lock "${lock}" for ${lockSeconds} s.`)
}

/** True where the connection is broken. */
function giveLock(connection: MysqlConnection, lock: string): Promise<boolean> {
  return execute(connection, { sql: 'SELECT RELEASE_LOCK(?)', values: [lock.slice(0, longestName)] }).then(
    () => false,
    () => true,
  )
}

// Deadlock, lock wait timeout, table definition changed meanwhile.
const contention: ReadonlySet<unknown> = new Set([1213, 1205, 1412])
// Of the files and the storage engine, memory, connections, a full table, a server that ends or takes no writes.
const outOfOrder: ReadonlySet<unknown> = new Set([
  3, 1021, 1026, 1030, 1037, 1038, 1040, 1041, 1053, 1114, 1290, 1792, 1836,
])
const duplicate = 1062
const characters = 'CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'

const mysqlDialect: Dialect = {
  name: 'mysql',
  types: {
    word: `VARCHAR(20) ${characters}`,
    key: `VARCHAR(230) ${characters}`,
    text: `LONGTEXT ${characters}`,
    integer: 'BIGINT',
    number: 'DOUBLE',
    flag: 'SMALLINT',
    money: 'DECIMAL(38, 0)',
  },
  tableOptions: ' ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  forUpdate: (_, free = false) => ` FOR UPDATE${free ? ' SKIP LOCKED' : ''}`,
  entriesAtOnce: 1_000,
  splitsMoney: false,
  rows(columns) {
    const declared = columns.map(({ name, type }) => `${name} ${mysqlDialect.types[type]} PATH '$.${name}'`)
    return `JSON_TABLE(?, '$[*]' COLUMNS (${declared.join(', ')})) AS r`
  },
  onConflict: () => 'ON DUPLICATE KEY UPDATE',
  incoming: (column) => `VALUES(${column})`,
  updateSql(table, set) {
    const changes = set.map((name) => `${table.name}.${name} = r.${name}`)
    const same = table.key.map((name) => `${table.name}.${name} = r.${name}`)
    return `UPDATE ${table.name} JOIN ${mysqlDialect.rows(table.columns)} ON ${same.join(' AND ')} SET ${changes.join(', ')}`
  },
  deleteSql(table) {
    const same = table.key.map((name) => `${table.name}.${name} = r.${name}`)
    const rows = mysqlDialect.rows(keyColumns(table))
    return `DELETE ${table.name} FROM ${table.name} JOIN ${rows} ON ${same.join(' AND ')}`
  },
  insertNew,
  weekOf: (column) => `DATE_FORMAT(${column} - INTERVAL WEEKDAY(${column}) DAY, 'week %Y-%m-%d')`,
  // MySQL cuts what GROUP_CONCAT gives after 1,024 bytes; MariaDB takes this for a comment, and does not.
  insertLists: 'INSERT /*+ SET_VAR(group_concat_max_len = 1000000) */',
  jsonList: (column) => `CONCAT('[', GROUP_CONCAT(JSON_QUOTE(${column}) ORDER BY ${column} SEPARATOR ','), ']')`,
  shortKey: (text) => `CASE WHEN OCTET_LENGTH(${text}) <= ${maxKeyBytes} THEN ${text} ELSE MD5(${text}) END`,
  isContention: (error) => contention.has(memberOf(error, 'errno')),
  isOutOfOrder: (error) => outOfOrder.has(memberOf(error, 'errno')),
  isDuplicate: (error) => memberOf(error, 'errno') === duplicate,
}

/**
 * MySQL does not tell which rows of an INSERT IGNORE were new, and ignores more than known keys. So all are inserted;
 * only if some are known, which is rare, those are left out.
 */
function* insertNew(table: Table, rows: readonly SqlRow[]): Work<ReadonlySet<string>> {
  let fresh = rows
  for (;;) {
    try {
      if (fresh.length > 0) yield* ask(insertSql(mysqlDialect, table), toJsonRows(mysqlDialect, fresh))
      return new Set(fresh.map((row) => String(row['id'])))
    } catch (error) {
      if (!mysqlDialect.isDuplicate(error)) throw error
      const known = yield* knownIds(table, fresh)
      fresh = fresh.filter((row) => !known.has(row['id']))
    }
  }
}

function* knownIds(table: Table, rows: readonly SqlRow[]): Work<ReadonlySet<unknown>> {
  const ids = mysqlDialect.rows(keyColumns(table))
  const sql = `SELECT ${table.name}.id AS id FROM ${ids} JOIN ${table.name} ON ${table.name}.id = r.id`
  const result = yield* ask(`${sql} LOCK IN SHARE MODE`, JSON.stringify(rows.map(({ id }) => ({ id }))))
  return new Set(result.rows.map((row) => row['id']))
}
