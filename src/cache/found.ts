import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import type { Producer } from './cache-plan.js'
import type { StoredAnswer } from './entry.js'
import type { ReplayedPiece, StreamPiece } from './stream-text.js'

/** A whole answer, and its text where that is already written. */
export interface WrittenAnswer<K extends Operation> {
  readonly body: Operations[K]['response']
  readonly written: string | Uint8Array | undefined
}

/** An answer from the cache: nothing was asked of a provider, nothing is billed. */
export interface CacheHit {
  readonly status: 'hit'
  readonly key: string
  /** The same as the store knows it. */
  readonly storeKey: string
  readonly ageMs: number
  /** The oldest answer that the call takes. */
  readonly maxAgeMs: number
  /** Who gave the answer at its time, and the usage that it had. */
  readonly source: StoredAnswer
}

/** A whole answer from the cache; `written` is the text that was kept. */
export interface WholeHit<K extends Operation> extends CacheHit {
  readonly answer: WrittenAnswer<K> & { readonly written: string }
}

/** A streamed answer from the cache. */
export interface StreamHit<K extends StreamOperation> extends CacheHit {
  /** The pieces of the original, the usage chunk among them whether it was asked for or not. */
  readonly parts: AsyncIterable<readonly ReplayedPiece<Operations[K]['chunk']>[], undefined>
}

/** A call that must be made. `release` must be called when it is over, however it ended: others may be waiting. */
export interface CacheMiss {
  /** `partial`: some of the inputs were found. `bypass`: the call takes no part in the cache. */
  readonly status: 'miss' | 'partial' | 'bypass'
  /** Undefined for `bypass`. */
  readonly key: string | undefined
  /** The call is over. Where no answer was kept, one of those that wait makes the call next. */
  release(): void
}

/** A call for a whole answer that must be made. */
export interface WholeMiss<K extends Operation> extends CacheMiss {
  /** What to ask: of a partial hit, only the inputs that were not found. Read it anew after `keep` gave undefined. */
  readonly request: Operations[K]['request']
  /**
   * Takes a complete, successful answer and gives what the caller gets: the same, or with the parts that were found.
   * Undefined where these parts do not fit the answer, because another model gave them: then `request` is the whole
   * request, which must be asked instead. Never waits for the store.
   */
  keep(answer: WrittenAnswer<K>, producer: Producer): WrittenAnswer<K> | undefined
}

/** A call for a stream that must be made. */
export interface StreamMiss extends CacheMiss {
  /** Takes pieces as they are forwarded, before anything is filtered out for this client. */
  collect(pieces: readonly StreamPiece[]): void
  /** The stream has ended as it should: not by an error, not because the client left. */
  complete(producer: Producer): void
}
