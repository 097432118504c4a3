import type { IdempotentCall, Origin } from '../cache/idempotent-call.js'
import type { Idempotency, IdempotentReplay } from '../cache/idempotency.js'
import type { ResponseCache } from '../cache/response-cache.js'
import type { StoredAnswer } from '../cache/entry.js'
import type { CacheQuestion } from '../cache/cache-plan.js'
import type { StreamHit, StreamMiss, WholeHit, WholeMiss } from '../cache/found.js'
import type { RecentHits } from '../cache/recent-hits.js'
import { fromStored } from '../cache/stored-whole.js'
import { replayLines } from '../cache/stream-text.js'
import { readCacheWishes } from '../cache/wishes.js'
import { GatewayError } from '../errors.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import type { Given } from './attempt.js'
import type { BegunCall } from './begin-call.js'
import type { KnownCall } from './known-call.js'
import type { CallContext } from './context.js'
import type { PartBatches } from './read-parts.js'
import { requestTags } from './routing-facts.js'

/** Answers that exist already: of the same key, or of the same request. */
export interface EarlierAnswers {
  readonly idempotency: Idempotency | undefined
  readonly cache: ResponseCache | undefined
  /** Requests that were answered from memory; undefined where nothing is, or where more than the request decides. */
  readonly recent: RecentHits<KnownCall<Operation>> | undefined
}

/** One call, as far as it may have been answered before. */
export interface RepeatableCall<K extends Operation> {
  readonly operation: K
  readonly request: Operations[K]['request']
  readonly call: BegunCall
  readonly context: CallContext
}

/**
 * Looks for the answer that the call's `Idempotency-Key` stands for. Undefined: the call has no key.
 * @throws GatewayError as `Idempotency.begin`
 */
export async function beginRepeat<K extends Operation>(
  { operation, request, context }: RepeatableCall<K>,
  { idempotency }: EarlierAnswers,
): Promise<IdempotentReplay | IdempotentCall | undefined> {
  const key = context.headers['idempotency-key']
  if (key === undefined || !idempotency) return undefined
  const streamed = request['stream'] === true
  const { caller, signal } = context
  return idempotency.begin({ key, caller, operation, streamed, request, signal })
}

/** Asks the cache for a whole answer. Undefined: there is no cache. */
export function findWhole<K extends Operation>(
  repeatable: RepeatableCall<K>,
  { cache }: EarlierAnswers,
): Promise<WholeHit<K> | WholeMiss<K>> | undefined {
  return cache?.findWhole(toQuestion(repeatable))
}

/** Asks the cache for a stream. Undefined: there is no cache. */
export function findStream<K extends StreamOperation>(
  repeatable: RepeatableCall<K>,
  { cache }: EarlierAnswers,
): Promise<StreamHit<K> | StreamMiss> | undefined {
  return cache?.findStream(toQuestion(repeatable))
}

function toQuestion<K extends Operation>(repeatable: RepeatableCall<K>): CacheQuestion<K> {
  const { operation, request, call, context } = repeatable
  const wishes = readCacheWishes(request, context.headers['cache-control'])
  const { caller, signal } = context
  return { operation, request, wishes, routing: routingOf(request, context), group: call.route.group, caller, signal }
}

/** Tags and region of the call: an answer of deployments that it may not use is not for it. */
function routingOf(request: Operations[Operation]['request'], context: CallContext): readonly string[] {
  const region: unknown = context.caller.metadata?.['allowedModelRegion']
  const tags = requestTags(request, context).toSorted()
  return typeof region === 'string' ? [`region:${region}`, ...tags] : tags
}

/** What a client is told about an answer that was not made for it. */
export type ReplayHeaders = Readonly<Record<string, string>>

const toSeconds = (milliseconds: number): string => String(Math.max(0, Math.floor(milliseconds / 1_000)))

/** `x-sluice-cache`, `x-sluice-cache-key` and `age`; nothing where the call takes no part in the cache. */
export function cacheHeaders(
  found:
    | { readonly status: 'hit'; readonly key: string; readonly ageMs: number }
    | { readonly status: 'miss' | 'partial' | 'bypass'; readonly key: string | undefined }
    | undefined,
): ReplayHeaders {
  if (!found || found.key === undefined) return {}
  const { status, key } = found
  if (status !== 'hit') return { 'x-sluice-cache': status, 'x-sluice-cache-key': key }
  return { 'x-sluice-cache': status, 'x-sluice-cache-key': key, age: toSeconds(found.ageMs) }
}

// As other APIs call it.
const replayedHeaders: ReplayHeaders = Object.freeze({ 'idempotent-replayed': 'true' })

/** What is told about an answer that was not made for whoever gets it. @param headers of a cache hit; else it is a key's */
export function givenFrom({ deployment }: StoredAnswer, headers: ReplayHeaders = replayedHeaders): Given {
  return { deploymentId: deployment, droppedParams: [], billable: true, headers }
}

/** Who gave an answer from the cache, for a key that is to stand for it too. */
export function originOf({ deployment, modelName, provider, model }: StoredAnswer): Origin {
  return { id: deployment, modelName, provider, model }
}

/** The whole answer that a key stands for. @throws GatewayError where the key was used for a stream */
export function toWhole<K extends Operation>(source: StoredAnswer): ReturnType<typeof fromStored<K>> & object {
  const answer = fromStored<K>(source)
  if (answer) return answer
  throw new GatewayError('conflict', 'What this Idempotency-Key stands for cannot be read any more. Use a new key.')
}

/** The stream that a key stands for. */
export function toParts<K extends StreamOperation>(source: StoredAnswer): PartBatches<Operations[K]['chunk']> {
  return replayLines<Operations[K]['chunk']>(source.text)
}
