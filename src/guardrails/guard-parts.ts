/** A piece of a streamed answer: a chunk, or an event whose data is one. */
export interface Part<Chunk> {
  readonly chunk: Chunk | undefined
  readonly forward: { readonly data: string } | undefined
}

/** A chunk that is to be written anew. */
export interface GuardedPart<Chunk> {
  readonly chunk: Chunk
  readonly forward: undefined
}

/** What chunks pass through on their way to the client: a guarded call's `stream()`, or a host's hook. */
export interface ChunkFilter<Chunk> {
  push(chunk: Chunk): PromiseLike<readonly Chunk[]> | readonly Chunk[]
  end?(): PromiseLike<readonly Chunk[]> | readonly Chunk[]
}

type Batches<Part> = AsyncIterable<readonly Part[], undefined>

/**
 * A stream behind a filter. Events that could have been forwarded as they came are read, as the filter has to see them.
 * What the filter throws ends the stream, and with it the source.
 */
export class GuardedParts<Chunk> implements AsyncIterableIterator<readonly GuardedPart<Chunk>[], undefined> {
  readonly #source: AsyncIterator<readonly Part<Chunk>[], undefined>
  readonly #filter: ChunkFilter<Chunk>
  #gate: Promise<unknown> | undefined
  #isOver = false

  /** `gate`: nothing is given before it resolves, such as a guardrail beside the call; what it rejects with ends the stream. */
  constructor(source: Batches<Part<Chunk>>, filter: ChunkFilter<Chunk>, gate?: Promise<unknown>) {
    this.#source = source[Symbol.asyncIterator]()
    this.#filter = filter
    this.#gate = gate
    // It may reject before anybody reads.
    gate?.catch(ignore)
  }

  async next(): Promise<IteratorResult<readonly GuardedPart<Chunk>[], undefined>> {
    try {
      while (!this.#isOver) {
        await this.#gate
        this.#gate = undefined
        const chunks = await this.#step()
        if (chunks.length > 0) return { done: false, value: chunks.map((chunk) => ({ chunk, forward: undefined })) }
      }
      return { done: true, value: undefined }
    } catch (thrown) {
      await this.#leave()
      throw thrown
    }
  }

  async return(): Promise<IteratorResult<readonly GuardedPart<Chunk>[], undefined>> {
    await this.#leave()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #step(): Promise<readonly Chunk[]> {
    const result = await this.#source.next()
    if (result.done) {
      this.#isOver = true
      return (await this.#filter.end?.()) ?? []
    }
    const chunks: Chunk[] = []
    for (const part of result.value) chunks.push(...(await this.#filter.push(chunkOf(part))))
    return chunks
  }

  async #leave(): Promise<void> {
    this.#isOver = true
    await this.#source.return?.(undefined)
  }
}

function ignore(): void {}

function chunkOf<Chunk>({ chunk, forward }: Part<Chunk>): Chunk {
  // An event is forwarded only where its data has been found to be such a chunk.
  return chunk ?? (JSON.parse(forward?.data ?? '{}') as Chunk)
}
