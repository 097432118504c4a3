import type { AttemptRecord, CallFailure, CallRecord } from '../ports/callback.js'
import { type JsonObject, isObject, numberOf, stringOf } from '../wire/json.js'
import { inputMessages, outputMessages, textOf } from './content.js'

/** Values that spans and metrics may carry. */
export type AttributeValue = string | number | boolean | readonly string[]
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
    attributes: defined({ ...identity(record), ...quantities(record), ...parameters(record), ...contents(record) }),
    events: eventsOf(record),
    error: record.error?.message,
  }
  return { call, attempts: record.attempts.map((attempt, index) => toAttemptSpan(attempt, index, record)) }
}

/** What every metric and span of a call tells. */
export function metricAttributes(record: CallRecord): Attributes {
  return defined({
    'gen_ai.operation.name': operationNameOf(record),
    'gen_ai.provider.name': record.provider && providerNameOf(record.provider),
    'gen_ai.request.model': record.modelName ?? record.requestedModel,
    'gen_ai.response.model': record.model,
    'error.type': record.error && record.outcome,
  })
}

function identity(record: CallRecord): Given {
  return {
    ...metricAttributes(record),
    'gen_ai.request.model': record.requestedModel,
    'gen_ai.conversation.id': record.sessionId,
    'user.id': record.endUser,
    'sluice.call_id': record.callId,
    'sluice.outcome': record.outcome,
    'sluice.caller': record.caller,
    'sluice.model_group': record.modelName,
    'sluice.deployment': record.deployment,
    'sluice.stream': record.stream,
    'sluice.cached': record.cached,
    'sluice.tags': record.tags.length > 0 ? record.tags : undefined,
    'http.response.status_code': record.error?.status,
    ...Object.fromEntries(record.scopes.map(({ kind, id }) => [`sluice.scope.${kind}`, id])),
  }
}

function quantities(record: CallRecord): Given {
  const { usage } = record
  const sum = (...buckets: readonly string[]): number | undefined =>
    buckets.reduce((total, bucket) => total + (usage[bucket] ?? 0), 0) || undefined
  return {
    'gen_ai.usage.input_tokens': record.inputTokens,
    'gen_ai.usage.output_tokens': record.outputTokens,
    'gen_ai.usage.cache_read.input_tokens': sum('cacheRead', 'cacheReadAudio', 'cacheReadImage'),
    'gen_ai.usage.cache_creation.input_tokens': sum('cacheWrite5m', 'cacheWrite1h'),
    'gen_ai.usage.reasoning.output_tokens': sum('reasoning'),
    'gen_ai.response.time_to_first_chunk': secondsBetween(record.startedAt, record.firstTokenAt),
    'sluice.cost': Number(record.cost),
    'sluice.priced': record.priced,
    'sluice.estimated': record.estimated || undefined,
  }
}

function parameters({ request }: CallRecord): Given {
  if (!isObject(request)) return {}
  return {
    'gen_ai.request.max_tokens': numberOf(request['max_completion_tokens'] ?? request['max_tokens']),
    'gen_ai.request.temperature': numberOf(request['temperature']),
    'gen_ai.request.top_p': numberOf(request['top_p']),
    'gen_ai.request.seed': numberOf(request['seed']),
  }
}

function contents(record: CallRecord): Given {
  const { response } = record
  return {
    'gen_ai.response.id': isObject(response) ? stringOf(response['id']) : undefined,
    'gen_ai.input.messages': messagesText(inputMessages(record)),
    'gen_ai.output.messages': messagesText(outputMessages(record)),
  }
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

function eventsOf(record: CallRecord): readonly SpanEvent[] {
  const first = record.firstTokenAt
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
    attributes: defined({
      'gen_ai.operation.name': operationNameOf(record),
      'gen_ai.provider.name': providerNameOf(attempt.provider),
      'gen_ai.request.model': attempt.model,
      'sluice.deployment': attempt.deployment,
      'sluice.attempt': index + 1,
      'sluice.attempt.reason': attempt.reason,
      'sluice.attempt.outcome': outcome,
      'sluice.cost': attempt.cost === undefined ? undefined : Number(attempt.cost),
      'gen_ai.response.time_to_first_chunk': secondsBetween(startedAt, attempt.firstTokenAt),
      'http.response.status_code': error?.status,
      'error.type': error?.kind,
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

type Given = Readonly<Record<string, AttributeValue | undefined>>

function defined(given: Given): Attributes {
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, AttributeValue] => entry[1] !== undefined),
  )
}
