import type { UpstreamEvent } from '../upstream/message.js'
import type { ChatUsage } from '../wire/usage.js'
import type { StreamDecoder, StreamPart, StreamProgress } from './protocol.js'

/** What stands around a decoder: what becomes of each event, and of the end. */
export interface Around<Chunk> {
  readonly push: (event: UpstreamEvent) => readonly StreamPart<Chunk>[]
  readonly end: () => readonly StreamPart<Chunk>[]
}

/**
 * A decoder around another one, which knows how far the answer is and what was said of its tokens. A class, as V8 keeps
 * literals that have getters, and all that they refer to, until a full collection.
 */
export class OuterDecoder<Chunk> implements StreamDecoder<Chunk> {
  readonly #inner: StreamDecoder<unknown>
  readonly push: Around<Chunk>['push']
  readonly end: Around<Chunk>['end']

  constructor(inner: StreamDecoder<unknown>, { push, end }: Around<Chunk>) {
    this.#inner = inner
    this.push = push
    this.end = end
  }

  get progress(): StreamProgress {
    return this.#inner.progress
  }

  get usage(): ChatUsage | undefined {
    return this.#inner.usage
  }
}
