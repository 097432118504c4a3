import { type Json, isJson, send } from '../api.js'
import type { ListPage } from './use-pages.js'

/** What is read of a list. */
export interface ListQuery {
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** The member of the answer that holds the rows; an answer that is an array is all rows. */
  readonly member?: string
  readonly after: string | undefined
  readonly signal: AbortSignal
}

const limit = 25

/** Reads one page of a list; where the next one begins is in `next` of the answer, or beside an array in a header. */
export async function readListPage<Row = Json>({
  path,
  query,
  member,
  after,
  signal,
}: ListQuery): Promise<ListPage<Row>> {
  const response = await send({ path, query: { ...query, limit, after }, signal })
  const answer: unknown = await response.json()
  if (Array.isArray(answer)) return { rows: answer, next: response.headers.get('x-sluice-next') }
  const rows = isJson(answer) && member !== undefined ? answer[member] : undefined
  const next = isJson(answer) && typeof answer['next'] === 'string' ? answer['next'] : null
  return { rows: Array.isArray(rows) ? rows : [], next }
}
