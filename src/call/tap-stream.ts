import type { StreamPart } from '../protocols/protocol.js'
import type { PartBatches } from './read-parts.js'

type Batch<Chunk> = readonly StreamPart<Chunk>[]

/** What one stream's end and its chunks are told to. */
export interface StreamTap<Chunk> {
  /** False takes the chunk out of what the client gets. */
  accept(chunk: Chunk): boolean
  /** Called once: with nothing after a whole answer or an early leave, else with what was thrown. */
  ended(thrown?: unknown): void
}

/** Watches a stream on its way to the client: events that are forwarded as they came are not looked at. */
export class TappedStream<Chunk> implements AsyncIterableIterator<Batch<Chunk>, undefined> {
  readonly #source: AsyncIterator<Batch<Chunk>, undefined>
  readonly #tap: StreamTap<Chunk>
  #open = true

  constructor(source: PartBatches<Chunk>, tap: StreamTap<Chunk>) {
    this.#source = source[Symbol.asyncIterator]()
    this.#tap = tap
  }

  async next(): Promise<IteratorResult<Batch<Chunk>, undefined>> {
    try {
      for (;;) {
        const result = await this.#source.next()
        if (result.done) {
          this.#end()
          return result
        }
        const value = result.value.every(isForwarded)
          ? result.value
          : result.value.filter((part) => this.#accepts(part))
        if (value.length > 0) return { done: false, value }
      }
    } catch (error) {
      this.#end(error)
      throw error
    }
  }

  async return(): Promise<IteratorResult<Batch<Chunk>, undefined>> {
    this.#end()
    await this.#source.return?.(undefined)
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #accepts(part: StreamPart<Chunk>): boolean {
    return part.chunk === undefined || this.#tap.accept(part.chunk)
  }

  #end(thrown?: unknown): void {
    if (!this.#open) return
    this.#open = false
    this.#tap.ended(thrown)
  }
}

function isForwarded(part: StreamPart<unknown>): boolean {
  return part.forward !== undefined
}
