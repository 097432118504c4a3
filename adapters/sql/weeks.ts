import { toDay, weekMs, weekOf } from '../../src/index.js'
import type { Statement, SqlRow } from './database.js'
import { type Dialect, fromMoney, moneyText, storedColumns } from './dialect.js'
import type { SumsDefinition, Tables } from './schema.js'

/**
 * Longer periods beside the days: a report of months reads a few rows per week where it would read seven. A week stands
 * in the column of days, by its Monday: `week 2026-11-23`, which no range of days holds.
 */
const dayMs = 86_400_000

/** The names in the column of days that a day counts for. */
export function periodsOf(day: string): readonly string[] {
  return [day, weekName(weekOf(Date.parse(day)))]
}

/** The first and the last day of a report, both included. */
export interface DayRange {
  readonly fromDay: string
  readonly untilDay: string
}

/** A first and a last name in the column of days, both included. */
export type PeriodRange = readonly [string, string]

/** The ranges that a report reads; days instead of the weeks that are not to be relied on, by their names. */
export function periodRanges(range: DayRange, lacking: ReadonlySet<string> = new Set()): readonly PeriodRange[] {
  const { fromDay, untilDay } = range
  const weeks = weeksWithin(range)
  if (!weeks) return [[fromDay, untilDay]]
  const mondays = [...lacking].map((name) => Date.parse(name.slice('week '.length)))
  const ranges: PeriodRange[] = [[fromDay, toDay(weeks.first - dayMs)]]
  let next = weeks.first
  for (const monday of mondays.toSorted((a, b) => a - b)) {
    ranges.push([weekName(next), weekName(monday - weekMs)], [toDay(monday), toDay(monday + weekMs - dayMs)])
    next = monday + weekMs
  }
  ranges.push([weekName(next), weekName(weeks.end - weekMs)], [toDay(weeks.end), untilDay])
  return ranges.filter(([one, other]) => one <= other)
}

/** Asks what all calls of the weeks within a range come to, by their days and by themselves; undefined without a week. */
export function weeksQuestion(dialect: Dialect, { days }: Tables, range: DayRange): Statement | undefined {
  const weeks = weeksWithin(range)
  if (!weeks) return undefined
  const sums = ['charged', 'cost'].map((name) => `${moneyText(dialect, name, true)} AS ${name}`).join(', ')
  const { first, end } = weeks
  return {
    sql: `SELECT day, SUM(calls) AS calls, ${sums} FROM ${days.name} WHERE kind = 'all' AND scope = '' AND (day >= ? AND day <= ? OR day >= ? AND day <= ?) GROUP BY day`,
    values: [toDay(first), toDay(end - dayMs), weekName(first), weekName(end - weekMs)],
  }
}

/**
 * The names of the weeks that are not what their days add up to, from the answer to `weeksQuestion`: processes of a
 * version that knows no weeks write days alone.
 */
export function lackingWeeks(rows: readonly SqlRow[]): ReadonlySet<string> {
  const beyond = new Map<string, readonly bigint[]>()
  for (const row of rows) {
    const day = String(row['day'])
    const [sign, week = ''] = day.startsWith('week ') ? [-1n, day] : [1n, periodsOf(day)[1]]
    const sums = [BigInt(String(row['calls'])), fromMoney(row['charged']), fromMoney(row['cost'])]
    const known = beyond.get(week)
    beyond.set(
      week,
      sums.map((sum, index) => (known?.[index] ?? 0n) + sign * sum),
    )
  }
  return new Set([...beyond].filter(([, sums]) => sums.some((sum) => sum !== 0n)).map(([week]) => week))
}

/**
 * The statement that adds to each week what it lacks of its days. It adds the difference that one state of the data has,
 * so that writers need not wait; but two at once would both add it.
 */
export function fillWeeks(dialect: Dialect, table: SumsDefinition): string {
  const names = table.columns.map(({ name }) => name)
  const by = names.filter((name) => !['id', 'day', ...table.sums].includes(name))
  const summed = table.columns.filter(({ name }) => table.sums.includes(name))
  const sums = storedColumns(dialect, summed).map(({ name }) => name)
  // A digest of the columns cannot be had in SQL: one that no writer has is as good.
  const id = "COALESCE(MAX(CASE WHEN d.sign = -1 THEN d.id END), REPLACE('week of #', '#', MIN(d.id)))"
  const isDay = "x.day < 'week'"
  const week = `CASE WHEN ${isDay} THEN ${dialect.weekOf('x.day')} ELSE x.day END`
  const lacking = sums.map((name) => `SUM(d.sign * d.${name})`)
  const into = [...(names.includes('id') ? ['id'] : []), 'day', ...by, ...sums]
  const selected = [...(names.includes('id') ? [id] : []), 'd.week', ...by.map((name) => `d.${name}`), ...lacking]
  const added = sums.map((name) => `${name} = ${table.name}.${name} + ${dialect.incoming(name)}`)
  return [
    `INSERT INTO ${table.name} (${into.join(', ')}) SELECT ${selected.join(', ')}`,
    `FROM (SELECT x.*, ${week} AS week, CASE WHEN ${isDay} THEN 1 ELSE -1 END AS sign FROM ${table.name} x) d`,
    `GROUP BY d.week, ${by.map((name) => `d.${name}`).join(', ')}`,
    `HAVING ${lacking.map((sum) => `${sum} <> 0`).join(' OR ')}`,
    `${dialect.onConflict(table.key)} ${added.join(', ')}`,
  ].join(' ')
}

function weeksWithin({ fromDay, untilDay }: DayRange): { readonly first: number; readonly end: number } | undefined {
  const first = weekOf(Date.parse(fromDay) + weekMs - dayMs)
  const end = weekOf(Date.parse(untilDay) + dayMs)
  return first < end ? { first, end } : undefined
}

/** The name of the week that begins on a Monday. */
export function weekName(monday: number): string {
  return `week ${toDay(monday)}`
}
