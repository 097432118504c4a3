import type { StreamPart } from '../protocols/protocol.js'
import type { PartBatches } from './read-parts.js'

type Batch<Chunk> = readonly StreamPart<Chunk>[]

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

/** Watches a stream on its way to the client: events that are forwarded as they came are not looked at. */
export class TappedStream<Chunk> implements AsyncIterableIterator<Batch<Chunk>, undefined> {
  #source: AsyncIterator<Batch<Chunk>, undefined>
  readonly #tap: StreamTap<Chunk>
  #open = true

  constructor(source: PartBatches<Chunk>, tap: StreamTap<Chunk>) {
    this.#source = source[Symbol.asyncIterator]()
    this.#tap = tap
  }

  async next(): Promise<IteratorResult<Batch<Chunk>, undefined>> {
    for (;;) {
      try {
        const result = await this.#source.next()
        if (result.done) {
          this.#end()
          return result
        }
        this.#tap.see(result.value)
        const value = result.value.every(isForwarded)
          ? result.value
          : result.value.filter((part) => this.#accepts(part))
        if (value.length > 0) return { done: false, value }
      } catch (thrown) {
        await this.#resume(thrown)
      }
    }
  }

  async return(): Promise<IteratorResult<Batch<Chunk>, undefined>> {
    this.#leave()
    await this.#source.return?.(undefined)
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
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

function isForwarded(part: StreamPart<unknown>): boolean {
  return part.forward !== undefined
}
