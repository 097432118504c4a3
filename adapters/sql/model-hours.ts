import { modelsOf } from '../../src/index.js'
import { type SqlDatabase, type SqlValue, type Work, ask } from './database.js'
import { type Dialect, addRows, fromMoney, moneyBeyond, moneyText } from './dialect.js'
import { toModelHourRow, toScopes } from './ledger-rows.js'
import type { Tables } from './schema.js'

/** Hours of one scope; in milliseconds, `until` excluded. */
export interface ScopeHours {
  readonly kind: string
  readonly scope: string
  readonly from: number
  readonly until: number
}

interface Hour {
  readonly kind: string
  readonly scope: string
  readonly hour: number
}

const hourMs = 3_600_000
/** Hours that one transaction fills: writers of the same scopes wait for it. */
const hoursAtOnce = 50
const rowsAtOnce = 1_000

/**
 * Makes up the sums by hour and model that are not there: processes of a version that knows none write hours alone. Sums
 * of hours whose rows were pruned stay as they are. May run in many processes at once, and beside writers of any version.
 */
export async function fillModelHours(database: SqlDatabase, tables: Tables, within?: ScopeHours): Promise<void> {
  const { dialect } = database
  let after: Hour | undefined
  do {
    const last = after
    after = await database.transact(function* () {
      const lacking = yield* findLacking(dialect, tables, { within, after: last })
      for (const hour of lacking) yield* fillHour(dialect, tables, hour)
      return lacking.length < hoursAtOnce ? undefined : lacking.at(-1)
    })
  } while (after)
}

interface Search {
  readonly within: ScopeHours | undefined
  readonly after: Hour | undefined
}

/** The hours whose models do not add up to them, in the order of their key; none that is older than every row. */
function* findLacking(dialect: Dialect, tables: Tables, { within, after }: Search): Work<readonly Hour[]> {
  const { hours, modelHours, ledger } = tables
  const conditions: (readonly [string, ...SqlValue[]])[] = [
    [`h.hour_ms > (SELECT COALESCE(MIN(l.at_ms), ${Number.MAX_SAFE_INTEGER}) FROM ${ledger.name} l) - ${hourMs}`],
    [
      `(SELECT ${moneyBeyond(dialect, 'h.charged', 'm.charged')} FROM ${modelHours.name} m WHERE m.kind = h.kind AND m.scope = h.scope AND m.hour_ms = h.hour_ms) <> 0`,
    ],
  ]
  if (within) {
    const { kind, scope, from, until } = within
    conditions.push(['h.kind = ? AND h.scope = ? AND h.hour_ms >= ? AND h.hour_ms < ?', kind, scope, from, until])
  }
  if (after) {
    const { kind, scope, hour } = after
    const beyond = 'h.kind > ? OR h.kind = ? AND (h.scope > ? OR h.scope = ? AND h.hour_ms > ?)'
    conditions.push([`(${beyond})`, kind, kind, scope, scope, hour])
  }
  const where = conditions.map(([condition]) => condition).join(' AND ')
  const { rows } = yield* ask(
    `SELECT h.kind AS kind, h.scope AS scope, h.hour_ms AS hour_ms FROM ${hours.name} h WHERE ${where} ORDER BY h.kind, h.scope, h.hour_ms LIMIT ${hoursAtOnce}`,
    ...conditions.flatMap(([, ...values]) => values),
  )
  return rows.map((row) => ({ kind: String(row['kind']), scope: String(row['scope']), hour: Number(row['hour_ms']) }))
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
