import { lowerLimit } from '../../catalog/prices/index.js'
import type { Deployment } from '../../deployment.js'
import { UnsupportedParameterError } from '../../errors.js'
import { isObject, type JsonObject, memberAt } from '../../wire/json.js'
import { type DropPolicy, isGatewayField, toDropPolicy } from '../gateway-fields.js'
import { dropPath } from './drop-path.js'
import type { Quirks } from './quirks.js'

/** A request body under construction. */
export type Body = Record<string, unknown>

/** Which parameters one target takes; all names are OpenAI's. */
export interface ParameterRules {
  /** Every optional OpenAI parameter of the operation. */
  readonly known: ReadonlySet<string>
  readonly unsupported: ReadonlySet<string>
  /** If set, the only known parameters that are taken. */
  readonly supported: ReadonlySet<string> | undefined
}

/** Optional parameters per operation, as OpenAI documents them, and Claude's `thinking`. */
export const knownParameters = {
  chat: new Set([
    'audio',
    'frequency_penalty',
    'function_call',
    'functions',
    'logit_bias',
    'logprobs',
    'max_completion_tokens',
    'max_tokens',
    'metadata',
    'modalities',
    'n',
    'parallel_tool_calls',
    'prediction',
    'presence_penalty',
    'prompt_cache_key',
    'reasoning_effort',
    'response_format',
    'safety_identifier',
    'seed',
    'service_tier',
    'stop',
    'store',
    'temperature',
    'thinking',
    'tool_choice',
    'tools',
    'top_logprobs',
    'top_p',
    'user',
    'verbosity',
    'web_search_options',
  ]),
  completions: new Set([
    'best_of',
    'echo',
    'frequency_penalty',
    'logit_bias',
    'logprobs',
    'max_tokens',
    'n',
    'presence_penalty',
    'seed',
    'stop',
    'suffix',
    'temperature',
    'top_p',
    'user',
  ]),
  embeddings: new Set(['dimensions', 'encoding_format', 'user']),
  images: new Set([
    'background',
    'moderation',
    'n',
    'output_compression',
    'output_format',
    'quality',
    'response_format',
    'size',
    'style',
    'user',
  ]),
  moderations: new Set<string>(),
} as const satisfies Record<string, ReadonlySet<string>>

// Values that ask for nothing beyond the default; a target without the parameter honours them by leaving it out.
const neutralValues: Readonly<Record<string, (value: unknown) => boolean>> = {
  best_of: (value) => value === 1,
  echo: (value) => value === false,
  frequency_penalty: (value) => value === 0,
  function_call: (value) => value === 'auto' || value === 'none',
  functions: (value) => Array.isArray(value) && value.length === 0,
  logit_bias: (value) => isObject(value) && Object.keys(value).length === 0,
  logprobs: (value) => value === false || value === 0,
  modalities: (value) => Array.isArray(value) && value.length === 1 && value[0] === 'text',
  n: (value) => value === 1,
  parallel_tool_calls: (value) => value === true,
  presence_penalty: (value) => value === 0,
  reasoning_effort: (value) => value === 'none',
  response_format: (value) => isObject(value) && value['type'] === 'text',
  service_tier: (value) => value === 'auto' || value === 'default',
  stop: (value) => Array.isArray(value) && value.length === 0,
  store: (value) => value === false,
  temperature: (value) => value === 1,
  thinking: (value) => isObject(value) && value['type'] === 'disabled',
  tool_choice: (value) => value === 'auto',
  tools: (value) => Array.isArray(value) && value.length === 0,
  top_logprobs: (value) => value === 0,
  top_p: (value) => value === 1,
}

/** True where a value asks for nothing that the default does not do. */
export function isNeutral(parameter: string, value: unknown): boolean {
  return neutralValues[parameter]?.(value) ?? false
}

/** The body so far, with the rules that still have to be applied to it. */
export interface Draft {
  readonly body: Body
  readonly policy: DropPolicy
  /** What was left out; grows while the body is written. */
  readonly dropped: string[]
  /** What the target cannot honour; a 400 names all of it at once. */
  readonly refused: string[]
}

/** What a body is laid over, and what a request may not say in it. */
interface Ground extends Pick<Quirks, 'hostOnly' | 'hostLimits'> {
  readonly under?: JsonObject | undefined
}

/**
 * Starts a body: `under`, then the deployment's params, then the request's own fields. Null stands for "not set" in
 * OpenAI's parameters and leaves them out; fields that we do not know are kept whatever they hold.
 */
export function createDraft(
  asked: JsonObject,
  deployment: Deployment,
  known: ReadonlySet<string>,
  { under, hostOnly = [], hostLimits = [] }: Ground,
): Draft {
  const body: Body = {}
  const { params } = deployment
  const { request, found } = withoutPaths(asked, hostOnly)
  for (const source of [under, extraBodyOf(params), params, extraBodyOf(request), request]) {
    if (source) addFields(body, source, known)
  }
  const draft: Draft = { body, policy: toDropPolicy(request, params, deployment.dropParams), dropped: [], refused: [] }
  ;(draft.policy.drop ? draft.dropped : draft.refused).push(...found)
  for (const path of draft.policy.additional) {
    if (dropPath(body, path)) draft.dropped.push(path)
  }
  for (const path of hostLimits) keepLimit(body, path, params)
  return draft
}

/** Keeps a request within what the deployment's params say at a path. */
function keepLimit(body: Body, path: string, params: JsonObject): void {
  const limit = lowerLimit(memberAt(params, path) ?? memberAt(params['extra_body'], path), memberAt(body, path))
  const [first = '', ...rest] = path.split('.')
  if (limit) body[first] = withMember(body[first], rest, limit)
}

function withMember(holder: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value
  const members = isObject(holder) ? holder : {}
  return { ...members, [name]: withMember(members[name], rest, value) }
}

/** A request without what these paths name, in itself or its `extra_body`, and which of them were there. */
function withoutPaths(
  request: JsonObject,
  paths: readonly string[],
): { readonly request: JsonObject; readonly found: readonly string[] } {
  if (paths.length === 0) return { request, found: paths }
  const own: Body = { ...request }
  const extra: Body | undefined = isObject(own['extra_body']) ? { ...own['extra_body'] } : undefined
  if (extra) own['extra_body'] = extra
  const found = paths.filter((path) => [own, extra].filter((body) => body && dropPath(body, path)).length > 0)
  return { request: found.length === 0 ? request : own, found }
}

function addFields(body: Body, source: JsonObject, known: ReadonlySet<string>): void {
  for (const name in source) {
    const value = source[name]
    if (value === undefined || name === '__proto__' || isGatewayField(name)) continue
    if (value === null && (known.has(name) || name === 'stream' || name === 'stream_options')) continue
    body[name] = value
  }
}

// LiteLLM's `extra_body`: merged into the body, but never over what says which model answers what.
function extraBodyOf(source: JsonObject): JsonObject | undefined {
  const extra = source['extra_body']
  if (!isObject(extra)) return undefined
  const { model: _model, messages: _messages, prompt: _prompt, input: _input, stream: _stream, ...rest } = extra
  return rest
}

/** Marks one parameter as one that the target cannot honour: it leaves the body, to be named in a 400 or in the reply's headers. */
export function refuse(draft: Draft, parameter: string): void {
  const { body, policy } = draft
  if (!(parameter in body) || policy.allowed.includes(parameter)) return
  const value = body[parameter]
  delete body[parameter]
  if (isNeutral(parameter, value)) return
  const list = policy.drop ? draft.dropped : draft.refused
  if (!list.includes(parameter)) list.push(parameter)
}

/** Refuses what the rules exclude. */
export function applyRules(draft: Draft, rules: ParameterRules): void {
  const hadTools = 'tools' in draft.body
  for (const name of Object.keys(draft.body)) {
    const isExcluded = rules.known.has(name) && rules.supported !== undefined && !rules.supported.has(name)
    if (isExcluded || rules.unsupported.has(name)) refuse(draft, name)
  }
  // Choosing among tools makes no sense once the tools are gone.
  if (hadTools && !('tools' in draft.body)) {
    delete draft.body['tool_choice']
    delete draft.body['parallel_tool_calls']
  }
}

/** Names what is sent in vain. */
export function noteIgnored({ body, dropped }: Draft, ignored: readonly string[] = []): void {
  for (const name of ignored) {
    if (name in body && !isNeutral(name, body[name])) dropped.push(name)
  }
}

/** Renames and clamps; a name that the caller already used at the provider's side wins. */
export function applyNames(body: Body, rename: Quirks['rename'], clamp: Quirks['clamp']): void {
  for (const [name, { min, max }] of Object.entries(clamp ?? {})) {
    const value = body[name]
    if (typeof value === 'number') body[name] = Math.min(Math.max(value, min ?? value), max ?? value)
  }
  for (const [name, upstreamName] of Object.entries(rename ?? {})) {
    if (!(name in body)) continue
    if (!(upstreamName in body)) body[upstreamName] = body[name]
    delete body[name]
  }
}

/** Ends a draft. @throws UnsupportedParameterError naming everything that was refused */
export function checkRefused(draft: Draft, deployment: Deployment): void {
  if (draft.refused.length > 0) {
    throw new UnsupportedParameterError(deployment.provider, deployment.model, draft.refused)
  }
}
