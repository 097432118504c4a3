import { type SqlDatabase, type Work, ask } from './database.js'
import { type Dialect } from './dialect.js'
import { fillAllModelHours } from './model-hours.js'
import { type Tables, createTable, groupStatistics } from './schema.js'
import { fillWeeks } from './weeks.js'

/**
 * What each version of the schema adds. Only ever appended to, and only ever additive: processes of the version before
 * go on working. Every statement may run twice, as MySQL cannot take one back.
 */
function migrations(dialect: Dialect, tables: Tables): readonly (readonly string[])[] {
  const { ledger, ledgerScopes, hours, modelHours, days, callerDays, records, counters, holds, reservations } = tables
  const first = [ledger, ledgerScopes, hours, days, callerDays, records, counters, holds, reservations]
  const versions = [first, [modelHours], [tables.calls, tables.callMarks]]
  const created = versions.map((added) => added.flatMap((table) => createTable(dialect, table)))
  const filled = [fillAllModelHours(dialect, tables), ...[days, callerDays].map((table) => fillWeeks(dialect, table))]
  return [...created, groupStatistics(dialect, tables), createTable(dialect, tables.usageEvents), filled]
}

/**
 * Brings the tables up to date, version by version; one process at a time, the others wait and find nothing left to do.
 * Sums that older versions did not keep are made up, beside whoever writes meanwhile.
 */
export async function migrate(database: SqlDatabase, tables: Tables, now: () => number): Promise<void> {
  const { dialect } = database
  const lock = `${tables.migrations.name} migrate`
  await database.transact(function* () {
    for (const sql of createTable(dialect, tables.migrations)) yield* ask(sql)
  }, lock)
  const applied = await database.transact(() => readVersion(tables))
  for (const [index, statements] of migrations(dialect, tables).entries()) {
    const version = index + 1
    if (version <= applied) continue
    await database.transact(() => apply(tables, { version, statements, at: now() }), lock)
  }
}

function* readVersion({ migrations: { name } }: Tables): Work<number> {
  const { rows } = yield* ask(`SELECT COALESCE(MAX(version), 0) AS version FROM ${name}`)
  return Number(rows[0]?.['version'] ?? 0)
}

interface Migration {
  readonly version: number
  readonly statements: readonly string[]
  readonly at: number
}

function* apply(tables: Tables, { version, statements, at }: Migration): Work<void> {
  if (version <= (yield* readVersion(tables))) return
  for (const sql of statements) yield* ask(sql)
  yield* ask(`INSERT INTO ${tables.migrations.name} (version, applied_at) VALUES (?, ?)`, version, at)
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
