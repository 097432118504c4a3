import { GatewayError } from '../errors.js'

/** Where a page ended: the time of its last row in milliseconds, and that row's id (in memory: its number). */
export interface Cursor {
  readonly at: number
  readonly id: string
}

/** Writes the `next` of a page; opaque to clients. */
export function toCursor({ at, id }: Cursor): string {
  return Buffer.from(`${at} ${id}`).toString('base64url')
}

/**
 * Reads the `after` of a query.
 * @throws GatewayError invalid_request for what `toCursor` did not write
 */
export function fromCursor(after: string): Cursor {
  const match = /^(-?\d{1,16}) (.*)$/s.exec(Buffer.from(after, 'base64url').toString())
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new GatewayError('invalid_request', 'The page marker is not one that this list gave.', { param: 'after' })
  }
  return { at: Number(match[1]), id: match[2] }
}

/** How many rows a page holds: what was asked for, 100 by default, within 1 and 1,000. */
export function pageSize(limit: number | undefined): number {
  return Math.min(Math.max(Math.trunc(limit ?? 100), 1), 1_000)
}
