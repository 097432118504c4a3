import type { DropPolicy } from '../gateway-fields.js'
import { isGatewayField } from '../gateway-fields.js'
import { InvalidRequestError, UnsupportedParameterError } from '../../errors.js'
import type { Deployment } from '../../deployment.js'
import { ChatRequest } from '../../wire/chat.js'
import { isObject, type JsonObject } from '../../wire/json.js'
import { writeJson } from '../../wire/write-json.js'

// OpenAI's fields that are about the account or the connection, and have no counterpart here.
const notForTheModel: ReadonlySet<string> = new Set([
  'metadata',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'user',
])

// Of these the codec itself makes use.
const streamFields: ReadonlySet<string> = new Set(['stream', 'stream_options'])

// Members of generationConfig that callers also write beside OpenAI's own parameters.
const generationFields: ReadonlySet<string> = new Set([
  'audioTimestamp',
  'candidateCount',
  'enableAffectiveDialog',
  'enableEnhancedCivicAnswers',
  'frequencyPenalty',
  'imageConfig',
  'maxOutputTokens',
  'mediaResolution',
  'presencePenalty',
  'responseJsonSchema',
  'responseLogprobs',
  'responseMimeType',
  'responseModalities',
  'responseSchema',
  'routingConfig',
  'speechConfig',
  'stopSequences',
  'thinkingConfig',
  'topK',
  'topP',
])

const bodyFields: ReadonlySet<string> = new Set([
  'cachedContent',
  'generationConfig',
  'labels',
  'safetySettings',
  'toolConfig',
])

// What we write from the messages; a second copy beside them would be a conversation that nobody checked.
const ownFields: ReadonlySet<string> = new Set(['contents', 'systemInstruction', 'system_instruction'])

const inheritedNames: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

const toCamelCase = (name: string): string =>
  name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** Fields beyond OpenAI's, by where in Gemini's request they belong. */
export interface ExtraFields {
  readonly body: JsonObject
  readonly generationConfig: JsonObject
  readonly unsupported: readonly string[]
}

/** Fields about the account that are set and left out; `store: false` is honoured, since nothing is stored. */
export function ignoredFields(request: JsonObject): readonly string[] {
  return [...notForTheModel].filter(
    (name) => isSet(request[name]) && !streamFields.has(name) && !(name === 'store' && request[name] === false),
  )
}

/** Sorts the fields that are neither OpenAI's nor the gateway's; unknown ones go to the top level as they are. */
export function toExtraFields(request: JsonObject, known: ReadonlySet<string>, labels: boolean): ExtraFields {
  const body: [string, unknown][] = []
  const generation: [string, unknown][] = []
  const unsupported: string[] = []
  for (const [name, value] of Object.entries(request)) {
    if (value === null || value === undefined || known.has(name) || notForTheModel.has(name)) continue
    if (isGatewayField(name) || inheritedNames.has(name)) continue
    const camel = toCamelCase(name)
    if (ownFields.has(name) || (name === 'labels' && !labels)) unsupported.push(name)
    else if (generationFields.has(camel)) generation.push([camel, value])
    else body.push([bodyFields.has(camel) ? camel : name, value])
  }
  const { generationConfig, ...rest } = Object.fromEntries(body)
  return {
    body: rest,
    generationConfig: { ...Object.fromEntries(generation), ...camelKeys(generationConfig) },
    unsupported,
  }
}

function camelKeys(value: unknown): JsonObject {
  if (!isObject(value)) return {}
  const entries = Object.entries(value).filter(([name]) => !inheritedNames.has(name))
  return Object.fromEntries(entries.map(([name, member]) => [toCamelCase(name), member]))
}

/** Lays the caller's own fields over ours; objects are merged one level deep, everything else is replaced. */
export function mergeFields(ours: JsonObject, theirs: JsonObject): JsonObject {
  const merged = Object.entries(theirs).map(([name, value]): readonly [string, unknown] => {
    const own = Object.hasOwn(ours, name) ? ours[name] : undefined
    return [name, isObject(own) && isObject(value) ? { ...own, ...camelKeys(value) } : value]
  })
  return { ...ours, ...Object.fromEntries(merged) }
}

// Two ways of asking for the same thing: a caller's word in one replaces the deployment's in the other.
const alternatives: readonly (readonly string[])[] = [
  ['max_tokens', 'max_completion_tokens'],
  ['reasoning_effort', 'thinking'],
]

/** The request over the deployment's defaults; a field that is null counts as not given. */
export function withDefaults<Request extends JsonObject>(request: Request, { params }: Deployment): Request {
  const names = Object.keys(params)
  if (names.length === 0) return request
  const taken = new Set(Object.keys(request).filter((name) => isSet(request[name])))
  for (const pair of alternatives) if (pair.some((name) => taken.has(name))) for (const name of pair) taken.add(name)
  const defaults = Object.entries(params).filter(
    ([name]) => !taken.has(name) && name !== 'model' && name !== 'messages',
  )
  return { ...request, ...Object.fromEntries(defaults) }
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null

/** The request without the fields that the caller or the deployment wants left out whatever the model supports. */
export function withoutDropped<Request extends JsonObject>(request: Request, { additional }: DropPolicy): Request {
  if (additional.length === 0) return request
  return {
    ...request,
    ...Object.fromEntries(additional.filter((name) => name in request).map((name) => [name, undefined])),
  }
}

/** What was left out; an error where that was not allowed. @throws UnsupportedParameterError naming all of them */
export function settleUnsupported(
  { provider, model }: Deployment,
  policy: DropPolicy,
  unsupported: readonly string[],
  ignored: readonly string[] = [],
): readonly string[] {
  if (unsupported.length > 0 && !policy.drop) throw new UnsupportedParameterError(provider, model, unsupported)
  return [...new Set([...unsupported, ...ignored])]
}

/** The body as it is sent. @throws InvalidRequestError where it is nested deeper than can be written */
export function writeBody(body: JsonObject): string | Uint8Array {
  try {
    return writeJson(body)
  } catch (cause) {
    throw new InvalidRequestError('The request is nested too deeply.', null, cause)
  }
}

/** The names of OpenAI's parameters of chat; each is translated, refused, or about the account. */
export const chatFields: ReadonlySet<string> = new Set([...Object.keys(ChatRequest.shape), 'top_k'])
