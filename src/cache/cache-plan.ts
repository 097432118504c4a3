import type { Deployment } from '../deployment.js'
import { GatewayError } from '../errors.js'
import type { LeaveSignal } from '../http/message.js'
import type { Caller } from '../ports.js'
import type { JsonObject } from '../wire/json.js'
import type { Operation, Operations } from '../wire/operations.js'
import {
  type CachedGroup,
  createModelIdentity,
  digestRequest,
  type KeyParts,
  scopeOf,
  toCacheKey,
} from './cache-key.js'
import type { CacheSettings } from './options.js'
import type { CacheWishes } from './wishes.js'

/** What is asked of the cache: a call that may be made, after access and guardrails have passed it. */
export interface CacheQuestion<K extends Operation> {
  readonly operation: K
  readonly request: Operations[K]['request']
  readonly caller: Caller
  /** What else decides which deployment may answer: tags, a region. */
  readonly routing?: readonly string[] | undefined
  /** What the model was resolved to. */
  readonly group: CachedGroup
  /** From `readCacheWishes`. */
  readonly wishes: CacheWishes
  /** Aborts when whoever asks no longer waits. */
  readonly signal: LeaveSignal | undefined
}

/** Who gave an answer. */
export interface Producer {
  readonly deployment: Deployment
  /** What it was picked from; after a fall-over to another group not the one that was asked for. */
  readonly group: CachedGroup
  /** False where the caller's own credentials were used. */
  readonly billable: boolean
}

/** How one call takes part in the cache. */
export interface CachePlan {
  /** Of the request, without what is in the key apart from it. */
  readonly digest: string
  readonly key: string
  readonly reads: boolean
  readonly writes: boolean
  readonly maxAgeMs: number
  readonly ttlMs: number
  /** Digest of another request as this one's was made. */
  digestOf(request: JsonObject): string | undefined
  /** Key of a digest under the group that was asked for, or under the one that answered. */
  keyFor(digest: string, producer?: Producer): string
  /** False where the producer's answer is nobody else's: it came from an address or account of the caller's own. */
  mayKeep(producer: Producer): boolean
}

/** Decides how a call takes part; undefined where it does not. */
export type PlanCall = <K extends Operation>(question: CacheQuestion<K>, streamed: boolean) => CachePlan | undefined

/** Builds the decision from the settings. */
export function createPlanner(settings: CacheSettings): PlanCall {
  const identify = createModelIdentity()
  return ({ operation, request, caller, group, wishes, routing = [] }, streamed) => {
    const isOn = wishes.use ?? settings.mode === 'default_on'
    if (!isOn || !settings.operations.has(operation)) return undefined
    const scope = wishes.scope ?? settings.scope
    if (!settings.allowScopes.has(scope)) throw scopeRefused(scope)
    const digest = digestRequest(request, settings.ignoreFields)
    if (digest === undefined) return undefined
    const shared: Omit<KeyParts, 'model'> = {
      operation,
      streamed,
      namespaces: [settings.namespace, wishes.namespace ?? ''],
      scope: scopeOf(caller, scope),
      routing,
    }
    const keyUnder = (under: CachedGroup, of: string): string => toCacheKey({ ...shared, model: identify(under) }, of)
    return {
      digest,
      key: keyUnder(group, digest),
      reads: !wishes.noRead,
      writes: !wishes.noWrite,
      maxAgeMs: wishes.maxAgeMs,
      ttlMs: wishes.ttlMs ?? settings.ttlMs,
      digestOf: (other) => digestRequest(other, settings.ignoreFields),
      keyFor: (other, producer) => keyUnder(producer?.group ?? group, other),
      mayKeep: (producer) => !wishes.noWrite && (producer.billable || shared.scope[0] === 'caller'),
    }
  }
}

function scopeRefused(scope: string): GatewayError {
  return new GatewayError('permission', `You may not share answers with the scope '${scope}'.`, {
    param: 'cache.scope',
  })
}
