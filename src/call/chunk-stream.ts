import type { StreamPart } from '../protocols/protocol.js'
import type { PartBatches } from './read-parts.js'

/**
 * A call's chunks one by one, for callers in this process. The call begins with the first `next`; leaving ends it at
 * once, also while a chunk is waited for, as a generator would not.
 */
export class ChunkStream<Chunk> implements AsyncIterableIterator<Chunk, undefined> {
  readonly #open: (leaving: AbortSignal) => Promise<PartBatches<Chunk>>
  readonly #leaving = new AbortController()
  #batches: Promise<AsyncIterator<readonly StreamPart<Chunk>[], undefined>> | undefined
  #batch: readonly StreamPart<Chunk>[] = []
  #position = 0
  #over = false

  /** `open` begins the call, which ends early when the signal aborts. */
  constructor(open: (leaving: AbortSignal) => Promise<PartBatches<Chunk>>) {
    this.#open = open
  }

  async next(): Promise<IteratorResult<Chunk, undefined>> {
    try {
      while (!this.#over) {
        const part = this.#batch[this.#position]
        if (!part) {
          await this.#read()
          continue
        }
        this.#position += 1
        return { done: false, value: toChunk(part) }
      }
      return { done: true, value: undefined }
    } catch (error) {
      const left = this.#over
      this.#over = true
      if (left) return { done: true, value: undefined }
      throw error
    }
  }

  async #read(): Promise<void> {
    this.#batches ??= this.#open(this.#leaving.signal).then((batches) => batches[Symbol.asyncIterator]())
    const result = await (await this.#batches).next()
    this.#batch = result.done ? [] : result.value
    this.#position = 0
    if (result.done) this.#over = true
  }

  async return(): Promise<IteratorResult<Chunk, undefined>> {
    this.#over = true
    this.#batch = []
    this.#leaving.abort()
    const batches = await this.#batches?.catch(() => undefined)
    await batches?.return?.()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/** A forwarded event is a chunk that nobody had to parse until now. */
function toChunk<Chunk>({ chunk, forward }: StreamPart<Chunk>): Chunk {
  return chunk ?? (JSON.parse(forward?.data ?? '') as Chunk)
}
