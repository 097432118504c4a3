import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import type { Route } from '../../http/route.js'
import type { Actor } from '../../keys/management/index.js'
import type { LedgerEntry, LedgerPage, LedgerQuery, ScopeKind } from '../../ports/ledger.js'
import type { JsonObject } from '../../wire/json.js'
import { dollarsOf } from './dollars.js'
import { defineManaged } from './managed.js'
import { arrayAnswer, findNumberedPage, nextFields, pageNumber, pagingFields, toPage } from './paging.js'
import type { AdminParts } from './parts.js'
import { periodFields, toTimes } from './period.js'
import { readLedger } from './read-ledger.js'
import { scopeFields, toSpendScope } from './spend-scope.js'
import { tokensIn, tokensOut } from './tokens.js'

const text = z.string().min(1).max(400).optional()

const LogsQuery = z.strictObject({
  ...scopeFields,
  ...periodFields,
  ...pagingFields,
  /** All attempts of one call: the `x-request-id` of its answer. */
  request_id: text,
  model_group: text,
  status_filter: z.enum(['success', 'failure']).optional(),
  /** Rows without a known price. */
  priced: z.enum(['true', 'false']).optional(),
})
type LogsQuery = z.infer<typeof LogsQuery>

/** `GET /spend/logs`, an array, and `/spend/logs/v2`, an object: the rows of the ledger, newest first. */
export function spendLogs(parts: AdminParts): readonly Route[] {
  const route = { method: 'GET', access: 'caller', query: LogsQuery } as const
  return [
    defineManaged(parts, {
      ...route,
      paths: ['/spend/logs'],
      summary: 'Lists billed attempts, newest first; the header x-sluice-next leads to the next page.',
      handle: async (actor, { query }) => {
        const { entries, next } = await findEntries(actor, query, parts)
        return arrayAnswer(entries.map(toLog), next)
      },
    }),
    defineManaged(parts, {
      ...route,
      query: LogsQuery.extend({ page: pageNumber }),
      paths: ['/spend/logs/v2'],
      summary:
        'Lists billed attempts, newest first, with `next`, which leads to the next page; or by the number of a page.',
      handle: async (actor, { query: { page, ...query } }) => {
        if (page !== undefined) return jsonAnswer(200, await findNumbered(actor, page, query, parts))
        const { entries, next } = await findEntries(actor, query, parts)
        return jsonAnswer(200, { data: entries.map(toLog), ...nextFields(next) })
      },
    }),
  ]
}

async function findNumbered(actor: Actor, page: number, query: LogsQuery, parts: AdminParts): Promise<JsonObject> {
  const { limit } = toPage(query)
  const { rows, total, totalPages } = await findNumberedPage(page, limit, async (rest) => {
    const { entries, next } = await findEntries(actor, { ...query, ...rest }, parts)
    return { records: entries, next }
  })
  return { data: rows.map(toLog), total, page, page_size: limit, total_pages: totalPages }
}

async function findEntries(actor: Actor, query: LogsQuery, parts: AdminParts): Promise<LedgerPage> {
  const scope = await toSpendScope(actor, query, parts)
  const { request_id: callId, model_group: modelName, status_filter: status, priced } = query
  const wanted: LedgerQuery = {
    ...toPage(query),
    ...toTimes(query),
    ...(scope && { scope }),
    ...(callId !== undefined && { callId }),
    ...(modelName !== undefined && { modelName }),
    ...(status !== undefined && { failed: status === 'failure' }),
    ...(priced !== undefined && { priced: priced === 'true' }),
  }
  return readLedger(parts, (ledger) => ledger.query(wanted))
}

/** A row in LiteLLM's words, and ours where it has none; `spend` is what the scopes were charged. */
function toLog(entry: LedgerEntry): JsonObject {
  const { at, latencyMs, firstTokenMs, failure } = entry
  const [input, output] = [tokensIn(entry.usage), tokensOut(entry.usage)]
  return {
    id: entry.id,
    request_id: entry.callId,
    call_type: entry.operation,
    api_key: scopeOf(entry, 'key') ?? null,
    spend: dollarsOf(entry.charged),
    provider_cost: dollarsOf(entry.cost),
    total_tokens: input + output,
    prompt_tokens: input,
    completion_tokens: output,
    usage: entry.usage,
    startTime: new Date(at - latencyMs).toISOString(),
    endTime: new Date(at).toISOString(),
    completionStartTime: firstTokenMs === undefined ? null : new Date(at - latencyMs + firstTokenMs).toISOString(),
    request_duration_ms: latencyMs,
    model: entry.model,
    model_id: entry.deployment,
    model_group: entry.modelName,
    custom_llm_provider: entry.provider,
    caller: entry.caller,
    user: scopeOf(entry, 'user') ?? null,
    team_id: scopeOf(entry, 'team') ?? null,
    organization_id: scopeOf(entry, 'organization') ?? null,
    customer: scopeOf(entry, 'customer') ?? null,
    end_user: entry.endUser ?? null,
    request_tags: entry.tags,
    metadata: entry.metadata ?? {},
    cache_hit: entry.cached ? 'True' : 'False',
    status: failure === undefined ? 'success' : 'failure',
    http_status: entry.status,
    failure: failure ?? null,
    price: entry.price,
    priced: entry.priced,
    estimated: entry.estimated,
    aborted: entry.aborted,
    billable: entry.billable,
  }
}

function scopeOf({ scopes }: LedgerEntry, kind: ScopeKind): string | undefined {
  return scopes.find((scope) => scope.kind === kind)?.id
}
