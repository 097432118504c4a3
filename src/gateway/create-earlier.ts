import type { CacheOptions } from '../cache/options.js'
import { createRecentHits } from '../cache/recent-hits.js'
import { createIdempotency } from '../cache/idempotency.js'
import { createResponseCache } from '../cache/response-cache.js'
import type { CacheSize } from '../call/context.js'
import type { EarlierAnswers } from '../call/earlier-answers.js'
import type { GatewayOptions } from '../options.js'
import type { Clock, Logger } from '../ports.js'
import { type MemoryCache, createMemoryCache } from '../stores/memory-cache.js'
import { createTieredCache } from '../stores/tiered-cache.js'
import type { GuardedStores } from './guard-stores.js'

/** What earlier answers are kept with. */
export interface EarlierCore {
  readonly stores: GuardedStores
  readonly clock: Clock
  readonly logger: Logger
  readonly createId: () => string
}

/** The answers, and how much of them is in memory. */
export interface Earlier {
  readonly answers: EarlierAnswers
  readonly sizes: () => Readonly<Record<string, CacheSize>>
}

/** Builds the response cache, where the host wants one, and what honours `Idempotency-Key`. */
export function createEarlier(options: GatewayOptions, core: EarlierCore): Earlier {
  const { clock, logger, createId, stores } = core
  const { cache, idempotency = {} } = options
  const responses = cache ? createMemoryCache({ clock, ...ofBytes(toSettings(cache).maxBytes) }) : undefined
  const recent = createRecent(options)
  // Claims of keys must not be pushed out of memory by answers, so they have a store of their own.
  const claims = idempotency === false || stores.cache ? undefined : createMemoryCache({ clock })
  const store = stores.cache ?? claims
  return {
    answers: {
      cache: cache && responses ? createCache(toSettings(cache), responses, core) : undefined,
      recent,
      idempotency:
        idempotency && store ? createIdempotency(idempotency, { store, clock, logger, createId }) : undefined,
    },
    sizes: () => ({
      ...(responses && { responses: responses.size }),
      ...(recent && { recent_requests: recent.size }),
      ...(claims && { idempotency: claims.size }),
    }),
  }
}

const toSettings = (cache: CacheOptions | true): CacheOptions => (cache === true ? {} : cache)

const ofBytes = (maxBytes: number | undefined): { readonly maxBytes?: number } =>
  maxBytes === undefined ? {} : { maxBytes }

/** In memory, and in the host's store behind it where there is one. */
function createCache(
  settings: CacheOptions,
  memory: MemoryCache,
  { stores, clock, logger }: EarlierCore,
): EarlierAnswers['cache'] {
  const store = stores.cache ? createTieredCache(memory, stores.cache, { clock, logger }) : memory
  return createResponseCache(settings, { store, recall: (key) => memory.recall(key), clock, logger })
}

const defaultRecentBytes = 16 * 1024 * 1024

/** A quarter of what the answers themselves may take. A prompt that a request names may change without the request. */
function createRecent({ cache, prompts }: GatewayOptions): EarlierAnswers['recent'] {
  if (!cache || prompts) return undefined
  const { maxBytes } = toSettings(cache)
  return createRecentHits(maxBytes === undefined ? defaultRecentBytes : Math.ceil(maxBytes / 4))
}
