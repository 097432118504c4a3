import { estimateInputTokens } from '../catalog/token-estimate.js'
import { InvalidRequestError } from '../errors.js'
import { type AffinityKind, createAffinity } from '../router/affinity.js'
import type { RoutingOptions } from '../router/options.js'
import { type CheckedRequest, type RequestNeeds, createPreCallChecks } from '../router/pre-call-checks.js'
import { addPromptPrefix } from '../router/prompt-prefix.js'
import type { RouteRequest } from '../router/route.js'
import { TextHash } from '../router/text-hash.js'
import { type JsonObject, isObject, stringOf } from '../wire/json.js'
import type { Operation, Operations } from '../wire/operations.js'
import type { CallContext } from './context.js'

/** What a request tells the router of itself. */
export type RoutingFacts = Pick<RouteRequest, 'factsOf' | 'prefer'>

type AnyRequest = Operations[Operation]['request']

/**
 * Reads the facts of a request, and only those that the host's options make matter.
 * @throws InvalidRequestError for tags that are none
 */
export type ReadFacts = (request: AnyRequest, context: CallContext) => RoutingFacts

const none: RoutingFacts = Object.freeze({ factsOf: undefined, prefer: undefined })

/** Prepares the reading of facts; `enforceRates` tells whether `rpm` and `tpm` of deployments are limits. */
export function createRoutingFacts(options: RoutingOptions, enforceRates: boolean): ReadFacts {
  const { preCallChecks = false, tagFiltering = false, tagMatch = 'any', affinity = [] } = options
  const kinds = typeof affinity === 'string' ? [affinity] : affinity
  const checks = createPreCallChecks({ preCallChecks, enforceRates, tagMatch: tagFiltering ? tagMatch : undefined })
  const affine = createAffinity()
  const isChecked = preCallChecks || tagFiltering || enforceRates
  return (request, context) => {
    const region = regionOf(context)
    const key = kinds.length > 0 ? toKey(kinds, request, context) : undefined
    if (!isChecked && region === undefined && !key) return none
    const tags = tagFiltering ? requestTags(request, context) : []
    const checked = toCheckedRequest(request, tags, region)
    return { factsOf: (group) => checks(checked, group), prefer: key && affine(key) }
  }
}

/** Who and what tags a request besides its body. */
type TaggedBy = Pick<CallContext, 'caller' | 'headers'>

/**
 * The tags of a request, each once: the caller's, and those of `tags` or `metadata.tags` in the body (a list, or texts
 * with commas, as OpenAI's metadata holds texts only) and of the headers `x-sluice-tags` and `x-litellm-tags`.
 * @throws InvalidRequestError for anything else
 */
export function requestTags(request: JsonObject, { caller, headers }: TaggedBy): readonly string[] {
  const { tags, metadata } = request
  const own = [
    ...toTags(tags, 'tags'),
    ...toTags(isObject(metadata) ? metadata['tags'] : undefined, 'metadata.tags'),
    ...toTags(headers['x-sluice-tags'], 'x-sluice-tags'),
    ...toTags(headers['x-litellm-tags'], 'x-litellm-tags'),
  ]
  return own.length === 0 && !caller.tags ? own : [...new Set([...(caller.tags ?? []), ...own])]
}

/** The same as labels of what is over: tags that are none are no reason to lose it. */
export function labelTags(request: JsonObject, context: TaggedBy): readonly string[] {
  try {
    return requestTags(request, context)
  } catch {
    return context.caller.tags ?? []
  }
}

function toTags(value: unknown, place: string): readonly string[] {
  if (value === undefined || value === null) return []
  const list: readonly unknown[] = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : [value]
  return list.flatMap((tag) => {
    if (typeof tag !== 'string') throw new InvalidRequestError(`${place} must be a list of texts.`, place)
    return tag.trim() || []
  })
}

/** `caller.metadata.allowedModelRegion`; what is not a region there is none that any deployment is in. */
function regionOf({ caller }: CallContext): string | undefined {
  const region = caller.metadata?.['allowedModelRegion']
  if (region === undefined || region === null) return undefined
  return stringOf(region) ?? ''
}

/** The key of the first kind that the request has one of; no two callers have the same. */
function toKey(kinds: readonly AffinityKind[], request: AnyRequest, context: CallContext): TextHash | undefined {
  for (const kind of kinds) {
    const key = new TextHash().add(kind).add(context.caller.id)
    if (addTo[kind](key, request, context)) return key
  }
  return undefined
}

type AddToKey = (key: TextHash, request: AnyRequest, context: CallContext) => boolean

const addTo: Readonly<Record<AffinityKind, AddToKey>> = {
  session(key, request, context) {
    const session = sessionOf(request, context)
    if (session !== undefined) key.add(session)
    return session !== undefined
  },
  'prompt-prefix': addPromptPrefix,
  caller: () => true,
}

const sessionHeaders = ['x-sluice-session-id', 'x-litellm-session-id', 'x-litellm-trace-id']

/** Names of sessions are short; of a longer one the beginning counts. */
const longestSession = 512

function sessionOf(request: AnyRequest, { headers }: CallContext): string | undefined {
  const { metadata, session_id: session, litellm_session_id: litellm } = request
  const named = [
    isObject(metadata) ? metadata['session_id'] : undefined,
    session,
    litellm,
    ...sessionHeaders.map((name) => headers[name]),
  ]
  const found = named.find((id): id is string => typeof id === 'string' && id !== '')
  return found?.slice(0, longestSession)
}

// The guess is within a fifth of what current tokenizers count for prose, code and JSON; less for the scripts that
// some of them know well.
const leastShare = 0.6

function toCheckedRequest(request: AnyRequest, tags: readonly string[], region: string | undefined): CheckedRequest {
  let estimate: ReturnType<CheckedRequest['inputTokens']> | undefined
  return {
    tags,
    region,
    inputTokens: () => (estimate ??= estimateRange(request)),
    needs: () => needsOf(request),
  }
}

/**
 * Of images, sounds and files only the provider knows what they are read as, and of members of its own whether they are:
 * none counts for the least.
 */
function estimateRange(request: AnyRequest): ReturnType<CheckedRequest['inputTokens']> {
  const { tokens, maybeRead, atMost } = estimateInputTokens(request)
  const atLeast = Math.max(0, tokens - maybeRead - atMost.image - atMost.audio - atMost.file) * leastShare
  return { guess: tokens, atLeast }
}

function needsOf({ tools, functions, response_format: format, messages }: AnyRequest): RequestNeeds {
  return {
    tools: isFilled(tools) || isFilled(functions),
    vision: Array.isArray(messages) && messages.some(hasImage),
    jsonSchema: isObject(format) && format['type'] === 'json_schema',
  }
}

const isFilled = (list: unknown): boolean => Array.isArray(list) && list.length > 0

function hasImage(message: unknown): boolean {
  const content = isObject(message) ? message['content'] : undefined
  return Array.isArray(content) && content.some((part) => isObject(part) && part['type'] === 'image_url')
}
