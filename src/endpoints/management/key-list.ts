import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import type { Route } from '../../http/route.js'
import { type Actor, type Stored, findKeys, toKeyId, viewKey } from '../../keys/management/index.js'
import type { RecordIndex } from '../../ports/records.js'
import type { JsonObject } from '../../wire/json.js'
import { toKeyAnswer } from './answers.js'
import { defineManaged } from './managed.js'
import { findNumberedPage, flag, nextFields, pageNumber, pagingFields, toPage } from './paging.js'
import type { AdminParts } from './parts.js'
import { KeyListAnswer } from './shapes.js'

const text = z.string().min(1).max(400).optional()

const ListQuery = z.strictObject({
  ...pagingFields,
  page: pageNumber,
  user_id: text,
  team_id: text,
  organization_id: text,
  key_alias: text,
  key_hash: text,
  /** Objects in place of hashes. @default false */
  return_full_object: flag.optional(),
})
type ListQuery = z.infer<typeof ListQuery>

/** `GET /key/list`: keys, newest first; filters match exactly. */
export function keyList(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'GET',
    paths: ['/key/list'],
    access: 'caller',
    summary: 'Lists keys, newest first; members see their own, or those of a team that they lead.',
    query: ListQuery,
    response: KeyListAnswer,
    errors: ['permission', 'not_found'],
    examples: {
      hashes: { summary: 'Hashes; `next` leads to the next page', query: { size: '10' } },
      team: { summary: "A team's keys in full, by the number of the page", query: fullPage },
    },
    handle: async (actor, { query }) => jsonAnswer(200, await list(actor, query, parts)),
  })
}

async function list(actor: Actor, query: ListQuery, parts: AdminParts): Promise<JsonObject> {
  const toItem = (record: Stored<'key'>): unknown => (query.return_full_object ? toKeyAnswer(record) : record.id)
  if (query.key_hash !== undefined) {
    const id = toKeyId(query.key_hash, parts.callers)
    const found = id === undefined ? undefined : await viewKey(actor, id, parts.callers)
    const keys = found ? [toItem(found)] : []
    return { keys, total_count: keys.length, current_page: 1, total_pages: 1, ...nextFields(undefined) }
  }
  const index = toIndex(query)
  const wanted = toPage(query)
  if (query.page === undefined) {
    const { records, next } = await findKeys(actor, { index, ...wanted }, parts.callers)
    return { keys: records.map(toItem), ...nextFields(next) }
  }
  const { rows, total, totalPages } = await findNumberedPage(query.page, wanted.limit, (page) =>
    findKeys(actor, { index, ...page }, parts.callers),
  )
  return { keys: rows.map(toItem), total_count: total, current_page: query.page, total_pages: totalPages }
}

function toIndex({ user_id, team_id, organization_id, key_alias }: ListQuery): RecordIndex {
  return {
    ...(user_id !== undefined && { user: user_id }),
    ...(team_id !== undefined && { team: team_id }),
    ...(organization_id !== undefined && { organization: organization_id }),
    ...(key_alias !== undefined && { alias: key_alias }),
  }
}

const fullPage = { team_id: 'search', return_full_object: 'true', page: '1' }
