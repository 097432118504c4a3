import { z } from 'zod'
import { jsonAnswer } from '../../http/answer.js'
import type { Route } from '../../http/route.js'
import type { ScopeRef, SpendGroup, SpendRow } from '../../ports/ledger.js'
import type { JsonObject } from '../../wire/json.js'
import { dollarsOf } from './dollars.js'
import { groupRows } from './group-rows.js'
import { defineManaged } from './managed.js'
import { pageNumber, pagingFields } from './paging.js'
import type { AdminParts } from './parts.js'
import { examplePeriod, periodFields, toDays } from './period.js'
import { readLedger } from './read-ledger.js'
import { scopeFields, toSpendScope } from './spend-scope.js'

const ActivityQuery = z.strictObject({
  ...periodFields,
  api_key: scopeFields.api_key,
  user_id: scopeFields.user_id,
  team_id: scopeFields.team_id,
  organization_id: scopeFields.organization_id,
  /** A model group. */
  model: z.string().min(1).max(400).optional(),
  /** All days are on the first page. */
  page: pageNumber,
  page_size: pagingFields.page_size,
})

const Metrics = z.object({
  spend: z.number(),
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  cache_read_input_tokens: z.int(),
  total_tokens: z.int(),
  api_requests: z.int(),
  successful_requests: z.int(),
  failed_requests: z.int(),
})
const Breakdown = z.record(z.string(), z.object({ metrics: Metrics }))
const Totals = z.object({
  total_spend: z.number(),
  total_prompt_tokens: z.int(),
  total_completion_tokens: z.int(),
  total_cache_read_input_tokens: z.int(),
  total_tokens: z.int(),
  total_api_requests: z.int(),
  total_successful_requests: z.int(),
  total_failed_requests: z.int(),
  total_cache_hits: z.int().optional(),
  page: z.int(),
  total_pages: z.int(),
  has_more: z.boolean(),
})
const ActivityAnswer = z.object({
  results: z.array(
    z.object({
      date: z.string(),
      metrics: Metrics.extend({ cache_hits: z.int().optional() }),
      breakdown: z.object({ models: Breakdown, providers: Breakdown, api_keys: Breakdown }),
    }),
  ),
  metadata: Totals,
})

/** Figures of some entries; money in pico-dollars. */
interface Figures {
  readonly charged: bigint
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly calls: number
  readonly failures: number
}

const nothing: Figures = { charged: 0n, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, calls: 0, failures: 0 }
const defaultDays = 30

/** `GET /user/daily/activity`: what was used and spent on each day, by model, provider and key. */
export function dailyActivity(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'GET',
    paths: ['/user/daily/activity'],
    access: 'caller',
    summary: 'Tells what was used and spent on each day; members see their own.',
    query: ActivityQuery,
    response: ActivityAnswer,
    errors: ['permission', 'not_found', 'unavailable'],
    examples: {
      user: { summary: "A user's days", query: { user_id: 'ann', ...examplePeriod }, answer: activityExample },
    },
    handle: async (actor, { query }) => {
      const scope = await toSpendScope(actor, query, parts)
      if (query.page !== undefined && query.page > 1)
        return jsonAnswer(200, toActivity({ rows: [], byKey: [], hits: undefined }))
      const days = toDays(query, parts.clock.now(), defaultDays)
      const find = async (by: readonly SpendGroup[]): Promise<readonly SpendRow[]> => {
        const rows = await readRows({ ...days, by, scope }, parts)
        const place = by.indexOf('model')
        return query.model === undefined ? rows : rows.filter(({ group }) => group[place] === query.model)
      }
      // An entry without a key is in no row by key, so the sums come from rows without.
      const [rows, byKey, hits] = await Promise.all([
        find(['day', 'model', 'provider']),
        find(['day', 'model', 'key']),
        // Answers from the cache are not summed up together with callers.
        scope ? undefined : find(['day', 'model', 'cache']),
      ])
      return jsonAnswer(200, toActivity({ rows, byKey, hits }))
    },
  })
}

interface Wanted {
  readonly fromDay: string
  readonly untilDay: string
  readonly by: readonly SpendGroup[]
  readonly scope: ScopeRef | undefined
}

function readRows({ scope, ...query }: Wanted, parts: AdminParts): Promise<readonly SpendRow[]> {
  return readLedger(parts, (ledger) => ledger.report({ ...query, ...(scope && { scope }) }))
}

interface ActivityRows {
  readonly rows: readonly SpendRow[]
  readonly byKey: readonly SpendRow[]
  /** Answers from the cache; undefined where they are not known. */
  readonly hits: readonly SpendRow[] | undefined
}

function toActivity({ rows, byKey, hits }: ActivityRows): JsonObject {
  const keys = groupRows(byKey, 0)
  const hitsOf = hits && groupRows(hits, 0)
  const days = [...groupRows(rows, 0)].toSorted(([a], [b]) => (a < b ? 1 : -1))
  return {
    results: days.map(([date, ofDay]) => ({
      date,
      metrics: { ...toMetrics(sum(ofDay)), ...(hitsOf && { cache_hits: sum(hitsOf.get(date) ?? []).calls }) },
      breakdown: {
        models: toBreakdown(ofDay, 1),
        providers: toBreakdown(ofDay, 2),
        api_keys: toBreakdown(keys.get(date) ?? [], 2),
      },
    })),
    metadata: {
      ...toTotals(sum(rows)),
      ...(hits && { total_cache_hits: sum(hits).calls }),
      page: 1,
      total_pages: 1,
      has_more: false,
    },
  }
}

function toBreakdown(rows: readonly SpendRow[], place: number): JsonObject {
  return Object.fromEntries(
    [...groupRows(rows, place)].map(([name, group]) => [name, { metrics: toMetrics(sum(group)) }]),
  )
}

function sum(rows: readonly SpendRow[]): Figures {
  return rows.reduce<Figures>(
    (total, row) => ({
      charged: total.charged + row.charged,
      inputTokens: total.inputTokens + row.inputTokens,
      outputTokens: total.outputTokens + row.outputTokens,
      cacheReadTokens: total.cacheReadTokens + row.cacheReadTokens,
      calls: total.calls + row.calls,
      failures: total.failures + row.failures,
    }),
    nothing,
  )
}

function toMetrics(figures: Figures): JsonObject {
  return {
    spend: dollarsOf(figures.charged),
    prompt_tokens: figures.inputTokens,
    completion_tokens: figures.outputTokens,
    cache_read_input_tokens: figures.cacheReadTokens,
    total_tokens: figures.inputTokens + figures.outputTokens,
    api_requests: figures.calls,
    successful_requests: figures.calls - figures.failures,
    failed_requests: figures.failures,
  }
}

function toTotals(figures: Figures): JsonObject {
  return Object.fromEntries(
    Object.entries(toMetrics(figures)).map(([name, value]) => [`total_${name.replace(/^total_/, '')}`, value]),
  )
}

const metricsExample: z.infer<typeof Metrics> = {
  spend: 0.0125,
  prompt_tokens: 1_200,
  completion_tokens: 300,
  cache_read_input_tokens: 200,
  total_tokens: 1_500,
  api_requests: 31,
  successful_requests: 30,
  failed_requests: 1,
}
const ofDemo = { demo: { metrics: metricsExample } }
const activityExample: z.infer<typeof ActivityAnswer> = {
  results: [
    {
      date: '2026-11-25',
      metrics: metricsExample,
      breakdown: { models: ofDemo, providers: { openai: { metrics: metricsExample } }, api_keys: {} },
    },
  ],
  metadata: {
    total_spend: 0.0125,
    total_prompt_tokens: 1_200,
    total_completion_tokens: 300,
    total_cache_read_input_tokens: 200,
    total_tokens: 1_500,
    total_api_requests: 31,
    total_successful_requests: 30,
    total_failed_requests: 1,
    page: 1,
    total_pages: 1,
    has_more: false,
  },
}
