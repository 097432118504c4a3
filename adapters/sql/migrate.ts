import { type SqlDatabase, type Work, ask } from './database.js'
import { type Dialect } from './dialect.js'
import { type Tables, createTable, groupStatistics } from './schema.js'

/**
 * What each version of the schema adds. Only ever appended to, and only ever additive: processes of the version before
 * go on working. Every statement may run twice, as MySQL cannot take one back.
 */
function migrations(dialect: Dialect, tables: Tables): readonly (readonly string[])[] {
  const { ledger, ledgerScopes, hours, modelHours, days, callerDays, records, counters, holds, reservations } = tables
  const first = [ledger, ledgerScopes, hours, days, callerDays, records, counters, holds, reservations]
  const versions = [first, [modelHours], [tables.calls, tables.callMarks]]
  const created = versions.map((added) => added.flatMap((table) => createTable(dialect, table)))
  return [...created, groupStatistics(dialect, tables), createTable(dialect, tables.usageEvents)]
}

/** Brings the tables up to date; one process at a time, the others wait and find nothing left to do. */
export async function migrate(database: SqlDatabase, tables: Tables, now: () => number): Promise<void> {
  const { dialect } = database
  const lock = `${tables.migrations.name} migrate`
  await database.transact(() => dialect.exclusively(lock, () => applyMissing(dialect, tables, now)))
}

function* applyMissing(dialect: Dialect, tables: Tables, now: () => number): Work<void> {
  const { name } = tables.migrations
  for (const sql of createTable(dialect, tables.migrations)) yield* ask(sql)
  const { rows } = yield* ask(`SELECT COALESCE(MAX(version), 0) AS version FROM ${name}`)
  const applied = Number(rows[0]?.['version'] ?? 0)
  for (const [index, statements] of migrations(dialect, tables).entries()) {
    const version = index + 1
    if (version <= applied) continue
    for (const sql of statements) yield* ask(sql)
    yield* ask(`INSERT INTO ${name} (version, applied_at) VALUES (?, ?)`, version, now())
  }
}

/** All migrations as SQL, for hosts that apply them by hand; may run again over what is there. */
export function printMigrations(dialect: Dialect, tables: Tables): string {
  const { name } = tables.migrations
  const lines = [...createTable(dialect, tables.migrations)]
  for (const [index, statements] of migrations(dialect, tables).entries()) {
    const version = index + 1
    lines.push(`-- version ${version}`, ...statements)
    lines.push(
      `INSERT INTO ${name} (version, applied_at) SELECT ${version}, 0 WHERE NOT EXISTS (SELECT 1 FROM ${name} WHERE version = ${version})`,
    )
  }
  return `${lines.map((line) => (line.startsWith('--') ? line : `${line};`)).join('\n')}\n`
}
