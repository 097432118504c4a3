import type { Deployment } from '../../deployment.js'
import { UnsupportedParameterError } from '../../errors.js'
import { isObject, type JsonObject } from '../../wire/json.js'
import { type DropPolicy, isGatewayField, toDropPolicy } from '../gateway-fields.js'

/** The fields of a request, and what is found out about them while its body is written. */
export interface Draft {
  /** The caller's fields over the deployment's; no null where OpenAI documents the field. */
  readonly fields: Record<string, unknown>
  readonly policy: DropPolicy
  readonly dropped: string[]
  readonly refused: string[]
}

/** Every field of chat that is translated or has no counterpart; the others are the API's own and pass as they are. */
export const chatFields: ReadonlySet<string> = new Set([
  'audio',
  'frequency_penalty',
  'function_call',
  'functions',
  'input',
  'instructions',
  'logit_bias',
  'logprobs',
  'max_completion_tokens',
  'max_tokens',
  'messages',
  'modalities',
  'model',
  'n',
  'parallel_tool_calls',
  'prediction',
  'presence_penalty',
  'reasoning_effort',
  'response_format',
  'seed',
  'stop',
  'stream',
  'stream_options',
  'thinking',
  'tool_choice',
  'tools',
  'top_logprobs',
  'user',
  'verbosity',
  'web_search_options',
])

// Fields that both APIs know under one name; null stands for "not set".
const shared = ['metadata', 'prompt_cache_key', 'safety_identifier', 'service_tier', 'store', 'temperature', 'top_p']

// What the API has no word for, and the values that ask for nothing.
const noCounterpart: Readonly<Record<string, (value: unknown) => boolean>> = {
  audio: () => false,
  frequency_penalty: (value) => value === 0,
  function_call: (value) => value === 'auto' || value === 'none',
  functions: (value) => Array.isArray(value) && value.length === 0,
  logit_bias: (value) => isObject(value) && Object.keys(value).length === 0,
  modalities: (value) => Array.isArray(value) && value.every((modality) => modality === 'text'),
  n: (value) => value === 1,
  prediction: () => false,
  presence_penalty: (value) => value === 0,
  seed: () => false,
  stop: (value) => Array.isArray(value) && value.length === 0,
}

// Values of parameters that some servers or models refuse, which they honour by leaving them out.
const neutral: Readonly<Record<string, (value: unknown) => boolean>> = {
  ...noCounterpart,
  logprobs: (value) => value === false,
  parallel_tool_calls: (value) => value === true,
  return_images: (value) => value === false,
  return_related_questions: (value) => value === false,
  store: (value) => value === false,
  temperature: (value) => value === 1,
  tool_choice: (value) => value === 'auto',
  top_logprobs: (value) => value === 0,
  top_p: (value) => value === 1,
}

/** Starts a draft. A null in a field that OpenAI documents means that it is not set. */
export function createDraft(request: JsonObject, deployment: Deployment): Draft {
  const { params } = deployment
  const fields: Record<string, unknown> = {}
  for (const source of [extraBodyOf(params), params, extraBodyOf(request), request]) addFields(fields, source)
  const policy = toDropPolicy(request, params, deployment.dropParams)
  const dropped = policy.additional.filter((name) => name in fields && name !== 'model' && name !== 'messages')
  for (const name of dropped) delete fields[name]
  return { fields, policy, dropped, refused: [] }
}

function addFields(fields: Record<string, unknown>, source: JsonObject): void {
  for (const [name, value] of Object.entries(source)) {
    if (value === undefined || name === '__proto__' || isGatewayField(name)) continue
    if (value === null && (chatFields.has(name) || shared.includes(name))) continue
    fields[name] = value
  }
}

function extraBodyOf(source: JsonObject): JsonObject {
  const extra = source['extra_body']
  if (!isObject(extra)) return {}
  const { model: _model, messages: _messages, input: _input, stream: _stream, ...rest } = extra
  return rest
}

/** Marks a parameter as one that cannot be honoured: it leaves the fields, unless the caller insists on it. */
export function refuse(draft: Draft, name: string): void {
  const { fields, policy } = draft
  if (!(name in fields) || policy.allowed.includes(name)) return
  const value = fields[name]
  delete fields[name]
  if (neutral[name]?.(value)) return
  const list = policy.drop ? draft.dropped : draft.refused
  if (!list.includes(name)) list.push(name)
}

/** Refuses what the API has no word for, and what this server does not take. */
export function refuseUnknown(draft: Draft, unsupported: readonly string[]): void {
  for (const name of [...Object.keys(noCounterpart), 'input', ...unsupported]) refuse(draft, name)
}

/** Ends a draft. @throws UnsupportedParameterError naming everything that was refused */
export function checkRefused({ refused }: Draft, { provider, model }: Deployment): void {
  if (refused.length > 0) throw new UnsupportedParameterError(provider, model, refused)
}

/** Fields that go into the body as they are: the API's own, those of both APIs, and what the caller insists on. */
export function passedThrough({ fields, policy }: Draft): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([name]) => !chatFields.has(name) || (name in noCounterpart && policy.allowed.includes(name)),
    ),
  )
}
