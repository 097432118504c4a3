import type { CallStore, Clock, CounterStore, LedgerStore, RecordStore } from '../src/index.js'
import { sqlCalls } from './sql/calls.js'
import { sqlCounters } from './sql/counters.js'
import type { SqlDatabase } from './sql/database.js'
import { sqlLedger } from './sql/ledger.js'
import { migrate, printMigrations } from './sql/migrate.js'
import { sqlRecords } from './sql/records.js'
import { tablesOf } from './sql/schema.js'

export type { SqlDatabase } from './sql/database.js'
export { type MysqlCallbackPool, type MysqlConnection, type MysqlPool, mysql } from './sql/mysql.js'
export { type PostgresClient, type PostgresPool, postgres } from './sql/postgres.js'
export { type SqliteDatabase, type SqliteStatement, sqlite } from './sql/sqlite.js'

/** Settings of the stores in the host's database. */
export interface SqlStoresOptions {
  /** What every table's name begins with; a schema may stand before it: `billing.sluice_`. @default 'sluice_' */
  readonly prefix?: string
  /** @default the system's */
  readonly clock?: Pick<Clock, 'now'>
}

/** Stores in the host's database. */
export interface SqlStores {
  readonly ledger: LedgerStore
  readonly records: RecordStore
  /** For hosts without a Redis. */
  readonly counters: CounterStore
  /** The call log; its rows are not those of the ledger, and may be thrown away. */
  readonly calls: CallStore
  /** Creates and extends the tables; only ever adds. May run in many processes at once, and again. */
  migrate(): Promise<void>
  /** The SQL that `migrate` runs, for hosts that apply it by hand. */
  printMigrations(): string
}

/**
 * Keeps what Sluice has to remember in the host's own database: `sqlStores(postgres(pool))`. Creates no table before
 * `migrate()` is called.
 * @throws TypeError for a prefix that is not made of letters, digits and underscores
 */
export function sqlStores(
  database: SqlDatabase,
  { prefix = 'sluice_', clock = { now: () => Date.now() } }: SqlStoresOptions = {},
): SqlStores {
  const tables = tablesOf(prefix)
  const now = (): number => clock.now()
  return {
    ledger: sqlLedger(database, tables),
    records: sqlRecords(database, tables, now),
    counters: sqlCounters(database, tables, now),
    calls: sqlCalls(database, tables),
    migrate: () => migrate(database, tables, now),
    printMigrations: () => printMigrations(database.dialect, tables),
  }
}
