import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { createPool } from 'mysql2/promise'
import { Pool } from 'pg'
import { type SqlDatabase, type SqlStores, mysql, postgres, sqlite, sqlStores } from '../../../adapters/sql.js'
import { hasService, serviceUrls } from '../../support/services.js'

/** A database of the tests with tables of its own, which `close` drops. */
export interface TestDatabase {
  readonly database: SqlDatabase
  /** The same data over connections of their own. */
  readonly peer: SqlDatabase
  readonly prefix: string
  run(sql: string): Promise<void>
  close(): Promise<void>
}

/** Every database by its name; undefined from those that are not there. */
export const testDatabases: Readonly<Record<string, () => Promise<TestDatabase | undefined>>> = {
  postgres: () => openPostgres(),
  mysql: () => openMysql(),
  'better-sqlite3': openSqlite,
  'node:sqlite': openNodeSqlite,
}

const tables = [
  'migrations',
  'ledger',
  'ledger_scopes',
  'usage_events',
  'spend_hours',
  'spend_model_hours',
  'spend_days',
  'spend_caller_days',
  'records',
  'counters',
  'holds',
  'reservations',
  'calls',
  'call_marks',
]

function newPrefix(): string {
  return `t${process.pid.toString(36)}_${Math.random().toString(36).slice(2, 8)}_`
}

/** `database` reaches the server at `url`, which may be a proxy before it. */
export async function openPostgres(url: string = serviceUrls.postgres): Promise<TestDatabase | undefined> {
  if (!(await hasService('postgres'))) return undefined
  // Whether a commit survives a power cut is not on trial, and would cost a write to the disk each.
  const options = '-c synchronous_commit=off'
  const pools = [url, serviceUrls.postgres].map((connectionString) => new Pool({ connectionString, options, max: 6 }))
  const [own, other] = pools
  if (!own || !other) return undefined
  // A proxy may drop connections while they are idle.
  own.on('error', () => {})
  const prefix = newPrefix()
  const run = async (sql: string): Promise<void> => void (await other.query(sql))
  return {
    database: postgres(own),
    peer: postgres(other),
    prefix,
    run,
    async close() {
      await run(`DROP TABLE IF EXISTS ${tables.map((table) => prefix + table).join(', ')}`)
      await Promise.all(pools.map((pool) => pool.end()))
    },
  }
}

/** As `openPostgres`. */
export async function openMysql(url: string = serviceUrls.mysql): Promise<TestDatabase | undefined> {
  if (!(await hasService('mysql'))) return undefined
  const pools = [url, serviceUrls.mysql].map((uri) => createPool({ uri, connectionLimit: 6, multipleStatements: true }))
  const [own, other] = pools
  if (!own || !other) return undefined
  const prefix = newPrefix()
  const run = async (sql: string): Promise<void> => void (await other.query(sql))
  return {
    database: mysql(own),
    peer: mysql(other),
    prefix,
    run,
    async close() {
      await run(`DROP TABLE IF EXISTS ${tables.map((table) => prefix + table).join(', ')}`)
      await Promise.all(pools.map((pool) => pool.end()))
    },
  }
}

/** An SQLite file; `runOther` uses the connection of `peer`. */
export async function openSqlite(): Promise<TestDatabase & { runOther(sql: string): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sqlite-'))
  const open = (): InstanceType<typeof Sqlite> => {
    const database = new Sqlite(join(folder, 'test.db'))
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = OFF')
    return database
  }
  const [own, other] = [open(), open()]
  return {
    database: sqlite(own),
    peer: sqlite(other),
    prefix: newPrefix(),
    run: async (sql) => void own.exec(sql),
    runOther: async (sql) => void other.exec(sql),
    async close() {
      own.close()
      other.close()
      rmSync(folder, { recursive: true })
    },
  }
}

interface NodeSqlite {
  prepare(sql: string): { all(...values: unknown[]): unknown[]; run(...values: unknown[]): { changes: number } }
  exec(sql: string): void
  close(): void
}

async function openNodeSqlite(): Promise<TestDatabase | undefined> {
  const name = 'node:sqlite'
  const module = await import(name).catch(() => undefined)
  if (!module) {
    console.log('skipped: this Node has no node:sqlite')
    return undefined
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sqlite-'))
  const open = (): NodeSqlite => {
    const database: NodeSqlite = new module.DatabaseSync(join(folder, 'test.db'))
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF')
    return database
  }
  const [own, other] = [open(), open()]
  return {
    database: sqlite(own),
    peer: sqlite(other),
    prefix: newPrefix(),
    run: async (sql) => own.exec(sql),
    async close() {
      own.close()
      other.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Empties the tables, which is much quicker than to create them for every test. */
export async function emptyTables(test: TestDatabase): Promise<void> {
  const deletes = tables.slice(1).map((table) => `DELETE FROM ${test.prefix}${table};`)
  await test.run(`BEGIN; ${deletes.join(' ')} COMMIT;`)
}

/** The stores of a test, migrated. */
export async function migratedStores({ database, prefix }: TestDatabase): Promise<SqlStores> {
  const stores = sqlStores(database, { prefix })
  await stores.migrate()
  return stores
}
