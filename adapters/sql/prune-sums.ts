import { setImmediate } from 'node:timers/promises'
import { type Cut, type SumsPruning, monthOf, sumsCuts } from '../../src/index.js'
import { type SqlDatabase, type SqlResult, type SqlRow, type Work, ask } from './database.js'
import { type Dialect, type Table, addRows, deleteRows, fromMoney, moneyText } from './dialect.js'
import type { ScopeHours } from './model-hours.js'
import type { SumsDefinition, Tables } from './schema.js'
import { weekName } from './weeks.js'

const dayMs = 86_400_000
/** Rows of days that go at once, and scopes whose hours one transaction touches: each has some 25. */
const mostAtOnce = 200
/** Their days are those of all calls, which do not name them: every one that hours know is looked at. */
const kindsWithoutDays = ['model', 'provider']

/** Forgets old sums in small transactions; see `LedgerStore.pruneSums`. What one that was killed left is found by the next. */
export async function pruneSums(database: SqlDatabase, tables: Tables, pruning: SumsPruning): Promise<number> {
  const pruner = new Pruner(database, tables)
  const { sums, sessions, forgetsSessions } = sumsCuts(pruning)
  for (const kind of await pruner.namesIn(tables.days, 'kind')) {
    const isSession = kind === 'session'
    const cut = isSession ? sessions : sums
    if (cut) await pruner.pruneKind({ kind, cut, keepsHours: !(isSession && forgetsSessions) })
  }
  if (sums) await pruner.pruneCallers(sums)
  if (sessions && forgetsSessions) await pruner.forgetIdle('session', sessions.at)
  return pruner.pruned
}

interface KindCut {
  readonly kind: string
  readonly cut: Cut
  /** One sum of each month stays; else the hours are forgotten with their scopes. */
  readonly keepsHours: boolean
}

class Pruner {
  pruned = 0
  readonly #database: SqlDatabase
  readonly #tables: Tables
  readonly #atOnce: number

  constructor(database: SqlDatabase, tables: Tables) {
    this.#database = database
    this.#tables = tables
    this.#atOnce = Math.min(database.dialect.entriesAtOnce, mostAtOnce)
  }

  /** The different values of a column that an index begins with, or goes on with after those that are given. */
  async namesIn({ name }: Table, column: string, given: SqlRow = {}): Promise<readonly string[]> {
    const where = Object.keys(given).map((key) => `t.${key} = ?`)
    const values = Object.values(given).map(String)
    const names: string[] = []
    for (;;) {
      const last = names.at(-1)
      const conditions = last === undefined ? where : [...where, `t.${column} > ?`]
      const sql = `SELECT MIN(t.${column}) AS name FROM ${name} t WHERE ${conditions.join(' AND ') || '1 = 1'}`
      const { rows } = await this.#database.query({ sql, values: last === undefined ? values : [...values, last] })
      const next = rows[0]?.['name']
      if (typeof next !== 'string') return names
      names.push(next)
    }
  }

  async pruneKind({ kind, cut, keepsHours }: KindCut): Promise<void> {
    const { days } = this.#tables
    let shared: readonly SqlRow[] | undefined
    await this.#pruneRows(days, `t.kind = ? AND t.day < ?`, [kind, cut.day], async (rows) => {
      if (!keepsHours) return
      if (kind === 'all') shared ??= await this.#scopesWithoutDays()
      const ranges = shared ? rangesOfDays(shared, rows) : rangesOfScopes(rows)
      for (let from = 0; from < ranges.length; from += this.#atOnce) {
        const chunk = ranges.slice(from, from + this.#atOnce)
        await this.#transact((dialect) => mergeHours(dialect, this.#tables, chunk))
      }
    })
    await this.#pruneRows(days, `t.kind = ? AND t.day >= 'week' AND t.day < ?`, [kind, weekName(cut.at)])
  }

  async pruneCallers({ at, day }: Cut): Promise<void> {
    const { callerDays } = this.#tables
    await this.#pruneRows(callerDays, `t.day < ?`, [day])
    await this.#pruneRows(callerDays, `t.day >= 'week' AND t.day < ?`, [weekName(at)])
  }

  /** Every scope of the kind is looked at: the days of one that was charged nothing since may be gone long before. */
  async forgetIdle(kind: string, since: number): Promise<void> {
    const newest = `SELECT h.scope AS scope, MAX(h.hour_ms) AS newest FROM ${this.#tables.hours.name} h WHERE h.kind = ?`
    let last: string | undefined
    for (;;) {
      const after = last === undefined ? '' : ' AND h.scope > ?'
      const sql = `${newest}${after} GROUP BY h.scope ORDER BY h.scope LIMIT ${this.#atOnce}`
      const { rows } = await this.#database.query({ sql, values: last === undefined ? [kind] : [kind, last] })
      const idle = rows.filter((row) => Number(row['newest']) < since).map(({ scope }) => String(scope))
      if (idle.length > 0) await this.#transact((dialect) => forgetIdle(dialect, this.#tables, { kind, idle, since }))
      else await setImmediate()
      if (rows.length < this.#atOnce) return
      last = String(rows.at(-1)?.['scope'])
    }
  }

  async #scopesWithoutDays(): Promise<readonly SqlRow[]> {
    const scopes = kindsWithoutDays.map(async (kind) => {
      return (await this.namesIn(this.#tables.hours, 'scope', { kind })).map((scope) => ({ kind, scope }))
    })
    return (await Promise.all(scopes)).flat()
  }

  /** The oldest first; `before` is done before rows go, so that whoever is killed finds them again. */
  async #pruneRows(
    table: SumsDefinition,
    where: string,
    values: readonly string[],
    before: (rows: readonly SqlRow[]) => Promise<void> = async () => {},
  ): Promise<void> {
    const columns = [...new Set([...table.key, 'day'])].map((name) => `t.${name} AS ${name}`)
    const sql = `SELECT ${columns.join(', ')} FROM ${table.name} t WHERE ${where} ORDER BY t.day LIMIT ${this.#atOnce}`
    for (;;) {
      const { rows } = await this.#database.query({ sql, values })
      if (rows.length === 0) return
      await before(rows)
      await this.#transact((dialect) => deleteRows(dialect, table, rows))
      if (rows.length < this.#atOnce) return
    }
  }

  /** One process at a time, so that none moves what another does. */
  async #transact(work: (dialect: Dialect) => Work<number>): Promise<void> {
    const { dialect } = this.#database
    this.pruned += await this.#database.transact(() => work(dialect), `${this.#tables.days.name} prune`)
    // Others have their turn between blocking transactions.
    await setImmediate()
  }
}

/** The hours of each scope from the first month of its days until their end. */
function rangesOfScopes(rows: readonly SqlRow[]): readonly ScopeHours[] {
  const ranges = new Map<string, ScopeHours>()
  for (const row of rows) {
    const [kind, scope, day] = [String(row['kind']), String(row['scope']), Date.parse(String(row['day']))]
    const { from, until } = ranges.get(scope) ?? { from: Infinity, until: 0 }
    ranges.set(scope, {
      kind,
      scope,
      from: Math.min(from, monthOf(day)),
      until: Math.max(until, day + dayMs),
    })
  }
  return [...ranges.values()].toSorted((a, b) => (a.scope < b.scope ? -1 : 1))
}

function rangesOfDays(scopes: readonly SqlRow[], rows: readonly SqlRow[]): readonly ScopeHours[] {
  const days = rows.map((row) => Date.parse(String(row['day'])))
  const [from, until] = [monthOf(Math.min(...days)), Math.max(...days) + dayMs]
  return scopes.map(({ kind, scope }) => ({ kind: String(kind), scope: String(scope), from, until }))
}

/** Moves what scopes were charged within a month into the last hour of it, by models too; gives how many hours are gone. */
function* mergeHours(dialect: Dialect, tables: Tables, ranges: readonly ScopeHours[]): Work<number> {
  const { hours, modelHours } = tables
  const { rows } = yield* hoursOf(dialect, hours, ranges)
  const last = new Map<string, number>()
  for (const row of rows) {
    const [name, hour] = [nameOfMonth(row), Number(row['hour_ms'])]
    last.set(name, Math.max(last.get(name) ?? 0, hour))
  }
  const moved = yield* moveHours(dialect, hours, rows, last)
  if (moved === 0) return 0
  yield* moveHours(dialect, modelHours, (yield* hoursOf(dialect, modelHours, ranges)).rows, last)
  return moved
}

function* moveHours(
  dialect: Dialect,
  table: SumsDefinition,
  rows: readonly SqlRow[],
  last: ReadonlyMap<string, number>,
): Work<number> {
  const added = new Map<string, { readonly row: SqlRow; sum: bigint }>()
  const gone = rows.filter((row) => {
    const hour = last.get(nameOfMonth(row))
    if (hour === undefined || hour === Number(row['hour_ms'])) return false
    const { charged, ...into }: SqlRow = { ...row, hour_ms: hour }
    const name = JSON.stringify(table.key.map((column) => Reflect.get(into, column)))
    const known = added.get(name) ?? { row: into, sum: 0n }
    known.sum += fromMoney(charged)
    added.set(name, known)
    return true
  })
  yield* deleteRows(dialect, table, gone)
  // In the order of writers.
  const sorted = [...added].toSorted(([a], [b]) => (a < b ? -1 : 1))
  yield* addRows(
    dialect,
    table,
    sorted.map(([, { row, sum }]) => ({ ...row, charged: sum })),
  )
  return gone.length
}

function nameOfMonth({ kind, scope, hour_ms: hour }: SqlRow): string {
  return JSON.stringify([kind, scope, monthOf(Number(hour))])
}

interface Idle {
  readonly kind: string
  /** Scopes that seemed to be, before their hours were locked. */
  readonly idle: readonly string[]
  readonly since: number
}

/** Forgets all hours of the scopes that were charged nothing since. */
function* forgetIdle(dialect: Dialect, { hours, modelHours }: Tables, { kind, idle, since }: Idle): Work<number> {
  const whole = idle.map((scope) => ({ kind, scope, from: 0, until: Number.MAX_SAFE_INTEGER }))
  const { rows } = yield* hoursOf(dialect, hours, whole)
  const active = new Set(rows.filter((row) => Number(row['hour_ms']) >= since).map(({ scope }) => scope))
  const gone = yield* deleteRows(
    dialect,
    hours,
    rows.filter(({ scope }) => !active.has(scope)),
  )
  const forgotten = whole.filter(({ scope }) => !active.has(scope))
  if (forgotten.length > 0)
    yield* deleteRows(dialect, modelHours, (yield* hoursOf(dialect, modelHours, forgotten)).rows)
  return gone
}

/** Locked: what is priced again meanwhile waits. */
function* hoursOf(dialect: Dialect, table: SumsDefinition, ranges: readonly ScopeHours[]): Work<SqlResult> {
  const given = dialect.rows([
    { name: 'kind', type: 'word' },
    { name: 'scope', type: 'key' },
    { name: 'from_ms', type: 'integer' },
    { name: 'until_ms', type: 'integer' },
  ])
  const selected = table.columns.map(({ name, type }) => {
    return `${type === 'money' ? moneyText(dialect, `h.${name}`) : `h.${name}`} AS ${name}`
  })
  const order = table.key.map((name) => `h.${name}`).join(', ')
  return yield* ask(
    `SELECT ${selected.join(', ')} FROM ${given} JOIN ${table.name} h ON h.kind = r.kind AND h.scope = r.scope AND h.hour_ms >= r.from_ms AND h.hour_ms < r.until_ms ORDER BY ${order}${dialect.forUpdate('h')}`,
    JSON.stringify(ranges.map(({ kind, scope, from, until }) => ({ kind, scope, from_ms: from, until_ms: until }))),
  )
}
