import type { AttemptRecord, CallFailure, CallRecord } from '../ports/callback.js'
import { type JsonObject, isObject, numberOf, stringOf } from '../wire/json.js'
import { inputMessages, outputMessages, textOf, verdictsOf } from './content.js'

/** Values that spans and metrics may carry. */
export type AttributeValue = string | number | boolean | string[]
/** Attributes by name. */
export type Attributes = Readonly<Record<string, AttributeValue>>

/** Something within a span. Times in milliseconds since the epoch. */
export interface SpanEvent {
  readonly name: string
  readonly at: number
  readonly attributes: Attributes
}

/** A span, in whichever format it leaves. */
export interface SpanFacts {
  readonly name: string
  readonly startedAt: number
  readonly endedAt: number
  readonly attributes: Attributes
  readonly events: readonly SpanEvent[]
  /** What went wrong; undefined for a span that ended well. */
  readonly error: string | undefined
}

/** A call's span, and the spans of its attempts below it. */
export interface CallSpans {
  readonly call: SpanFacts
  readonly attempts: readonly SpanFacts[]
}

// Names of the GenAI semantic conventions: https://opentelemetry.io/docs/specs/semconv/gen-ai/
const operationNames: Readonly<Record<string, string>> = {
  completions: 'text_completion',
  images: 'generate_content',
}
const providerNames: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  azure_ai: 'azure.ai.inference',
  bedrock: 'aws.bedrock',
  gemini: 'gcp.gemini',
  mistral: 'mistral_ai',
  vertex_ai: 'gcp.vertex_ai',
  watsonx: 'ibm.watsonx.ai',
  xai: 'x_ai',
}

/** A call as spans of the GenAI semantic conventions; what is only ours is named `sluice.*`. */
export function toSpans(record: CallRecord): CallSpans {
  const call: SpanFacts = {
    name: `${operationNameOf(record)} ${record.requestedModel}`,
    startedAt: record.startedAt,
    endedAt: record.endedAt,
    attributes: collect((put) => {
      putIdentity(record, put)
      putQuantities(record, put)
      putParameters(record, put)
      putContents(record, put)
    }),
    events: eventsOf(record),
    error: record.error?.message,
  }
  return { call, attempts: record.attempts.map((attempt, index) => toAttemptSpan(attempt, index, record)) }
}

/** What every metric of a call tells. Clients can make up any number of model names, which are one here. */
export function metricAttributes(record: CallRecord): Attributes {
  return collect((put) => putModel(record, record.modelName ?? '_OTHER', put))
}

/** True where `metricAttributes` of both are the same. */
export function hasSameMetrics(left: CallRecord, right: CallRecord): boolean {
  return (
    left.outcome === right.outcome &&
    left.modelName === right.modelName &&
    left.operation === right.operation &&
    left.provider === right.provider &&
    left.model === right.model
  )
}

/** Adds an attribute, unless there is no value. */
type Put = (name: string, value: AttributeValue | undefined) => void

// Runs some thirty times for every call: one object, and nothing made in between.
function collect(write: (put: Put) => void): Attributes {
  const attributes: Record<string, AttributeValue> = {}
  write((name, value) => {
    if (value !== undefined) attributes[name] = value
  })
  return attributes
}

function putModel(record: CallRecord, requestedModel: string, put: Put): void {
  put('gen_ai.operation.name', operationNameOf(record))
  put('gen_ai.provider.name', record.provider && providerNameOf(record.provider))
  put('gen_ai.request.model', requestedModel)
  put('gen_ai.response.model', record.model)
  put('error.type', record.error && record.outcome)
}

function putIdentity(record: CallRecord, put: Put): void {
  putModel(record, record.requestedModel, put)
  put('gen_ai.conversation.id', record.sessionId)
  put('user.id', record.endUser)
  put('sluice.call_id', record.callId)
  put('sluice.outcome', record.outcome)
  put('sluice.caller', record.caller)
  put('sluice.model_group', record.modelName)
  put('sluice.deployment', record.deployment)
  put('sluice.stream', record.stream)
  put('sluice.cached', record.cached)
  put('sluice.tags', record.tags.length > 0 ? [...record.tags] : undefined)
  put('sluice.guardrails', record.guardrails.length > 0 ? verdictsOf(record) : undefined)
  put('http.response.status_code', record.error?.status)
  for (const { kind, id } of record.scopes) put(`sluice.scope.${kind}`, id)
}

function putQuantities(record: CallRecord, put: Put): void {
  const { cacheRead = 0, cacheReadAudio = 0, cacheReadImage = 0, cacheWrite5m = 0, cacheWrite1h = 0 } = record.usage
  put('gen_ai.usage.input_tokens', record.inputTokens)
  put('gen_ai.usage.output_tokens', record.outputTokens)
  put('gen_ai.usage.cache_read.input_tokens', cacheRead + cacheReadAudio + cacheReadImage || undefined)
  put('gen_ai.usage.cache_creation.input_tokens', cacheWrite5m + cacheWrite1h || undefined)
  put('gen_ai.usage.reasoning.output_tokens', record.usage['reasoning'] || undefined)
  put('gen_ai.response.time_to_first_chunk', secondsBetween(record.startedAt, record.firstTokenAt))
  put('sluice.cost', Number(record.cost))
  put('sluice.priced', record.priced)
  put('sluice.estimated', record.estimated || undefined)
}

function putParameters({ request }: CallRecord, put: Put): void {
  if (!isObject(request)) return
  put('gen_ai.request.max_tokens', numberOf(request['max_completion_tokens'] ?? request['max_tokens']))
  put('gen_ai.request.temperature', numberOf(request['temperature']))
  put('gen_ai.request.top_p', numberOf(request['top_p']))
  put('gen_ai.request.seed', numberOf(request['seed']))
}

function putContents(record: CallRecord, put: Put): void {
  const { response } = record
  if (isObject(response)) put('gen_ai.response.id', stringOf(response['id']))
  put('gen_ai.input.messages', messagesText(inputMessages(record)))
  put('gen_ai.output.messages', messagesText(outputMessages(record)))
}

/** Messages in the form that the conventions give them. */
function messagesText(messages: readonly JsonObject[]): string | undefined {
  if (messages.length === 0) return undefined
  const written = messages.map((message) => ({ role: message['role'], parts: partsOf(message) }))
  return JSON.stringify(written)
}

function partsOf(message: JsonObject): readonly JsonObject[] {
  const text = textOf(message)
  if (message['role'] === 'tool') {
    return [{ type: 'tool_call_response', id: message['tool_call_id'], response: text }]
  }
  const calls: unknown = message['tool_calls']
  const toolParts = (Array.isArray(calls) ? calls.filter(isObject) : []).map((call) => {
    const called = isObject(call['function']) ? call['function'] : {}
    return { type: 'tool_call', id: call['id'], name: called['name'], arguments: called['arguments'] }
  })
  return text === '' ? toolParts : [{ type: 'text', content: text }, ...toolParts]
}

const none: readonly SpanEvent[] = []

function eventsOf(record: CallRecord): readonly SpanEvent[] {
  const first = record.firstTokenAt
  if (first === undefined && !record.error && record.attempts.length < 2) return none
  return [
    ...(first === undefined ? [] : [{ name: 'sluice.first_token', at: first, attributes: {} }]),
    ...record.attempts.slice(1).map(({ reason, startedAt, deployment }) => ({
      name: `sluice.${reason}`,
      at: startedAt,
      attributes: { 'sluice.deployment': deployment },
    })),
    ...(record.error ? [exception(record.error, record.endedAt)] : []),
  ]
}

function exception({ kind, message }: CallFailure, at: number): SpanEvent {
  return { name: 'exception', at, attributes: { 'exception.type': kind, 'exception.message': message } }
}

function toAttemptSpan(attempt: AttemptRecord, index: number, record: CallRecord): SpanFacts {
  const { error, startedAt, endedAt, outcome } = attempt
  return {
    name: `attempt ${attempt.provider}/${attempt.model}`,
    startedAt,
    endedAt,
    attributes: collect((put) => {
      put('gen_ai.operation.name', operationNameOf(record))
      put('gen_ai.provider.name', providerNameOf(attempt.provider))
      put('gen_ai.request.model', attempt.model)
      put('sluice.deployment', attempt.deployment)
      put('sluice.attempt', index + 1)
      put('sluice.attempt.reason', attempt.reason)
      put('sluice.attempt.outcome', outcome)
      put('sluice.cost', attempt.cost === undefined ? undefined : Number(attempt.cost))
      put('gen_ai.response.time_to_first_chunk', secondsBetween(startedAt, attempt.firstTokenAt))
      put('http.response.status_code', error?.status)
      put('error.type', error?.kind)
    }),
    events: error ? [exception(error, endedAt)] : [],
    error: error?.message,
  }
}

const operationNameOf = ({ operation }: CallRecord): string => operationNames[operation] ?? operation
const providerNameOf = (provider: string): string => providerNames[provider] ?? provider

function secondsBetween(from: number, until: number | undefined): number | undefined {
  return until === undefined ? undefined : (until - from) / 1_000
}
