import { resolve } from 'node:path'
import type { SqliteDatabase } from '../sql.js'
import { StartError, toDatabaseError } from './start-error.js'

/** An open file. */
export interface SqliteFile extends SqliteDatabase {
  close(): unknown
}

type OpenFile = (path: string) => SqliteFile

// The process stands still while SQLite waits for a lock; the stores wait better, and try again.
const lockMs = 50
// Nobody is served yet, and processes that start together want the same lock.
const startLockMs = 5_000

/** Opens a file, which is made where there is none, with better-sqlite3 or else node:sqlite. @throws StartError */
export async function openSqliteFile(path: string, folder: string): Promise<SqliteFile> {
  const open = (await loadBetterSqlite()) ?? (await loadNodeSqlite())
  if (!open) {
    throw new StartError(
      'general_settings.database_url needs the package better-sqlite3, which is not installed: npm install better-sqlite3 (or Node 22.13)',
    )
  }
  try {
    const file = open(path === ':memory:' ? path : resolve(folder, path))
    file.exec(`PRAGMA busy_timeout = ${startLockMs}`)
    file.exec('PRAGMA journal_mode = WAL')
    file.exec(`PRAGMA busy_timeout = ${lockMs}`)
    return file
  } catch (error) {
    throw toDatabaseError(error, { kind: 'sqlite', url: path })
  }
}

async function loadBetterSqlite(): Promise<OpenFile | undefined> {
  try {
    const { default: Database } = await import('better-sqlite3')
    // The package may be there without the part of it that has to be built.
    new Database(':memory:').close()
    return (path) => new Database(path)
  } catch {
    return undefined
  }
}

/** Some of the supported versions of Node do not have it. */
async function loadNodeSqlite(): Promise<OpenFile | undefined> {
  const name: string = 'node:sqlite'
  const module: unknown = await import(name).catch(() => undefined)
  return hasDatabaseSync(module) ? (path) => new module.DatabaseSync(path) : undefined
}

function hasDatabaseSync(module: unknown): module is { readonly DatabaseSync: new (path: string) => SqliteFile } {
  return typeof module === 'object' && module !== null && 'DatabaseSync' in module
}
