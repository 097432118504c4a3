import { z } from 'zod'
import { InvalidRequestError } from '../errors.js'
import { isObject, type JsonObject } from '../wire/json.js'
import type { CacheScope } from './options.js'

/** What one request wants of the cache. */
export interface CacheWishes {
  /** False: neither read nor write. Undefined: as the options' mode says. */
  readonly use: boolean | undefined
  /** Do not answer from the cache (`no-cache`). */
  readonly noRead: boolean
  /** Do not keep the answer (`no-store`, a `ttl` of 0). */
  readonly noWrite: boolean
  /** Answer from the cache or not at all (`only-if-cached`). */
  readonly onlyCached: boolean
  /** The oldest answer that is good enough, in milliseconds (`max-age`, `s-maxage`). */
  readonly maxAgeMs: number
  /** How long the answer is kept. Undefined: as the options say. */
  readonly ttlMs: number | undefined
  readonly namespace: string | undefined
  readonly scope: CacheScope | undefined
}

const oneYear = 365 * 24 * 60 * 60
const seconds = z.number().nonnegative().max(oneYear).optional()
const flag = z.boolean().optional()

// A misspelt `no-store` that is passed over would keep what must not be kept; so unknown names are errors here.
const BodyWishes = z.strictObject({
  'no-cache': flag,
  'no-store': flag,
  'use-cache': flag,
  ttl: seconds,
  's-maxage': seconds,
  's-max-age': seconds,
  namespace: z.string().min(1).max(256).optional(),
  scope: z.enum(['caller', 'team', 'global']).optional(),
})

type BodyWishes = z.infer<typeof BodyWishes>

const none: CacheWishes = Object.freeze({
  use: undefined,
  noRead: false,
  noWrite: false,
  onlyCached: false,
  maxAgeMs: Infinity,
  ttlMs: undefined,
  namespace: undefined,
  scope: undefined,
})

/**
 * Reads the wishes of a body (`cache`, LiteLLM's names in seconds; `caching`) and of the request header
 * `Cache-Control` (RFC 9111, section 5.2.1). Where both speak, the stricter one holds.
 * @throws InvalidRequestError naming the field of the body
 */
export function readCacheWishes(request: JsonObject, cacheControl: string | undefined): CacheWishes {
  const { cache, caching } = request
  const written = (cache ?? undefined) !== undefined || (caching ?? undefined) !== undefined
  if (!written && cacheControl === undefined) return none
  const body = readBody(cache)
  const directives = readDirectives(cacheControl ?? '')
  const ages = [body['s-maxage'], body['s-max-age'], ageOf(directives, 'max-age'), ageOf(directives, 's-maxage')]
  return {
    use: readCaching(caching) ?? body['use-cache'],
    noRead: body['no-cache'] === true || directives.has('no-cache'),
    noWrite: body['no-store'] === true || body.ttl === 0 || directives.has('no-store'),
    onlyCached: directives.has('only-if-cached'),
    maxAgeMs: Math.min(...ages.map((age) => (age ?? Infinity) * 1000)),
    ttlMs: body.ttl === undefined ? undefined : Math.ceil(body.ttl * 1000),
    namespace: body.namespace,
    scope: body.scope,
  }
}

function readBody(cache: unknown): BodyWishes {
  if (cache === undefined || cache === null) return {}
  if (!isObject(cache)) throw new InvalidRequestError("Invalid value for 'cache': must be an object", 'cache')
  const given = Object.fromEntries(Object.entries(cache).filter(([, value]) => value !== null))
  const result = BodyWishes.safeParse(given)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const name = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path[0]
  const param = name === undefined ? 'cache' : `cache.${String(name)}`
  throw new InvalidRequestError(`Invalid value for '${param}': ${issue?.message ?? 'not valid'}`, param)
}

function readCaching(caching: unknown): boolean | undefined {
  if (caching === undefined || caching === null || typeof caching === 'boolean') return caching ?? undefined
  throw new InvalidRequestError("Invalid value for 'caching': must be true or false", 'caching')
}

type Directives = ReadonlyMap<string, string | undefined>

/** Directives by lower-case name; those that we do not know are passed over, as the RFC demands. */
function readDirectives(header: string): Directives {
  const directives = new Map<string, string | undefined>()
  for (const [, name = '', quoted, plain] of header.matchAll(/([\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,]*)))?/g)) {
    directives.set(name.toLowerCase(), quoted ?? plain)
  }
  return directives
}

/** In seconds; an age that makes no sense counts as 0, which is what the RFC advises (section 4.2.1). */
function ageOf(directives: Directives, name: string): number | undefined {
  if (!directives.has(name)) return undefined
  const text = directives.get(name) ?? ''
  return /^\d+$/.test(text) ? Number(text) : 0
}
