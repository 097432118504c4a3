import type { Operation, StreamOperation } from '../wire/operations.js'
import type { CacheQuestion } from './cache-plan.js'
import { type CacheParts, createCacheCore } from './cache-core.js'
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

/** Builds the cache over a store. What the store cannot give is a miss, what it cannot keep is not kept. */
export function createResponseCache(options: CacheOptions, parts: CacheParts): ResponseCache {
  const core = createCacheCore(toCacheSettings(options), parts)
  return {
    async findWhole<K extends Operation>(question: CacheQuestion<K>) {
      if (question.operation !== 'embeddings') return findWhole(question, core)
      // The compiler does not follow that K is 'embeddings' here.
      const found: unknown = await findEmbeddings(question as unknown as CacheQuestion<'embeddings'>, core)
      return found as WholeHit<K> | WholeMiss<K>
    },
    findStream: (question) => findStream(question, core),
    again: (hit) => core.again(hit),
  }
}
