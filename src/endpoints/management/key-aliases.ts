import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import type { Route } from '../../http/route.js'
import { type Actor, findKeys } from '../../keys/management/index.js'
import { defineManaged } from './managed.js'
import { findNumberedPage, pageNumber, pagingFields, toPage } from './paging.js'
import type { AdminParts } from './parts.js'
import { KeyAliasesAnswer } from './shapes.js'

const text = z.string().min(1).max(400).optional()
const { after: _, ...numbered } = pagingFields

const AliasesQuery = z.strictObject({ ...numbered, page: pageNumber, team_id: text, search: text })
type AliasesQuery = z.infer<typeof AliasesQuery>

const defaultSize = 50

/** `GET /key/aliases`: the aliases of the keys that one may see; `search` finds those that contain it, in any case. */
export function keyAliases(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'GET',
    paths: ['/key/aliases'],
    access: 'caller',
    summary: 'Lists the aliases of keys, newest key first.',
    query: AliasesQuery,
    response: KeyAliasesAnswer,
    errors: ['permission'],
    examples: {
      search: {
        summary: 'Those that contain a text',
        query: { search: 'laptop' },
        answer: { aliases: ['ann-laptop'], total_count: 1, current_page: 1, total_pages: 1, size: 50 },
      },
    },
    handle: async (actor, { query }) => jsonAnswer(200, await list(actor, query, parts)),
  })
}

async function list(actor: Actor, query: AliasesQuery, parts: AdminParts) {
  const { page = 1, team_id: team, search = '' } = query
  const { limit } = toPage({ ...query, limit: query.limit ?? query.size ?? query.page_size ?? defaultSize })
  const wanted = search.toLowerCase()
  const { rows, total, totalPages } = await findNumberedPage(page, limit, async (part) => {
    const { records, next } = await findKeys(
      actor,
      { index: team === undefined ? {} : { team }, ...part },
      parts.callers,
    )
    const aliases = records.flatMap(({ data: { key_alias: alias } }) => alias ?? [])
    return { records: aliases.filter((alias) => alias.toLowerCase().includes(wanted)), next }
  })
  return { aliases: rows, total_count: total, current_page: page, total_pages: totalPages, size: limit }
}
