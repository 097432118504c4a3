import type { ClaudeGeneration } from '../../catalog/claude-models.js'
import type { ChatRequest } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, numberOf, stringOf } from '../../wire/json.js'
import { isGatewayField, toDropPolicy } from '../gateway-fields.js'
import type { Exchange } from '../protocol.js'

// Two names of one wish: a caller's one must also win over a deployment's default under the other name.
const sameWish = [
  ['max_tokens', 'max_completion_tokens'],
  ['reasoning_effort', 'thinking'],
]

/** The caller's request over the deployment's defaults, both without what `additional_drop_params` takes out. */
export function withDefaults({ request, deployment }: Exchange<'chat'>): ChatRequest {
  const { additional } = toDropPolicy(request, deployment.params, deployment.dropParams)
  const isSet = (name: string): boolean => request[name] !== undefined && request[name] !== null
  const isOpen = (name: string): boolean => !(sameWish.find((names) => names.includes(name)) ?? [name]).some(isSet)
  const defaults = Object.entries(deployment.params).filter(([name]) => isOpen(name))
  if (defaults.length + additional.length === 0) return request
  const removed = additional.filter((name) => name !== 'messages' && name !== 'model')
  const absent = Object.fromEntries(removed.map((name) => [name, undefined]))
  return { ...request, ...Object.fromEntries(defaults), ...absent }
}

// OpenAI's parameters that the Messages API has no word for, and the values of them that ask for nothing.
const unsupported: Readonly<Record<string, (value: unknown) => boolean>> = {
  audio: () => false,
  frequency_penalty: (value) => value === 0,
  function_call: () => false,
  functions: () => false,
  logit_bias: (value) => isObject(value) && Object.keys(value).length === 0,
  logprobs: (value) => value === false,
  modalities: (value) => Array.isArray(value) && value.every((modality) => modality === 'text'),
  n: (value) => value === 1,
  prediction: () => false,
  presence_penalty: (value) => value === 0,
  prompt_cache_key: () => false,
  seed: () => false,
  store: (value) => value === false,
  top_logprobs: (value) => value === 0,
  verbosity: () => false,
}

/** True for parameters about the account, which are left out without a 400: the answer is the same without them. */
export function changesNothing(name: string): boolean {
  return name === 'prompt_cache_key' || name === 'store'
}

/** The parameters of a request that no Claude can honour. */
export function unsupportedParameters(request: ChatRequest): readonly string[] {
  return Object.entries(unsupported).flatMap(([name, asksNothing]) => {
    const value = request[name]
    return value === undefined || value === null || asksNothing(value) ? [] : [name]
  })
}

/** Parameters to send, and those that must be refused or dropped. */
export interface ParameterPlan {
  readonly body: JsonObject
  readonly unsupported: readonly string[]
}

/**
 * `temperature` (at most 1), `top_p` and `top_k`, as far as the generation and thinking allow them. Where they are
 * restricted, values that equal the default are left out without a word: that changes nothing.
 */
export function planSampling(request: ChatRequest, generation: ClaudeGeneration, thinks: boolean): ParameterPlan {
  const restricted = thinks || generation.sampling === 'refused'
  const given = {
    temperature: numberOf(request.temperature),
    top_p: numberOf(request.top_p),
    top_k: numberOf(request['top_k']),
  }
  const temperature = given.temperature === undefined ? undefined : Math.min(1, Math.max(0, given.temperature))
  const asked = Object.entries({ ...given, temperature }).filter(([, value]) => value !== undefined)
  const telling = asked.filter(([name, value]) => name === 'top_k' || value !== 1)
  if (!restricted) {
    const both = generation.sampling === 'either' && asked.filter(([name]) => name !== 'top_k').length === 2
    const sent = both ? telling : asked
    const clash = sent.some(([name]) => name === 'temperature') && sent.some(([name]) => name === 'top_p') && both
    return {
      body: Object.fromEntries(clash ? sent.filter(([name]) => name !== 'top_p') : sent),
      unsupported: clash ? ['top_p'] : [],
    }
  }
  // Beside thinking the older generations take a top_p near its default.
  // Source: https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility
  const fine = telling.filter(
    ([name, value]) => generation.sampling !== 'refused' && name === 'top_p' && (value ?? 0) >= 0.95,
  )
  return {
    body: Object.fromEntries(fine),
    unsupported: telling.filter((entry) => !fine.includes(entry)).map(([name]) => name),
  }
}

/** Texts that end the answer; the API refuses blank ones, so a list of nothing else counts as unsupported. */
export function planStop(stop: ChatRequest['stop']): ParameterPlan {
  if (stop === undefined || stop === null) return { body: {}, unsupported: [] }
  const wanted = typeof stop === 'string' ? [stop] : stop
  const sequences = wanted.filter((text) => text.trim() !== '')
  return {
    body: sequences.length === 0 ? {} : { stop_sequences: sequences },
    unsupported: sequences.length < wanted.length ? ['stop'] : [],
  }
}

const serviceTiers: Readonly<Record<string, string>> = {
  auto: 'auto',
  default: 'standard_only',
  standard_only: 'standard_only',
  // Priority capacity is used where the account has it; there is no stronger word.
  priority: 'auto',
}

/** `service_tier`, in the API's words. */
export function planServiceTier(tier: string | null | undefined): ParameterPlan {
  if (tier === undefined || tier === null) return { body: {}, unsupported: [] }
  const native = Object.hasOwn(serviceTiers, tier) ? serviceTiers[tier] : undefined
  return native === undefined
    ? { body: {}, unsupported: ['service_tier'] }
    : { body: { service_tier: native }, unsupported: [] }
}

// The API forbids names, mail addresses and telephone numbers here.
const personal = /^\S+@\S+\.\S+$|^\+?[\d\s().-]{7,}$/

/** `metadata.user_id`, an opaque id of the caller's own user; absent where it looks like an address or a number to call. */
export function userMetadata(request: ChatRequest): JsonObject {
  const user = userFields(request).find(([, value]) => value !== undefined)?.[1]
  return user === undefined || personal.test(user.trim()) ? {} : { metadata: { user_id: user } }
}

/** Where the caller's own user may be named, the strongest first. */
function userFields(request: ChatRequest): readonly (readonly [string, string | undefined])[] {
  const metadata = isObject(request.metadata) ? request.metadata : {}
  return [
    ['user', stringOf(request.user)],
    ['safety_identifier', stringOf(request.safety_identifier)],
    ['metadata', stringOf(metadata['user_id'])],
  ]
}

/** Parameters that are about the account, not the answer, and have no place here: left out, and told to the caller. */
export function ignoredParameters(request: ChatRequest): readonly string[] {
  const { metadata: sent } = userMetadata(request)
  const sentUser = isObject(sent) ? sent['user_id'] : undefined
  const users = userFields(request).filter(([, value]) => value !== undefined && value !== sentUser)
  const others = isObject(request.metadata) && Object.keys(request.metadata).some((name) => name !== 'user_id')
  const retention = request['prompt_cache_retention'] ?? undefined
  return [
    ...users.map(([name]) => name),
    ...(others ? ['metadata'] : []),
    ...(retention === undefined ? [] : ['prompt_cache_retention']),
  ]
}

// OpenAI's fields that are translated elsewhere, and headers in the guise of fields: none is sent as it is.
const consumed: ReadonlySet<string> = new Set([
  'anthropic_beta',
  'anthropic_version',
  'max_completion_tokens',
  'max_tokens',
  'mcp_servers',
  'messages',
  'metadata',
  'model',
  'output_config',
  'parallel_tool_calls',
  'prompt_cache_retention',
  'reasoning_effort',
  'response_format',
  'safety_identifier',
  'service_tier',
  'stop',
  'stream',
  'stream_options',
  'system',
  'temperature',
  'thinking',
  'tool_choice',
  'tools',
  'top_k',
  'top_p',
  'user',
  'web_search_options',
])

/** Fields that we do not know: Claude's own (`context_management`, `container` …) or newer than this code. */
export function passedThrough(request: ChatRequest): JsonObject {
  const entries = Object.entries(request).filter(
    ([name, value]) =>
      value !== undefined &&
      value !== null &&
      !consumed.has(name) &&
      !Object.hasOwn(unsupported, name) &&
      !isGatewayField(name),
  )
  return Object.fromEntries(entries)
}
