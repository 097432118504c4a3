const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const cents = { minimumFractionDigits: 2, maximumFractionDigits: 2 }
const time = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' })

/** Dollars: two decimals, and three digits of less than a cent. */
export function dollars(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const isTiny = value !== 0 && Math.abs(value) < 0.1
  return `$${value.toLocaleString('en', isTiny ? { maximumSignificantDigits: 3 } : cents)}`
}

/** A count in full: `12,345`. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : whole.format(value)
}

/** A count at a glance: `12.3K`. */
export function compact(value: number): string {
  return short.format(value)
}

/** Milliseconds as people say them. */
export function duration(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  return value < 1_000 ? `${Math.round(value)} ms` : `${(value / 1_000).toFixed(value < 10_000 ? 2 : 1)} s`
}

/** A moment in the reader's own time zone. */
export function moment(value: unknown): string {
  if (typeof value !== 'string') return '–'
  const at = Date.parse(value)
  return Number.isNaN(at) ? value : time.format(at)
}

/** The UTC day that lies so many days back, as the ledger counts days. */
export function dayBack(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)
}

/** A value of a record as a line of text; nothing for one that is not set. */
export function plainText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
