import type { CacheOptions } from '../cache/options.js'
import type { Environment } from '../providers/environment.js'
import type { Operation } from '../wire/operations.js'
import { toMilliseconds } from './models.js'
import type { ConfigFile } from './schemas.js'
import type { Findings } from './sift.js'
import { type RedisSettings, redisOfEnvironment, redisOfRouter, toRedisSettings } from './stores.js'

type LibrarySettings = NonNullable<ConfigFile['litellm_settings']>
type CacheParams = NonNullable<LibrarySettings['cache_params']>

/** What a file says of the cache, and of every Redis. */
export interface CacheSettings {
  readonly cache?: CacheOptions
  /** For everything that processes share. */
  readonly redis?: RedisSettings
  /** Where answers are kept, if not in `redis`. */
  readonly cacheStore?: 'memory' | RedisSettings
}

/** LiteLLM's names of what is called, by ours; it has two for most, and no others are cached here. */
const operations: Readonly<Record<string, Operation>> = {
  completion: 'chat',
  acompletion: 'chat',
  text_completion: 'completions',
  atext_completion: 'completions',
  embedding: 'embeddings',
  aembedding: 'embeddings',
  image_generation: 'images',
  aimage_generation: 'images',
}

/** LiteLLM caches no images unless it is told to. */
const defaultOperations: readonly Operation[] = ['chat', 'completions', 'embeddings']
const path = 'litellm_settings.cache_params'

/**
 * What `cache` and `cache_params` say in our words. A cache of no type is in the Redis that the parameters name,
 * `router_settings`, or `env`; where nobody names one, in memory. The Redis of the cache is that of the router too, where
 * the router has none of its own.
 */
export function toCache(
  { litellm_settings: settings = {}, router_settings: router }: ConfigFile,
  env: Environment,
  findings: Findings,
): CacheSettings {
  const shared = redisOfRouter(router)
  if (settings.cache !== true) return shared ? { redis: shared } : {}
  const params = settings.cache_params ?? {}
  const own = toRedisSettings(params)
  const place = own ?? shared ?? redisOfEnvironment(env)
  const type = params.type ?? (place ? 'redis' : 'local')
  const redis = shared ?? (type === 'redis' ? place : undefined)
  if (type === 'local')
    return { cache: toOptions(type, settings, findings), cacheStore: 'memory', ...(redis && { redis }) }
  if (type === 'redis' && redis && place) {
    const options = { cache: toOptions(type, settings, findings), redis }
    return own && shared ? { ...options, cacheStore: own } : options
  }
  if (type === 'redis') {
    findings.problems.push(
      `${path}: type redis needs host or url, here or in router_settings, or one of the variables REDIS_URL and REDIS_HOST`,
    )
  } else findings.warnings.push(`${path}.type: only local and redis are supported yet; nothing is cached`)
  return redis ? { redis } : {}
}

function toOptions(type: 'local' | 'redis', settings: LibrarySettings, findings: Findings): CacheOptions {
  const params = settings.cache_params ?? {}
  return {
    ttlMs: toMilliseconds(secondsOf(type, settings, params)),
    operations: params.supported_call_types ? toOperations(params.supported_call_types, findings) : defaultOperations,
    ...(params.mode !== undefined && { mode: params.mode }),
    ...(params.namespace !== undefined && { namespace: params.namespace }),
  }
}

/** The defaults at the end are LiteLLM's own. */
function secondsOf(type: 'local' | 'redis', settings: LibrarySettings, params: CacheParams): number {
  if (type === 'local') return params.default_in_memory_ttl ?? params.ttl ?? settings.default_in_memory_ttl ?? 600
  return params.default_in_redis_ttl ?? params.ttl ?? settings.default_redis_ttl ?? 60
}

function toOperations(words: readonly string[], findings: Findings): readonly Operation[] {
  const named = words.map((word) => {
    const operation = Object.hasOwn(operations, word) ? operations[word] : undefined
    if (!operation) findings.warnings.push(`${path}.supported_call_types: ${word} is not cached here; ignored`)
    return operation
  })
  return [...new Set(named.filter((operation) => operation !== undefined))]
}
