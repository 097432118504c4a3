import type { Operation, StreamOperation } from '../wire/operations.js'
import type { CacheQuestion } from './cache-plan.js'
import { type CacheCore, type CacheParts, createCacheCore } from './cache-core.js'
import { findEmbeddings } from './find-embeddings.js'
import { findStream } from './find-stream.js'
import { findWhole } from './find-whole.js'
import type { CacheHit, StreamHit, StreamMiss, WholeHit, WholeMiss } from './found.js'
import { type CacheOptions, toCacheSettings } from './options.js'

/** Answers repeated requests. */
export interface ResponseCache {
  /** @throws GatewayError permission (`cache.scope`), not_cached (504, `only-if-cached`), client_closed */
  findWhole<K extends Operation>(question: CacheQuestion<K>): Promise<WholeHit<K> | WholeMiss<K>>
  /** @throws as `findWhole` */
  findStream<K extends StreamOperation>(question: CacheQuestion<K>): Promise<StreamHit<K> | StreamMiss>
  /** The same hit once more, at once, for a request that is the same in all: undefined where it has to be looked up anew. */
  again(hit: CacheHit): CacheHit | undefined
}

type Finders = {
  readonly [K in Operation]: (question: CacheQuestion<K>, core: CacheCore) => Promise<WholeHit<K> | WholeMiss<K>>
}

const finders: Finders = {
  chat: findWhole,
  completions: findWhole,
  embeddings: findEmbeddings,
  images: findWhole,
  moderations: findWhole,
}

/** Builds the cache over a store. What the store cannot give is a miss, what it cannot keep is not kept. */
export function createResponseCache(options: CacheOptions, parts: CacheParts): ResponseCache {
  const core = createCacheCore(toCacheSettings(options), parts)
  return {
    findWhole: (question) => finders[question.operation](question, core),
    findStream: (question) => findStream(question, core),
    again: (hit) => core.again(hit),
  }
}
