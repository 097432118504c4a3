const syntax = /^([1-9]\d{0,8})(s|m|h|d|w|mo|y)$/
const second = 1_000
const day = 86_400_000
const lengths = { s: second, m: 60 * second, h: 3_600 * second, d: day, w: 7 * day }
// The last moment that a Date can hold.
const lastInstant = 8_640_000_000_000_000

/** True for `30s 30m 1h 24h 1d 7d 30d 1w 1mo 1y` and their like. */
export function isDuration(text: string): boolean {
  return syntax.test(text)
}

/**
 * The moment a duration after `from`, in milliseconds since the epoch; months and years are the calendar's, in UTC,
 * and end on the last day of a month that is too short. Undefined for what is no duration, or lies beyond all dates.
 */
export function addDuration(from: number, duration: string): number | undefined {
  const [, digits, unit] = syntax.exec(duration) ?? []
  if (digits === undefined || unit === undefined) return undefined
  const at = toInstant(from, Number(digits), unit)
  return at <= lastInstant ? at : undefined
}

function toInstant(from: number, count: number, unit: string): number {
  if (isFixed(unit)) return from + count * lengths[unit]
  return addMonths(from, unit === 'y' ? count * 12 : count)
}

function isFixed(unit: string): unit is keyof typeof lengths {
  return Object.hasOwn(lengths, unit)
}

function addMonths(from: number, months: number): number {
  const date = new Date(from)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + months]
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const midnight = Date.UTC(year, month, Math.min(date.getUTCDate(), lastDay))
  return Number.isNaN(midnight) ? Infinity : midnight + (from % day)
}
