import { createRecentHits } from '../cache/recent-hits.js'
import { createIdempotency } from '../cache/idempotency.js'
import { createResponseCache } from '../cache/response-cache.js'
import type { EarlierAnswers } from '../call/earlier-answers.js'
import type { GatewayOptions } from '../options.js'
import type { Clock, Logger } from '../ports.js'
import { createMemoryCache } from '../stores/memory-cache.js'
import { createTieredCache } from '../stores/tiered-cache.js'
import type { GuardedStores } from './guard-stores.js'

/** What earlier answers are kept with. */
export interface EarlierCore {
  readonly stores: GuardedStores
  readonly clock: Clock
  readonly logger: Logger
  readonly createId: () => string
}

/** Builds the response cache, where the host wants one, and what honours `Idempotency-Key`. */
export function createEarlier(options: GatewayOptions, core: EarlierCore): EarlierAnswers {
  const { clock, logger, createId, stores } = core
  const { idempotency = {} } = options
  return {
    cache: createCache(options, core),
    recent: createRecent(options),
    // Claims of keys must not be pushed out of memory by answers, so they have a store of their own.
    idempotency:
      idempotency === false
        ? undefined
        : createIdempotency(idempotency, {
            store: stores.cache ?? createMemoryCache({ clock }),
            clock,
            logger,
            createId,
          }),
  }
}

/** In memory, and in the host's store behind it where there is one. */
function createCache({ cache }: GatewayOptions, { stores, clock, logger }: EarlierCore): EarlierAnswers['cache'] {
  if (!cache) return undefined
  const settings = cache === true ? {} : cache
  const memory = createMemoryCache({ clock, ...(settings.maxBytes !== undefined && { maxBytes: settings.maxBytes }) })
  const store = stores.cache ? createTieredCache(memory, stores.cache, { clock, logger }) : memory
  return createResponseCache(settings, { store, recall: (key) => memory.recall(key), clock, logger })
}

const defaultRecentBytes = 16 * 1024 * 1024

/** A quarter of what the answers themselves may take. A prompt that a request names may change without the request. */
function createRecent({ cache, prompts }: GatewayOptions): EarlierAnswers['recent'] {
  if (!cache || prompts) return undefined
  const { maxBytes } = cache === true ? {} : cache
  return createRecentHits(maxBytes === undefined ? defaultRecentBytes : Math.ceil(maxBytes / 4))
}
