import type { Deployment } from '../deployment.js'
import type { Caller } from '../ports.js'
import type { JsonObject } from '../wire/json.js'
import type { Operation } from '../wire/operations.js'
import { sha256, toCanonicalText } from './canonical.js'
import type { CacheScope } from './options.js'

// Part of every key: entries of an older form are never found, so they need not be understood.
const version = 2

/** Everything besides the request itself that keeps answers apart. */
export interface KeyParts {
  readonly operation: Operation
  readonly streamed: boolean
  /** The host's and the request's own. */
  readonly namespaces: readonly [string, string]
  /** From `scopeOf`. */
  readonly scope: readonly string[]
  /** What decides, beside the request, which deployment may answer. */
  readonly routing: readonly string[]
  /** From `createModelIdentity`. */
  readonly model: string
}

/** The key of an answer: SHA-256 over what keeps answers apart and the digest of the request, in hex. */
export function toCacheKey(parts: KeyParts, requestDigest: string): string {
  const { operation, streamed, namespaces, scope, routing, model } = parts
  return sha256(JSON.stringify([version, operation, streamed, namespaces, scope, routing, model, requestDigest]))
}

/**
 * SHA-256 over the canonical request without the ignored fields; the order of members does not matter, every other
 * difference does. Undefined for a request that has no canonical text: it is not cached.
 */
export function digestRequest(request: JsonObject, ignored: ReadonlySet<string>): string | undefined {
  const counted = Object.entries(request).filter(([name]) => !ignored.has(name))
  const text = toCanonicalText(Object.fromEntries(counted))
  return text === undefined ? undefined : sha256(text)
}

/** Who shares an answer, as part of the key. A caller without a team has a scope of its own. */
export function scopeOf(caller: Caller, scope: CacheScope): readonly string[] {
  if (scope === 'global') return ['global']
  const idOf = (kind: 'team' | 'organization'): string | undefined =>
    caller.scopes.find((candidate) => candidate.kind === kind)?.id
  const team = scope === 'team' ? idOf('team') : undefined
  return team === undefined ? ['caller', caller.id] : ['team', idOf('organization') ?? '', team]
}

/** A model group, as far as the cache looks at it. */
export interface CachedGroup {
  readonly name: string
  readonly members: readonly { readonly deployment: Deployment }[]
}

/**
 * Tells model groups apart by name and by what they stand for (provider, model, address, parameters), so that an answer
 * is not found any more once the group of that name has become something else. Remembered for each group.
 */
export function createModelIdentity(): (group: CachedGroup) => string {
  const known = new WeakMap<CachedGroup, string>()
  return (group) => {
    const identity = known.get(group) ?? identityOf(group)
    known.set(group, identity)
    return identity
  }
}

function identityOf({ name, members }: CachedGroup): string {
  const texts = members.map(({ deployment }) => {
    const { id, provider, model, baseUrl, apiVersion, params, dropParams, headers } = deployment
    // Parameters of a host that have no canonical text are told apart by the deployment's id.
    return toCanonicalText([provider, model, baseUrl, apiVersion, params, dropParams, headers]) ?? id
  })
  return sha256(JSON.stringify([name, [...new Set(texts)].toSorted()]))
}
