import { hourMs, modelsOf } from '../../src/index.js'
import { type SqlDatabase, type Work, ask } from './database.js'
import { type Dialect, addRows, fromMoney, moneyNumber, moneyText, storedColumns } from './dialect.js'
import { marks, toModelHourRow, toScopes } from './ledger-rows.js'
import type { Tables } from './schema.js'

/** Hours of one scope; in milliseconds, `until` excluded. */
export interface ScopeHours {
  readonly kind: string
  readonly scope: string
  readonly from: number
  readonly until: number
}

type Hour = Pick<ScopeHours, 'kind' | 'scope'> & { readonly hour: number }

/** Hours that one transaction fills: writers of the same scopes wait for it. */
const hoursAtOnce = 50
const rowsAtOnce = 1_000

/**
 * The statement that makes up the sums by hour and model of all hours that they do not add up to, from the scopes of the
 * rows: models are those that a row is a scope of. It adds the difference that one state of the data has, as `fillWeeks`
 * does. Where rows of an hour were pruned, sums tell what rows cannot: nothing is taken from them.
 */
export function fillAllModelHours(dialect: Dialect, { hours, modelHours, ledgerScopes }: Tables): string {
  const sums = storedColumns(dialect, [{ name: 'charged', type: 'money' }]).map(({ name }) => name)
  const each = (write: (name: string) => string): string => sums.map(write).join(', ')
  const perHour = 'PARTITION BY u.kind, u.scope, u.hour_ms'
  const hour = `r.at_ms - r.at_ms % ${hourMs}`
  const models = `SELECT x.entry_id AS entry_id, ${dialect.jsonList('x.scope')} AS models FROM ${ledgerScopes.name} x WHERE x.kind = 'model' GROUP BY x.entry_id`
  const ofRows = `SELECT r.kind AS kind, r.scope AS scope, ${hour} AS hour_ms, COALESCE(o.models, '[]') AS models, ${each((name) => `r.${name} AS ${name}, r.${name} AS found_${name}, 0 AS known_${name}`)} FROM ${ledgerScopes.name} r LEFT JOIN (${models}) o ON o.entry_id = r.entry_id WHERE r.kind <> '${marks.failed.kind}'`
  const ofSums = `SELECT m.kind, m.scope, m.hour_ms, m.models_json, ${each((name) => `-m.${name}, 0, m.${name}`)} FROM ${modelHours.name} m`
  const summed = (name: string): string =>
    `SUM(u.${name}) AS ${name}, SUM(SUM(u.found_${name})) OVER (${perHour}) AS found_${name}, SUM(SUM(u.known_${name})) OVER (${perHour}) AS known_${name}`
  const lacking = `SELECT u.kind AS kind, u.scope AS scope, u.hour_ms AS hour_ms, u.models AS models, ${each(summed)} FROM (${ofRows} UNION ALL ${ofSums}) u GROUP BY u.kind, u.scope, u.hour_ms, u.models`
  const beyond = (column: string, other: string): string =>
    moneyNumber(dialect, (suffix) => `${column}${suffix} - ${other}${suffix}`)
  const added = moneyNumber(dialect, (suffix) => `g.charged${suffix}`)
  return [
    `${dialect.insertLists} INTO ${modelHours.name} (kind, scope, models, hour_ms, models_json, ${sums.join(', ')})`,
    `SELECT g.kind, g.scope, ${dialect.shortKey('g.models')}, g.hour_ms, g.models, ${each((name) => `g.${name}`)}`,
    `FROM (${lacking}) g JOIN ${hours.name} h ON h.kind = g.kind AND h.scope = g.scope AND h.hour_ms = g.hour_ms`,
    `WHERE ${beyond('h.charged', 'g.known_charged')} <> 0 AND ${added} <> 0`,
    `AND (${added} > 0 OR ${beyond('h.charged', 'g.found_charged')} = 0)`,
    `${dialect.onConflict(modelHours.key)} ${each((name) => `${name} = ${modelHours.name}.${name} + ${dialect.incoming(name)}`)}`,
  ].join(' ')
}

/**
 * The same for hours of one scope, where they are read: processes of a version that knows none of these sums may go on
 * writing hours alone. May run in many processes at once, and beside writers of any version.
 */
export async function fillModelHours(database: SqlDatabase, tables: Tables, within: ScopeHours): Promise<void> {
  let from: number | undefined = within.from
  while (from !== undefined) {
    const range: ScopeHours = { ...within, from }
    from = await database.transact(() => fillSome(database.dialect, tables, range))
  }
}

/** Gives from where on there may be more. */
function* fillSome(dialect: Dialect, tables: Tables, range: ScopeHours): Work<number | undefined> {
  const lacking = yield* findLacking(dialect, tables, range)
  for (const hour of lacking) yield* fillHour(dialect, tables, { ...range, hour })
  const last = lacking.at(-1)
  return last === undefined || lacking.length < hoursAtOnce ? undefined : last + hourMs
}

/** The hours whose models do not add up to them, the oldest first; none that is older than every row. */
function* findLacking(
  dialect: Dialect,
  { hours, modelHours, ledger }: Tables,
  { kind, scope, from, until }: ScopeHours,
): Work<readonly number[]> {
  const beyond = moneyNumber(dialect, (suffix) => `h.charged${suffix} - COALESCE(SUM(m.charged${suffix}), 0)`)
  const { rows } = yield* ask(
    `SELECT h.hour_ms AS hour_ms FROM ${hours.name} h WHERE h.kind = ? AND h.scope = ? AND h.hour_ms >= ? AND h.hour_ms < ? AND h.hour_ms > (SELECT COALESCE(MIN(l.at_ms), ${Number.MAX_SAFE_INTEGER}) FROM ${ledger.name} l) - ${hourMs} AND (SELECT ${beyond} FROM ${modelHours.name} m WHERE m.kind = h.kind AND m.scope = h.scope AND m.hour_ms = h.hour_ms) <> 0 ORDER BY h.hour_ms LIMIT ${hoursAtOnce}`,
    kind,
    scope,
    from,
    until,
  )
  return rows.map((row) => Number(row['hour_ms']))
}

/**
 * Every writer changes the hour's own row first and keeps it until the end: while it is locked here, rows and sums are
 * those of the same writers.
 */
function* fillHour(dialect: Dialect, tables: Tables, { kind, scope, hour }: Hour): Work<void> {
  const { hours, modelHours } = tables
  const key = [kind, scope, hour] as const
  const of = (alias: string): string => `${alias}.kind = ? AND ${alias}.scope = ? AND ${alias}.hour_ms = ?`
  const locked = yield* ask(
    `SELECT ${moneyText(dialect, 'h.charged')} AS charged FROM ${hours.name} h WHERE ${of('h')}${dialect.forUpdate('h')}`,
    ...key,
  )
  const whole = locked.rows.reduce((sum, { charged }) => sum + fromMoney(charged), 0n)
  const sums = yield* ask(
    `SELECT m.models_json AS models, ${moneyText(dialect, 'm.charged', true)} AS charged FROM ${modelHours.name} m WHERE ${of('m')} GROUP BY m.models_json`,
    ...key,
  )
  const known = new Map(sums.rows.map(({ models, charged }) => [String(models), fromMoney(charged)]))
  if (totalOf(known) === whole) return
  const found = yield* chargedByModels(dialect, tables, { kind, scope, hour })
  const isComplete = totalOf(found) === whole
  const lacking = [...new Set([...found.keys(), ...known.keys()])].toSorted().flatMap((models) => {
    const charged = (found.get(models) ?? 0n) - (known.get(models) ?? 0n)
    // Where rows were pruned, sums tell what rows cannot.
    return charged === 0n || (charged < 0n && !isComplete)
      ? []
      : [toModelHourRow({ kind, scope, hour }, models, charged)]
  })
  yield* addRows(dialect, modelHours, lacking)
}

function totalOf(charges: ReadonlyMap<string, bigint>): bigint {
  return [...charges.values()].reduce((sum, charged) => sum + charged, 0n)
}

/** What the rows of an hour charge to its scope, by their models as JSON. */
function* chargedByModels(
  dialect: Dialect,
  { ledger, ledgerScopes }: Tables,
  { kind, scope, hour }: Hour,
): Work<ReadonlyMap<string, bigint>> {
  const charges = new Map<string, bigint>()
  let [at, id] = [hour - 1, '']
  for (let read = rowsAtOnce; read === rowsAtOnce;) {
    const { rows } = yield* ask(
      `SELECT s.at_ms AS at_ms, s.entry_id AS entry_id, ${moneyText(dialect, 's.charged')} AS charged, l.scopes_json AS scopes_json FROM ${ledgerScopes.name} s JOIN ${ledger.name} l ON l.id = s.entry_id WHERE s.kind = ? AND s.scope = ? AND s.at_ms >= ? AND s.at_ms < ? AND (s.at_ms > ? OR s.at_ms = ? AND s.entry_id > ?) ORDER BY s.at_ms, s.entry_id LIMIT ${rowsAtOnce}`,
      kind,
      scope,
      Math.max(hour, at),
      hour + hourMs,
      at,
      at,
      id,
    )
    for (const row of rows) {
      const models = JSON.stringify(modelsOf(toScopes(row['scopes_json'])))
      charges.set(models, (charges.get(models) ?? 0n) + fromMoney(row['charged']))
      ;[at, id] = [Number(row['at_ms']), String(row['entry_id'])]
    }
    read = rows.length
  }
  return charges
}
