import type { Deployment } from '../deployment.js'
import { UnsupportedParameterError } from '../errors.js'
import { ChatRequest } from '../wire/chat.js'
import { CompletionRequest } from '../wire/completions.js'
import { EmbeddingRequest } from '../wire/embeddings.js'
import { ImageRequest } from '../wire/images.js'
import { ModerationRequest } from '../wire/moderations.js'
import { isObject, type JsonObject } from '../wire/json.js'
import type { Operation } from '../wire/operations.js'
import { type DropPolicy, isGatewayField, toDropPolicy } from './gateway-fields.js'
import { lostInMessages } from './message-fields.js'

/** A request under its deployment's defaults, and what happens to the parameters that its target cannot honour. */
export interface SettledRequest<Request> {
  readonly request: Request
  readonly policy: DropPolicy
}

/** How a dialect takes a parameter: under another name, or as the members that a function makes of it. */
export type Take = string | ((value: unknown) => JsonObject)

/** What became of a request's parameters. */
export interface Parameters {
  /** OpenAI's parameters in the dialect's words. */
  readonly members: JsonObject
  /** Fields that are neither OpenAI's nor the gateway's, as they came. */
  readonly extra: JsonObject
  /** OpenAI's parameters that the dialect cannot honour; they are left out. */
  readonly unsupported: readonly string[]
}

const known: { readonly [K in Operation]: ReadonlySet<string> } = {
  chat: new Set(Object.keys(ChatRequest.shape)),
  completions: new Set(Object.keys(CompletionRequest.shape)),
  embeddings: new Set(Object.keys(EmbeddingRequest.shape)),
  images: new Set(Object.keys(ImageRequest.shape)),
  moderations: new Set(Object.keys(ModerationRequest.shape)),
}

// Every codec writes the first of these itself; the others are about the account or the connection, not the answer.
const apart: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'prompt',
  'input',
  'stream',
  'stream_options',
  'extra_body',
  'metadata',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'store',
  'user',
  '__proto__',
])

// Values that ask for nothing beyond the default; a target that does not know them honours them all the same.
const neutral: Readonly<Record<string, (value: unknown) => boolean>> = {
  best_of: (value) => value === 1,
  echo: (value) => value === false,
  encoding_format: () => true,
  frequency_penalty: (value) => value === 0,
  function_call: (value) => value === 'auto' || value === 'none',
  functions: isEmptyList,
  logit_bias: (value) => isObject(value) && Object.keys(value).length === 0,
  logprobs: (value) => value === false || value === 0,
  modalities: (value) => Array.isArray(value) && value.length === 1 && value[0] === 'text',
  n: (value) => value === 1,
  parallel_tool_calls: (value) => value === true,
  presence_penalty: (value) => value === 0,
  quality: (value) => value === 'auto' || value === 'standard',
  reasoning_effort: (value) => value === 'none',
  response_format: (value) => (isObject(value) ? value['type'] === 'text' : value === 'b64_json'),
  service_tier: (value) => value === 'auto' || value === 'default',
  size: (value) => value === 'auto',
  stop: isEmptyList,
  temperature: (value) => value === 1,
  thinking: (value) => isObject(value) && value['type'] === 'disabled',
  tool_choice: (value) => value === 'auto',
  tools: isEmptyList,
  top_logprobs: (value) => value === 0,
  top_p: (value) => value === 1,
}

/** True where a parameter's value asks for nothing beyond what every target does by itself. */
export function asksNothing(parameter: string, value: unknown): boolean {
  return neutral[parameter]?.(value) ?? false
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

// Two ways of asking for the same thing: a caller's word in one replaces the deployment's in the other.
const alternatives: readonly (readonly string[])[] = [
  ['max_tokens', 'max_completion_tokens'],
  ['reasoning_effort', 'thinking'],
]

const isSet = (value: unknown): boolean => value !== undefined && value !== null

/** Lays the request over the deployment's `params`, and takes away what `additional_drop_params` names. */
export function settleRequest<Request extends JsonObject>(
  asked: Request,
  deployment: Deployment,
): SettledRequest<Request> {
  const policy = toDropPolicy(asked, deployment.params, deployment.dropParams)
  const defaults = defaultsUnder(asked, deployment.params)
  const dropped = policy.additional.filter((name) => name in asked).map((name) => [name, undefined])
  if (defaults.length === 0 && dropped.length === 0) return { request: asked, policy }
  return { request: { ...asked, ...Object.fromEntries(defaults), ...Object.fromEntries(dropped) }, policy }
}

/** The members of a deployment's `params` that a request leaves open. */
function defaultsUnder(asked: JsonObject, params: JsonObject): readonly (readonly [string, unknown])[] {
  const defaults = Object.entries(params)
  if (defaults.length === 0) return defaults
  const taken = new Set(Object.keys(asked).filter((name) => isSet(asked[name])))
  for (const pair of alternatives) if (pair.some((name) => taken.has(name))) for (const name of pair) taken.add(name)
  return defaults.filter(([name]) => !taken.has(name) && !apart.has(name))
}

/** Sorts a request's members by a dialect's table; `handled` are written by the codec itself. */
export function translateParameters(
  operation: Operation,
  request: JsonObject,
  policy: DropPolicy,
  table: Readonly<Record<string, Take>>,
  handled: readonly string[] = [],
): Parameters {
  const members: Record<string, unknown> = {}
  const extra: Record<string, unknown> = extraBodyOf(request)
  const unsupported: string[] = []
  for (const [name, value] of Object.entries(request)) {
    if (!isSet(value) || apart.has(name) || isGatewayField(name) || handled.includes(name)) continue
    const take = Object.hasOwn(table, name) ? table[name] : undefined
    if (typeof take === 'string') members[take] = value
    else if (take) Object.assign(members, take(value))
    else if (!known[operation].has(name) || policy.allowed.includes(name)) extra[name] = value
    else if (!asksNothing(name, value)) unsupported.push(name)
  }
  return { members, extra, unsupported }
}

// LiteLLM's `extra_body`: merged into the body, but never over what says which model answers what.
function extraBodyOf({ extra_body: extra }: JsonObject): Record<string, unknown> {
  if (!isObject(extra)) return {}
  return Object.fromEntries(Object.entries(extra).filter(([name]) => !apart.has(name) && !isGatewayField(name)))
}

// About the account, not the answer: left out without a 400, but not without a word.
const account = ['metadata', 'prompt_cache_key', 'prompt_cache_retention', 'safety_identifier', 'store', 'user']

/** What a dialect leaves out although it changes nothing in the answer; `store: false` is honoured, as nothing is stored. */
export function ignoredIn(request: JsonObject, keeps = { detail: false }): readonly string[] {
  const set = account.filter((name) => isSet(request[name]) && !(name === 'store' && request[name] === false))
  return [...set, ...lostInMessages(request['messages'], keeps)]
}

/** Gives what was left out; `ignored` never leads to an error. @throws UnsupportedParameterError naming all of it where it may not be */
export function settleUnsupported(
  { provider, model }: Deployment,
  policy: DropPolicy,
  unsupported: readonly string[],
  ignored: readonly string[] = [],
): readonly string[] {
  if (unsupported.length > 0 && !policy.drop) throw new UnsupportedParameterError(provider, model, unsupported)
  return [...new Set([...unsupported, ...ignored])]
}
