import { z } from 'zod'

/** What a query says about pages of a list in memory. */
export const PageFields = {
  /** Rows of a page. @default all */
  limit: z
    .string()
    .regex(/^(?:[1-9]\d{0,2}|1000)$/, { error: 'must be from 1 to 1000' })
    .transform(Number)
    .optional(),
  /** Where the page before ended: its `next`. */
  after: z.string().min(1).max(400).optional(),
}

/** Rows, and the id where the next page begins. */
export interface PageOf<Row> {
  readonly rows: readonly Row[]
  readonly next: string | null
}

/** A page of rows by the order of their ids, so that a row which comes or goes moves no other from page to page. */
export function pageOf<Row extends { readonly id: string }>(
  all: readonly Row[],
  { limit, after }: { readonly limit?: number | undefined; readonly after?: string | undefined },
): PageOf<Row> {
  if (limit === undefined && after === undefined) return { rows: all, next: null }
  const sorted = all.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const rest = after === undefined ? sorted : sorted.filter(({ id }) => id > after)
  const rows = rest.slice(0, limit)
  return { rows, next: rows.length < rest.length ? (rows.at(-1)?.id ?? null) : null }
}
