import { type SqlRow, type Work, ask } from './database.js'

/**
 * `word`: a short word of ours, indexed. `key`: compared and indexed, at most `maxKeyBytes`. `text`: of any length.
 * `integer`: 64 bits. `number`: floating. `flag`: 0 or 1. `money`: pico-dollars, exact.
 */
export type ColumnType = 'word' | 'key' | 'text' | 'integer' | 'number' | 'flag' | 'money'

/** One column of a table. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly nullable?: boolean
}

/** One table as the statements need it; `key` is its primary key. */
export interface Table {
  readonly name: string
  readonly columns: readonly Column[]
  readonly key: readonly string[]
}

/**
 * Where the databases differ. Bulk statements take all their rows as one JSON parameter: constant text that a server
 * prepares once, and no limit of placeholders.
 */
export interface Dialect {
  readonly name: 'postgres' | 'mysql' | 'sqlite'
  readonly types: Readonly<Record<ColumnType, string>>
  /** What stands behind the last parenthesis of a table. */
  readonly tableOptions: string
  /** What makes a SELECT lock its rows of a table, by the table's alias; `free`: and leave out those that others have locked. */
  forUpdate(alias: string, free?: boolean): string
  /** How many entries one transaction appends; SQLite's hold up the whole process. */
  readonly entriesAtOnce: number
  /** SQLite has no decimals: money is kept in two columns, micro-dollars and the pico-dollars beyond. */
  readonly splitsMoney: boolean
  /** The rows of a JSON parameter as a table expression named `r`. */
  rows(columns: readonly Column[]): string
  /** What makes an INSERT change the row that has the key already; its new values are `incoming(column)`. */
  onConflict(key: readonly string[]): string
  incoming(column: string): string
  /** An UPDATE of these columns in the rows whose key is among those of the JSON parameter. */
  updateSql(table: Table, set: readonly string[]): string
  /** A DELETE of the rows whose key is among those of the JSON parameter. */
  deleteSql(table: Table): string
  /** Inserts rows whose `id` is not there yet, and gives the ids of those that were inserted. */
  insertNew(table: Table, rows: readonly SqlRow[]): Work<ReadonlySet<string>>
  /** The name of the week that a day in a column belongs to, see weeks.ts. */
  weekOf(column: string): string
  /** What an INSERT begins with that gathers lists. */
  readonly insertLists: string
  /** A group's texts as a JSON list, in order. */
  jsonList(column: string): string
  /** Text that is short enough for a key, or something as good in its place. */
  shortKey(text: string): string
  /** Lost against another transaction; worth another try. */
  isContention(error: unknown): boolean
  /** The server has no room, takes no writes, or gave up: no row is at fault. */
  isOutOfOrder(error: unknown): boolean
  /** A row with this primary or unique key is there already. */
  isDuplicate(error: unknown): boolean
}

const unit = 1_000_000n

/** The columns that stand for these in the database. */
export function storedColumns(dialect: Dialect, columns: readonly Column[]): readonly Column[] {
  if (!dialect.splitsMoney) return columns
  return columns.flatMap((column) =>
    column.type === 'money'
      ? [
          { ...column, type: 'integer' },
          { name: `${column.name}_pico`, type: 'integer' },
        ]
      : [column],
  )
}

/** A SELECT expression for money, as text that `fromMoney` reads; `sum` adds up a group. */
export function moneyText(dialect: Dialect, column: string, sum = false): string {
  const of = (name: string): string => (sum ? `COALESCE(SUM(${name}), 0)` : name)
  if (dialect.splitsMoney) return `${of(column)} || ' ' || ${of(`${column}_pico`)}`
  return `CAST(${of(column)} AS ${dialect.name === 'mysql' ? 'CHAR' : 'TEXT'})`
}

/** An expression of money as one number, from that of each of its columns; beyond 64 bits only its sign is to be relied on. */
export function moneyNumber(dialect: Dialect, of: (suffix: string) => string): string {
  return dialect.splitsMoney ? `((${of('')}) * ${unit} + (${of('_pico')}))` : `(${of('')})`
}

/** Reads what `moneyText` selected, in pico-dollars. */
export function fromMoney(text: unknown): bigint {
  const [first = '0', pico] = String(text).split(' ')
  return pico === undefined ? BigInt(first) : BigInt(first) * unit + BigInt(pico)
}

/** An INSERT of the rows of a JSON parameter. */
export function insertSql(dialect: Dialect, { name, columns }: Table): string {
  const stored = storedColumns(dialect, columns)
  const names = stored.map((column) => column.name)
  const selected = names.map((column) => `r.${column}`)
  // SQLite needs the WHERE to tell an upsert from a join.
  return `INSERT INTO ${name} (${names.join(', ')}) SELECT ${selected.join(', ')} FROM ${dialect.rows(stored)} WHERE 1 = 1`
}

/** The primary key's columns. */
export function keyColumns({ columns, key }: Table): readonly Column[] {
  return columns.filter(({ name }) => key.includes(name))
}

/** Rows as the JSON parameter of a bulk statement; pico-dollars as text, or in two parts. */
export function toJsonRows(dialect: Dialect, rows: readonly SqlRow[]): string {
  if (dialect.splitsMoney) return JSON.stringify(rows.map(splitMoney))
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

function splitMoney(row: SqlRow): SqlRow {
  const sent: Record<string, unknown> = { ...row }
  for (const [name, value] of Object.entries(row)) {
    if (typeof value !== 'bigint') continue
    sent[name] = String(value / unit)
    sent[`${name}_pico`] = Number(value % unit)
  }
  return sent
}

/** Inserts rows. */
export function* insertRows(dialect: Dialect, table: Table, rows: readonly SqlRow[]): Work<void> {
  if (rows.length > 0) yield* ask(insertSql(dialect, table), toJsonRows(dialect, rows))
}

/** Inserts rows, or adds to those that have the same key already; `sums` are the columns that add up. */
export function* addRows(
  dialect: Dialect,
  table: Table & { readonly sums: readonly string[] },
  rows: readonly SqlRow[],
): Work<void> {
  if (rows.length === 0) return
  const sums = storedColumns(
    dialect,
    table.columns.filter(({ name }) => table.sums.includes(name)),
  )
  const added = sums.map(({ name }) => `${name} = ${table.name}.${name} + ${dialect.incoming(name)}`)
  yield* ask(
    `${insertSql(dialect, table)} ${dialect.onConflict(table.key)} ${added.join(', ')}`,
    toJsonRows(dialect, rows),
  )
}

/** Sets columns of the rows that have the keys of these. */
export function* updateRows(
  dialect: Dialect,
  table: Table,
  { set, rows }: { readonly set: readonly string[]; readonly rows: readonly SqlRow[] },
): Work<void> {
  if (rows.length === 0) return
  const wanted = table.columns.filter(({ name }) => table.key.includes(name) || set.includes(name))
  const stored = storedColumns(dialect, wanted).map(({ name }) => name)
  const sql = dialect.updateSql(
    { ...table, columns: wanted },
    stored.filter((name) => !table.key.includes(name)),
  )
  yield* ask(sql, toJsonRows(dialect, rows))
}

/** Deletes the rows that have the keys of these. */
export function* deleteRows(dialect: Dialect, table: Table, rows: readonly SqlRow[]): Work<number> {
  if (rows.length === 0) return 0
  const keys = rows.map((row) => Object.fromEntries(table.key.map((name) => [name, row[name]])))
  const { changes } = yield* ask(dialect.deleteSql(table), JSON.stringify(keys))
  return changes
}

/** A member of what a driver gave or threw, such as an error's `code`. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
