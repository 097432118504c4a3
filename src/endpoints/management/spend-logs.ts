import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import { namedShape } from '../../http/openapi/schema.js'
import type { Route } from '../../http/route.js'
import type { Actor } from '../../keys/management/index.js'
import type { LedgerEntry, LedgerPage, LedgerQuery, ScopeKind } from '../../ports/ledger.js'
import type { JsonObject } from '../../wire/json.js'
import { dollarsOf } from './dollars.js'
import { defineManaged } from './managed.js'
import { arrayAnswer, findNumberedPage, nextFields, pageNumber, pagingFields, toPage } from './paging.js'
import type { AdminParts } from './parts.js'
import { examplePeriod, periodFields, toTimes } from './period.js'
import { readLedger } from './read-ledger.js'
import { eitherPage, exampleKey, nextHeader } from './shapes.js'
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

const LogRow = namedShape(
  'Attempt',
  z.object({
    id: z.string(),
    request_id: z.string(),
    call_type: z.string(),
    api_key: z.string().nullable(),
    spend: z.number(),
    provider_cost: z.number(),
    total_tokens: z.int(),
    prompt_tokens: z.int(),
    completion_tokens: z.int(),
    usage: z.record(z.string(), z.number()),
    startTime: z.iso.datetime(),
    endTime: z.iso.datetime(),
    completionStartTime: z.iso.datetime().nullable(),
    request_duration_ms: z.number(),
    model: z.string(),
    model_id: z.string(),
    model_group: z.string(),
    custom_llm_provider: z.string(),
    caller: z.string(),
    user: z.string().nullable(),
    team_id: z.string().nullable(),
    organization_id: z.string().nullable(),
    customer: z.string().nullable(),
    end_user: z.string().nullable(),
    request_tags: z.array(z.string()),
    metadata: z.looseObject({}),
    cache_hit: z.enum(['False', 'True']),
    status: z.enum(['success', 'failure']),
    http_status: z.int(),
    failure: z.string().nullable(),
    price: z.looseObject({}).nullable(),
    priced: z.boolean(),
    estimated: z.boolean(),
    aborted: z.boolean(),
    billable: z.boolean(),
  }),
)
const LogsAnswer = z.object({
  data: z.array(LogRow),
  total: z.int().nullable().optional(),
  page: z.int().optional(),
  page_size: z.int().optional(),
  total_pages: z.int().nullable().optional(),
  ...eitherPage,
})
type LogsQuery = z.infer<typeof LogsQuery>

/** `GET /spend/logs`, an array, and `/spend/logs/v2`, an object: the rows of the ledger, newest first. */
export function spendLogs(parts: AdminParts): readonly Route[] {
  const route = {
    method: 'GET',
    access: 'caller',
    query: LogsQuery,
    errors: ['permission', 'not_found', 'unavailable'],
  } as const
  return [
    defineManaged(parts, {
      ...route,
      paths: ['/spend/logs'],
      summary: 'Lists billed attempts, newest first; the header x-sluice-next leads to the next page.',
      response: z.array(LogRow),
      answerHeaders: nextHeader,
      examples: { key: { summary: "A key's attempts", query: { api_key: exampleKey, limit: '50' } } },
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
      response: LogsAnswer,
      examples: {
        latest: { summary: 'The latest', query: { limit: '50' } },
        failures: {
          summary: 'Failures of a month, by the number of the page',
          query: { status_filter: 'failure', ...examplePeriod, page: '1' },
        },
      },
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
