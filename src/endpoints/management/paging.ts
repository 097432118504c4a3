import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import type { HttpBodyResponse } from '../../http/message.js'

/** A whole number in a query. */
export const wholeNumber = z
  .string()
  .regex(/^\d{1,9}$/, { error: 'must be a whole number' })
  .transform(Number)

/** A switch in a query. */
export const flag = z.enum(['true', 'false'], { error: 'must be true or false' }).transform((text) => text === 'true')

const size = wholeNumber.refine((count) => count >= 1 && count <= 1_000, { error: 'must be from 1 to 1000' }).optional()

/** How a list is cut into pages; `size` and `page_size` are LiteLLM's words for `limit`. */
export const pagingFields = {
  /** Rows of a page. @default 100 */
  limit: size,
  size,
  page_size: size,
  /** Where the page before ended: its `next`, or its header `x-sluice-next`. */
  after: z.string().max(1_000).optional(),
}

/** What a query says about pages. */
export interface PagingQuery {
  readonly limit?: number | undefined
  readonly size?: number | undefined
  readonly page_size?: number | undefined
  readonly after?: string | undefined
}

/** The page that is wanted, in the words of stores. */
export function toPage({ limit, size: sizeOf, page_size, after }: PagingQuery): {
  readonly limit: number
  readonly after?: string
} {
  return { limit: limit ?? sizeOf ?? page_size ?? 100, ...(after !== undefined && { after }) }
}

/** A page where LiteLLM answers an array: `x-sluice-next` is the `after` of the next one, and absent on the last. */
export function arrayAnswer(rows: readonly unknown[], next: string | undefined): HttpBodyResponse {
  return jsonAnswer(200, rows, next === undefined ? {} : { 'x-sluice-next': next })
}

/** What a page says of the next one where LiteLLM answers an object. */
export function nextFields(next: string | undefined): { readonly next: string | null; readonly has_more: boolean } {
  return { next: next ?? null, has_more: next !== undefined }
}

/** A page by its number, from 1; LiteLLM's way. */
export const pageNumber = wholeNumber
  .refine((page) => page >= 1 && page <= 10_000, { error: 'must be from 1 to 10000' })
  .optional()

/** What is read for a page by its number: rows, newest first, and where the next ones begin. */
export type FindRows<Row> = (page: { readonly limit: number; readonly after?: string }) => Promise<{
  readonly records: readonly Row[]
  readonly next: string | undefined
}>

/** A page by its number, and how many rows there are; null where counting would take too long. */
export interface NumberedPage<Row> {
  readonly rows: readonly Row[]
  readonly total: number | null
  readonly totalPages: number | null
}

const readAtOnce = 1_000
const mostRead = 20_000

/**
 * Finds a page by its number. Reads everything before it, and counts what comes after it, 20,000 rows at most: for
 * lists that are longer there is `after`.
 */
export async function findNumberedPage<Row>(
  page: number,
  limit: number,
  find: FindRows<Row>,
): Promise<NumberedPage<Row>> {
  const first = (page - 1) * limit
  const rows: Row[] = []
  let total = 0
  let read = 0
  let after: string | undefined
  do {
    const found = await find({ limit: readAtOnce, ...(after !== undefined && { after }) })
    rows.push(...found.records.slice(Math.max(0, first - total), Math.max(0, first + limit - total)))
    total += found.records.length
    read += readAtOnce
    after = found.next
  } while (after !== undefined && read < mostRead)
  if (after !== undefined) return { rows, total: null, totalPages: null }
  return { rows, total, totalPages: Math.ceil(total / limit) }
}
