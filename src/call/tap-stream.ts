import type { StreamPart } from '../protocols/protocol.js'
import type { PartBatches } from './read-parts.js'

type Batch<Chunk> = readonly StreamPart<Chunk>[]
type BatchResult<Chunk> = IteratorResult<Batch<Chunk>, undefined>

/** What one stream's end and its chunks are told to. */
export interface StreamTap<Chunk> {
  /** Told of every batch before anything is left out of it. */
  see(batch: Batch<Chunk>): void
  /** Called with what was thrown; gives what is read instead, or nothing where the stream has failed. */
  resume(thrown: unknown): Promise<PartBatches<Chunk> | undefined>
  /** False takes the chunk out of what the client gets. */
  accept(chunk: Chunk): boolean
  /** Called after a whole answer; one of the three is called, once. */
  ended(): void
  /** Called where the reader left before the end. */
  left(): void
  /** Called with what was thrown; gives what the reader gets instead. */
  failed(thrown: unknown): unknown
}

/**
 * Watches a stream on its way to the client: events that are forwarded as they came are not looked at. Runs for every
 * piece, so that no async function stands in its way.
 */
export class TappedStream<Chunk> implements AsyncIterableIterator<Batch<Chunk>, undefined> {
  #source: AsyncIterator<Batch<Chunk>, undefined>
  readonly #tap: StreamTap<Chunk>
  #open = true

  constructor(source: PartBatches<Chunk>, tap: StreamTap<Chunk>) {
    this.#source = source[Symbol.asyncIterator]()
    this.#tap = tap
  }

  next(): Promise<BatchResult<Chunk>> {
    return this.#source.next().then(this.#onBatch, this.#onBroken)
  }

  async return(): Promise<BatchResult<Chunk>> {
    this.#leave()
    await this.#source.return?.(undefined)
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  readonly #onBatch = (result: BatchResult<Chunk>): BatchResult<Chunk> | Promise<BatchResult<Chunk>> => {
    try {
      return this.#given(result) ?? this.#search()
    } catch (thrown) {
      return this.#onBroken(thrown)
    }
  }

  readonly #onBroken = async (thrown: unknown): Promise<BatchResult<Chunk>> => {
    await this.#resume(thrown)
    return this.#search()
  }

  /** Loops: a chain of promises would grow with every batch that nothing is left of. */
  async #search(): Promise<BatchResult<Chunk>> {
    for (;;) {
      try {
        const given = this.#given(await this.#source.next())
        if (given) return given
      } catch (thrown) {
        await this.#resume(thrown)
      }
    }
  }

  /** What the reader gets; undefined where nothing is left of a batch. */
  #given(result: BatchResult<Chunk>): BatchResult<Chunk> | undefined {
    if (result.done) {
      this.#end()
      return result
    }
    const batch = result.value
    this.#tap.see(batch)
    if (areForwarded(batch)) return result
    const value = batch.filter((part) => this.#accepts(part))
    return value.length > 0 ? { done: false, value } : undefined
  }

  /** @throws what the reader gets, unless the stream goes on */
  async #resume(thrown: unknown): Promise<void> {
    // What failed may have been our side of the stream.
    await this.#source.return?.(undefined).catch(ignore)
    if (!this.#open) throw thrown
    try {
      const rest = await this.#tap.resume(thrown)
      if (!rest) throw thrown
      this.#source = rest[Symbol.asyncIterator]()
    } catch (error) {
      throw this.#fail(error)
    }
  }

  #accepts(part: StreamPart<Chunk>): boolean {
    return part.chunk === undefined || this.#tap.accept(part.chunk)
  }

  #end(): void {
    if (!this.#open) return
    this.#open = false
    this.#tap.ended()
  }

  #leave(): void {
    if (!this.#open) return
    this.#open = false
    this.#tap.left()
  }

  #fail(thrown: unknown): unknown {
    if (!this.#open) return thrown
    this.#open = false
    return this.#tap.failed(thrown)
  }
}

function ignore(): void {}

function areForwarded(batch: Batch<unknown>): boolean {
  for (const part of batch) if (part.forward === undefined) return false
  return true
}
