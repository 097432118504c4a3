import { z } from 'zod'
import { InvalidRequestError } from '../../errors.js'

const dayMs = 86_400_000
const syntax = /^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/

const date = z
  .string()
  .refine((text) => toInstant(text) !== undefined, {
    error: 'must be a date such as 2026-11-25, or a time such as 2026-11-25 12:00:00; UTC unless it says otherwise',
  })
  .optional()

/** The period that a report is of; the end is included. */
export const periodFields = { start_date: date, end_date: date }

/** One of them, for the documentation. */
export const examplePeriod = { start_date: '2026-11-01', end_date: '2026-11-30' }

/** What a query says about the period. */
export interface PeriodQuery {
  readonly start_date?: string | undefined
  readonly end_date?: string | undefined
}

/** From when until before when, in milliseconds since the epoch; undefined where the query does not say. */
export function toTimes({ start_date, end_date }: PeriodQuery): { readonly from?: number; readonly until?: number } {
  const from = start_date === undefined ? undefined : toInstant(start_date)
  const end = end_date === undefined ? undefined : toInstant(end_date)
  // A day is included as a whole, a time to its last second.
  const length = end_date?.length === 10 ? dayMs : 1_000
  return { ...(from !== undefined && { from }), ...(end !== undefined && { until: end + length }) }
}

/** First and last day; without them `days` days until today, or everything. @throws InvalidRequestError where it ends before it begins */
export function toDays(
  query: PeriodQuery,
  now: number,
  days?: number,
): { readonly fromDay: string; readonly untilDay: string } {
  const { start_date, end_date } = query
  const untilDay = dayOf(end_date === undefined ? now : (toInstant(end_date) ?? now))
  const first = days === undefined ? 0 : Date.parse(untilDay) - (days - 1) * dayMs
  const fromDay = dayOf(start_date === undefined ? first : (toInstant(start_date) ?? first))
  if (fromDay > untilDay) throw new InvalidRequestError('The period ends before it begins.', 'end_date')
  return { fromDay, untilDay }
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

function toInstant(text: string): number | undefined {
  if (!syntax.test(text)) return undefined
  const iso = text.replace(' ', 'T')
  const at = Date.parse(/T[\d:.]+$/.test(iso) ? `${iso}Z` : iso)
  return Number.isNaN(at) ? undefined : at
}
