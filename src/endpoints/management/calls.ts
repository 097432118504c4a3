import { z } from 'zod'
import { GatewayError } from '../../errors.js'
import { jsonAnswer } from '../../http/answer.js'
import { namedShape, shownAs } from '../../http/openapi/schema.js'
import type { Route } from '../../http/route.js'
import { within } from '../../clock.js'
import type { Actor } from '../../keys/management/index.js'
import { type AttemptRecord, type CallRecord, callOutcomes } from '../../ports/callback.js'
import type { CallQuery, CallStore, CallSummary } from '../../ports/calls.js'
import type { ScopeKind, ScopeRef } from '../../ports/ledger.js'
import type { JsonObject } from '../../wire/json.js'
import { defineManaged } from './managed.js'
import { nextFields, pagingFields, toPage } from './paging.js'
import type { AdminParts } from './parts.js'
import { periodFields, toTimes } from './period.js'
import { nextShape } from './shapes.js'
import { ownsScope, scopeFields, seesAll, toSpendScope } from './spend-scope.js'

const text = z.string().min(1).max(400).optional()
const { tag, model_id, custom_llm_provider, ...callers } = scopeFields

const CallsQuery = z.strictObject({
  ...callers,
  tag,
  model_id,
  custom_llm_provider,
  ...periodFields,
  ...pagingFields,
  /** The `x-request-id` of the answer. */
  request_id: text,
  /** The model group; what was asked for where there is none of that name. */
  model_group: text,
  status_filter: z.enum(['success', 'failure']).optional(),
  outcome: z.enum(Object.keys(callOutcomes) as [CallRecord['outcome']]).optional(),
})
type CallsQuery = z.infer<typeof CallsQuery>

const instant = z.iso.datetime()
const maybeText = z.string().nullable()
const Failure = namedShape(
  'Failure',
  z.object({ kind: z.string(), status: z.int(), code: z.string().nullable(), message: z.string() }),
)
const callShape = {
  id: shownAs('0198f3a2c1d24b7e8f90a1b2', z.string()),
  request_id: z.string(),
  call_type: z.string(),
  stream: z.boolean(),
  status: z.enum(['success', 'failure']),
  outcome: z.string(),
  http_status: z.int(),
  error: shownAs(null, Failure.nullable()),
  requested_model: z.string(),
  model_group: maybeText,
  model: maybeText,
  model_id: maybeText,
  custom_llm_provider: maybeText,
  caller: z.string(),
  api_key: maybeText,
  user: maybeText,
  team_id: maybeText,
  organization_id: maybeText,
  customer: maybeText,
  end_user: maybeText,
  request_tags: z.array(z.string()),
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
  spend: z.number(),
  provider_cost: z.number(),
  priced: z.boolean(),
  cache_hit: z.enum(['False', 'True']),
  attempt_count: z.int(),
  startTime: instant,
  endTime: instant,
  completionStartTime: instant.nullable(),
  request_duration_ms: z.number(),
}
const CallAnswer = namedShape('Call', z.object(callShape))
const CallAttempt = namedShape(
  'CallAttempt',
  z.object({
    model_id: z.string(),
    model_group: z.string(),
    provider: z.string(),
    model: z.string(),
    reason: z.string(),
    outcome: shownAs('answered', z.enum(['answered', 'failed', 'cancelled'])),
    sent: z.boolean(),
    error: shownAs(null, Failure.nullable()),
    startTime: instant,
    endTime: instant,
    completionStartTime: instant.nullable(),
    provider_cost: z.number().nullable(),
  }),
)
const WholeCallAnswer = namedShape(
  'WholeCall',
  z.object({
    ...callShape,
    attempts: z.array(CallAttempt),
    price_lines: z.array(z.looseObject({})),
    guardrails: z.array(z.looseObject({})),
    usage: z.record(z.string(), z.number()),
    estimated: z.boolean(),
    session_id: z.string().nullable(),
    trace_id: z.string().nullable(),
    metadata: z.looseObject({}),
    request: shownAs(null, z.unknown()),
    response: shownAs(null, z.unknown()),
  }),
)

/** `GET /calls`: the calls that ended last, whatever came of them; `GET /calls/{id}`: one with all that was kept of it. */
export function callRoutes(parts: AdminParts): readonly Route[] {
  return [
    defineManaged(parts, {
      method: 'GET',
      paths: ['/calls'],
      access: 'caller',
      summary: 'Lists calls, refused and failed ones too, the latest first.',
      query: CallsQuery,
      response: z.object({ data: z.array(CallAnswer), ...nextShape }),
      errors: ['permission', 'not_found', 'unavailable'],
      examples: {
        latest: { summary: 'The latest', query: { limit: '50' } },
        refused: { summary: 'Those whose budget was spent', query: { outcome: 'budget_exceeded' } },
      },
      handle: async (actor, { query }) => {
        const wanted = await toCallQuery(actor, query, parts)
        const { records, next } = await readCalls(parts, (store) => store.query(wanted))
        return jsonAnswer(200, { data: records.map(toCall), ...nextFields(next) })
      },
    }),
    defineManaged(parts, {
      method: 'GET',
      paths: ['/calls/{id}'],
      access: 'caller',
      summary: 'Tells one call whole: attempts, price lines, and the bodies where they are kept.',
      query: z.strictObject({}),
      response: WholeCallAnswer,
      errors: ['not_found', 'unavailable'],
      examples: { one: { summary: 'One call', params: { id: '0198f3a2c1d24b7e8f90a1b2' } } },
      handle: async (actor, { params }) => {
        const record = await readCalls(parts, (store) => store.get(params['id'] ?? ''))
        if (!record || !(await maySee(actor, record, parts))) {
          throw new GatewayError('not_found', 'There is no such call, or none any more.', { param: 'id' })
        }
        return jsonAnswer(200, toWholeCall(record))
      },
    }),
  ]
}

const answerMs = 10_000

async function readCalls<T>({ calls, clock }: AdminParts, ask: (store: CallStore) => Promise<T>): Promise<T> {
  if (!calls) throw new GatewayError('not_found', 'This gateway keeps no calls; see the option callLog.')
  try {
    return await within(clock, answerMs, () => ask(calls))
  } catch (cause) {
    if (GatewayError.isInstance(cause)) throw cause
    throw new GatewayError('unavailable', 'The call log does not answer at the moment.', { cause, retryAfterMs: 1_000 })
  }
}

const labels = {
  tag: 'tag',
  model_id: 'deployment',
  custom_llm_provider: 'provider',
} as const satisfies Partial<Record<keyof CallsQuery, ScopeKind>>
const labelNames = ['tag', 'model_id', 'custom_llm_provider'] as const

async function toCallQuery(actor: Actor, query: CallsQuery, parts: AdminParts): Promise<CallQuery> {
  const { tag: _tag, model_id: _model, custom_llm_provider: _provider, ...rest } = query
  const { request_id: callId, model_group: modelName, status_filter: status, outcome } = query
  const scope = await toSpendScope(actor, rest, parts)
  const narrowing = labelNames.flatMap((name): ScopeRef[] => {
    const id = query[name]
    return id === undefined ? [] : [{ kind: labels[name], id }]
  })
  const scopes = [...(scope ? [scope] : []), ...narrowing]
  return {
    ...toPage(query),
    ...toTimes(query),
    ...(scopes.length > 0 && { scopes }),
    ...(callId !== undefined && { callId }),
    ...(modelName !== undefined && { modelName }),
    ...(status !== undefined && { status }),
    ...(outcome !== undefined && { outcome }),
  }
}

/** Those who see all, and those whom the call counts for. */
async function maySee(actor: Actor, { scopes }: CallRecord, parts: AdminParts): Promise<boolean> {
  if (seesAll(actor)) return true
  const owned = await Promise.all(scopes.map((scope) => ownsScope(actor, scope, parts)))
  return owned.includes(true)
}

const isoOf = (at: number): string => new Date(at).toISOString()

/** A record in the words of `/spend/logs`; dollars as numbers. */
function toCall(record: CallSummary): JsonObject {
  const scopeOf = (kind: ScopeKind): string | null => record.scopes.find((scope) => scope.kind === kind)?.id ?? null
  return {
    id: record.id,
    request_id: record.callId,
    call_type: record.operation,
    stream: record.stream,
    status: record.status,
    outcome: record.outcome,
    http_status: record.error?.status ?? 200,
    error: record.error ?? null,
    requested_model: record.requestedModel,
    model_group: record.modelName ?? null,
    model: record.model ?? null,
    model_id: record.deployment ?? null,
    custom_llm_provider: record.provider ?? null,
    caller: record.caller,
    api_key: scopeOf('key'),
    user: scopeOf('user'),
    team_id: scopeOf('team'),
    organization_id: scopeOf('organization'),
    customer: scopeOf('customer'),
    end_user: record.endUser ?? null,
    request_tags: record.tags,
    prompt_tokens: record.inputTokens,
    completion_tokens: record.outputTokens,
    total_tokens: record.inputTokens + record.outputTokens,
    spend: Number(record.charged),
    provider_cost: Number(record.cost),
    priced: record.priced,
    cache_hit: record.cached ? 'True' : 'False',
    attempt_count: record.attempts.length,
    startTime: isoOf(record.startedAt),
    endTime: isoOf(record.endedAt),
    completionStartTime: record.firstTokenAt === undefined ? null : isoOf(record.firstTokenAt),
    request_duration_ms: record.endedAt - record.startedAt,
  }
}

function toWholeCall(record: CallRecord): JsonObject {
  return {
    ...toCall(record),
    attempts: record.attempts.map(toAttempt),
    price_lines: record.priceLines,
    guardrails: record.guardrails.map((verdict) => ({ ...verdict })),
    usage: record.usage,
    estimated: record.estimated,
    session_id: record.sessionId ?? null,
    trace_id: record.trace?.traceId ?? null,
    metadata: record.metadata ?? {},
    request: record.request ?? null,
    response: record.response ?? null,
  }
}

function toAttempt(attempt: AttemptRecord): JsonObject {
  const { firstTokenAt, cost } = attempt
  return {
    model_id: attempt.deployment,
    model_group: attempt.modelName,
    provider: attempt.provider,
    model: attempt.model,
    reason: attempt.reason,
    outcome: attempt.outcome,
    sent: attempt.sent,
    error: attempt.error ?? null,
    startTime: isoOf(attempt.startedAt),
    endTime: isoOf(attempt.endedAt),
    completionStartTime: firstTokenAt === undefined ? null : isoOf(firstTokenAt),
    provider_cost: cost === undefined ? null : Number(cost),
  }
}
