import type { DatabaseSettings } from '../../src/index.js'
import { type SqlDatabase, mysql, postgres, sqlStores, sqlite } from '../sql.js'
import { within } from './deadline.js'
import type { OpenedStores } from './redis.js'
import { openSqliteFile } from './sqlite.js'
import { StartError, toDatabaseError } from './start-error.js'

interface OpenedDatabase {
  readonly database: SqlDatabase
  close(): Promise<void>
}

// LiteLLM's own number of connections.
const defaultPoolSize = 10
const defaultConnectMs = 10_000
// Processes that start together wait for the first one's migration.
const migrateMs = 60_000
const closeMs = 5_000

/**
 * Opens the database that a configuration names, with connections of the stand-alone server's own, and brings its tables
 * up to date. A path of SQLite is relative to `folder`.
 * @throws StartError where the driver is not installed, or the database does not answer or let us in
 */
export async function openDatabase(settings: DatabaseSettings, folder: string): Promise<OpenedStores> {
  const opened = await openers[settings.kind](settings, folder)
  const close = (): Promise<void> =>
    within(closeMs, opened.close(), () => new Error('the database was not closed in time')).catch(ignore)
  try {
    const stores = sqlStores(opened.database)
    await within(migrateMs, stores.migrate(), () => new Error(`no answer within ${migrateMs / 1_000} s`))
    const { ledger, records, counters } = stores
    return { stores: { ledger, records, counters }, close }
  } catch (error) {
    await close()
    throw toDatabaseError(error, settings)
  }
}

/** What could not be closed ends with the process. */
function ignore(): void {}

type Open = (settings: DatabaseSettings, folder: string) => Promise<OpenedDatabase>

const openers: Readonly<Record<DatabaseSettings['kind'], Open>> = {
  postgres: async ({ url, poolSize = defaultPoolSize, connectTimeoutMs = defaultConnectMs }) => {
    const { Pool } = await load('pg', () => import('pg'))
    const pool = new Pool({ connectionString: url, max: poolSize, connectionTimeoutMillis: connectTimeoutMs })
    // An idle connection that breaks is replaced; unheard, its error would end the process.
    pool.on('error', ignore)
    return { database: postgres(pool), close: () => pool.end() }
  },
  mysql: async ({ url, poolSize = defaultPoolSize, connectTimeoutMs = defaultConnectMs }) => {
    const { createPool } = await load('mysql2', () => import('mysql2/promise'))
    const pool = createPool({ uri: url, connectionLimit: poolSize, connectTimeout: connectTimeoutMs })
    return { database: mysql(pool), close: () => pool.end() }
  },
  sqlite: async ({ url: path }, folder) => {
    const file = await openSqliteFile(path, folder)
    return {
      database: sqlite(file),
      async close() {
        file.close()
      },
    }
  },
}

async function load<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw new StartError(
      `general_settings.database_url needs the package ${name}, which is not installed: npm install ${name}`,
      { cause },
    )
  }
}
