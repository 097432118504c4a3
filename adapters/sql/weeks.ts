import { toDay } from '../../src/index.js'

/**
 * Longer periods beside the days: a report of months reads a few rows per week where it would read seven. A week stands
 * in the column of days, by its Monday: `week 2026-11-23`, which no range of days holds.
 */
const dayMs = 86_400_000
const weekMs = 7 * dayMs
// 1 January 1970 was a Thursday.
const firstMonday = 4 * dayMs

/** The names in the column of days that a day counts for. */
export function periodsOf(day: string): readonly string[] {
  return [day, weekName(mondayBefore(Date.parse(day)))]
}

/** The ranges of the column of days that a report reads, first and last name of each, both included. */
export function periodRanges(fromDay: string, untilDay: string): readonly (readonly [string, string])[] {
  const [from, until] = [Date.parse(fromDay), Date.parse(untilDay)]
  const first = mondayBefore(from + weekMs - dayMs)
  const end = mondayBefore(until + dayMs)
  if (!(first < end)) return [[fromDay, untilDay]]
  const ranges: readonly (readonly [string, string])[] = [
    [fromDay, toDay(first - dayMs)],
    [weekName(first), weekName(end - weekMs)],
    [toDay(end), untilDay],
  ]
  return ranges.filter(([one, other]) => one <= other)
}

function mondayBefore(at: number): number {
  return Math.floor((at - firstMonday) / weekMs) * weekMs + firstMonday
}

function weekName(monday: number): string {
  return `week ${toDay(monday)}`
}
