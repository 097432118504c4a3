import { LRUCache } from 'lru-cache'
import type { Budget } from '../ports.js'
import { type TimeZone, createTimeZone } from './time-zone.js'

/** One window of a budget: what is spent from `startsAt` (included) until `endsAt` (excluded) counts together. */
export interface BudgetWindow {
  /** The same in every process, and another one for every window: `1mo@1793491200000`. */
  readonly id: string
  /** Milliseconds since the epoch; 0 where there is neither a start nor a duration. */
  readonly startsAt: number
  /** Undefined: never. */
  readonly endsAt: number | undefined
}

/** Finds the windows of budgets; what it knows of time zones and current windows is kept for the next call. */
export interface BudgetWindows {
  /**
   * The window that `now` lies in. With `startsAt`, windows follow each other from there: seconds, minutes and hours by
   * the clock, days, weeks, months and years at the same local time, where the month has that day, else on its last.
   * Without it they follow the calendar of the time zone: days from midnight, `7d` and weeks from Monday, months and
   * `30d` from the first, as LiteLLM has it; parts of a day are counted from midnight, other lengths from 1970.
   * @throws TypeError for a duration that is none, or an unknown time zone
   */
  at(budget: Budget, now: number): BudgetWindow
}

type Unit = 's' | 'm' | 'h' | 'd' | 'w' | 'mo' | 'y'

interface Duration {
  readonly count: number
  readonly unit: Unit
}

interface Span {
  readonly startsAt: number
  readonly endsAt: number
}

const second = 1_000
const hour = 3_600_000
const day = 24 * hour
const units = { s: second, m: 60 * second, h: hour, d: day, w: 7 * day }
// `30s 30m 1h 24h 1d 7d 30d 1w 1mo 1y` and their like.
const syntax = /^([1-9]\d{0,8})(s|m|h|d|w|mo|y)$/
// The first Monday after the epoch, as days since then.
const firstMonday = 4
const keptWindows = 10_000

/** Builds a finder of windows. */
export function createBudgetWindows(): BudgetWindows {
  const zones = new LRUCache<string, TimeZone>({ max: 500 })
  const current = new LRUCache<string, BudgetWindow>({ max: keptWindows })
  const zoneOf = (name: string): TimeZone => {
    const known = zones.get(name)
    if (known) return known
    const made = toTimeZone(name)
    zones.set(name, made)
    return made
  }
  return {
    at({ budgetDuration, timeZone = 'UTC', startsAt }, now) {
      if (budgetDuration === undefined)
        return { id: `all@${startsAt ?? 0}`, startsAt: startsAt ?? 0, endsAt: undefined }
      const key = `${budgetDuration} ${timeZone} ${startsAt}`
      const known = current.get(key)
      if (known?.endsAt !== undefined && known.startsAt <= now && now < known.endsAt) return known
      const duration = toDuration(budgetDuration)
      const zone = zoneOf(timeZone)
      const span = startsAt === undefined ? calendarSpan(duration, zone, now) : spanFrom(startsAt, duration, zone, now)
      const window = { id: `${budgetDuration}@${span.startsAt}`, ...span }
      current.set(key, window)
      return window
    },
  }
}

function toTimeZone(name: string): TimeZone {
  try {
    return createTimeZone(name)
  } catch (cause) {
    throw new TypeError(`${name} is not a time zone that this system knows.`, { cause })
  }
}

function toDuration(text: string): Duration {
  const [, count, unit] = syntax.exec(text) ?? []
  if (count === undefined || !isUnit(unit)) {
    throw new TypeError(`${text} is not a budget duration: use a number and s, m, h, d, w, mo or y, such as 30d.`)
  }
  return { count: Number(count), unit }
}

function isUnit(unit: string | undefined): unit is Unit {
  return unit !== undefined && (unit in units || unit === 'mo' || unit === 'y')
}

/** Windows one after the other from `startsAt`, and backwards from there for what was before. */
function spanFrom(startsAt: number, { count, unit }: Duration, zone: TimeZone, now: number): Span {
  if (unit === 's' || unit === 'm' || unit === 'h') return multiple(now, count * units[unit], startsAt)
  const anchor = zone.toLocal(startsAt)
  const local = zone.toLocal(now)
  if (unit === 'mo' || unit === 'y') {
    const months = unit === 'y' ? count * 12 : count
    const guess = Math.floor((monthOf(local) - monthOf(anchor)) / months)
    return around(guess, now, (index) => zone.toInstant(addMonths(anchor, index * months)))
  }
  const length = count * units[unit]
  return around(Math.floor((local - anchor) / length), now, (index) => zone.toInstant(anchor + index * length))
}

/** Windows that begin where the calendar has its edges. */
function calendarSpan(duration: Duration, zone: TimeZone, now: number): Span {
  const { count, unit } = toCalendarUnit(duration)
  const local = zone.toLocal(now)
  if (unit === 'mo' || unit === 'y') {
    const months = unit === 'y' ? count * 12 : count
    return around(Math.floor(monthOf(local) / months), now, (index) => zone.toInstant(firstOfMonth(index * months)))
  }
  if (unit === 'd' || unit === 'w') {
    const origin = unit === 'w' ? firstMonday * day : 0
    const length = count * units[unit]
    return around(Math.floor((local - origin) / length), now, (index) => zone.toInstant(origin + index * length))
  }
  const length = count * units[unit]
  if (length > day) return multiple(now, length, 0)
  const today = around(Math.floor(local / day), now, (index) => zone.toInstant(index * day))
  const { startsAt, endsAt } = multiple(now, length, today.startsAt)
  return { startsAt, endsAt: Math.min(endsAt, today.endsAt) }
}

/** Lengths that the calendar has a name for: a day of 24 hours, a week of 7 days, and, as in LiteLLM, a month of 30 days. */
function toCalendarUnit({ count, unit }: Duration): Duration {
  if (unit === 'h' && count % 24 === 0) return toCalendarUnit({ count: count / 24, unit: 'd' })
  if (unit !== 'd') return { count, unit }
  if (count === 30) return { count: 1, unit: 'mo' }
  return count % 7 === 0 ? { count: count / 7, unit: 'w' } : { count, unit }
}

function multiple(now: number, length: number, origin: number): Span {
  const startsAt = origin + Math.floor((now - origin) / length) * length
  return { startsAt, endsAt: startsAt + length }
}

/** The window that holds `now`, from a guess that a change of the clocks may have put beside it. */
function around(guess: number, now: number, edge: (index: number) => number): Span {
  let index = guess
  while (edge(index) > now) index--
  while (edge(index + 1) <= now) index++
  return { startsAt: edge(index), endsAt: edge(index + 1) }
}

/** Months since the year 0. */
function monthOf(local: number): number {
  const date = new Date(local)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

function firstOfMonth(month: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12, 1)
}

/** The same day and time some months later; on the last day of a month that is too short. */
function addMonths(local: number, months: number): number {
  const month = monthOf(local) + months
  const sinceFirst = local - firstOfMonth(monthOf(local))
  const lengthOfMonth = firstOfMonth(month + 1) - firstOfMonth(month)
  const whole = Math.floor(sinceFirst / day) * day
  return firstOfMonth(month) + Math.min(whole, lengthOfMonth - day) + (sinceFirst - whole)
}
