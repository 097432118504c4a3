import type { StreamPart } from '../protocols/protocol.js'
import { isObject, type JsonObject, parseJson } from '../wire/json.js'
import { usageOf } from '../wire/usage.js'
import type { PartBatches } from './read-parts.js'
import { choicesOf } from './sent-answer.js'

/** Takes out of a choice what the client has. */
export interface ChoiceTrim {
  /** Undefined where nothing is left. @throws GatewayError where the choice contradicts what the client has */
  trim(choice: JsonObject): JsonObject | undefined
  /** @throws GatewayError where the answer ended too early */
  end(): void
}

/** What the rest of a stream has in common with its beginning. */
export interface StreamJoint<Chunk> {
  /** `id` and `created`. */
  readonly head: JsonObject
  readonly trim: ChoiceTrim
  /** Told of the rest as it came. */
  measure(batch: readonly StreamPart<Chunk>[]): void
  /** The usage that the client is told. */
  sum(usage: JsonObject): JsonObject
}

/** What a second attempt adds to a stream that broke off, as if it came from the first. */
export class RestOfStream<Chunk extends JsonObject> implements AsyncIterableIterator<
  readonly StreamPart<Chunk>[],
  undefined
> {
  readonly #source: AsyncIterator<readonly StreamPart<Chunk>[], undefined>
  readonly #joint: StreamJoint<Chunk>

  constructor(source: PartBatches<Chunk>, joint: StreamJoint<Chunk>) {
    this.#source = source[Symbol.asyncIterator]()
    this.#joint = joint
  }

  async next(): Promise<IteratorResult<readonly StreamPart<Chunk>[], undefined>> {
    const result = await this.#source.next()
    if (result.done) {
      this.#joint.trim.end()
      return result
    }
    this.#joint.measure(result.value)
    return { done: false, value: result.value.flatMap((part) => this.#change(part)) }
  }

  async return(): Promise<IteratorResult<readonly StreamPart<Chunk>[], undefined>> {
    await this.#source.return?.()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #change({ chunk, forward }: StreamPart<Chunk>): readonly StreamPart<Chunk>[] {
    const read = forward ? parseJson(forward.data) : chunk
    if (!isObject(read)) return []
    const choices = choicesOf(read).flatMap((choice) => this.#joint.trim.trim(choice) ?? [])
    const usage = usageOf(read)
    if (choices.length === 0 && !usage) return []
    const changed: JsonObject = {
      ...read,
      ...this.#joint.head,
      choices,
      ...(usage && { usage: this.#joint.sum(usage) }),
    }
    return [{ chunk: changed as Chunk, forward: undefined }]
  }
}

/** Leaves out the role, which the client has, and the white space at the end of what it has. */
export function trimContinuation(space: string): ChoiceTrim {
  let owed = space
  const rest = (content: string): string => {
    let length = 0
    while (length < owed.length && content[length] === owed[length]) length += 1
    owed = length === content.length ? owed.slice(length) : ''
    return content.slice(length)
  }
  return {
    trim(choice) {
      const { role: _, content, ...others } = isObject(choice['delta']) ? choice['delta'] : {}
      const text = typeof content === 'string' ? rest(content) : ''
      const delta = { ...others, ...(text !== '' && { content: text }) }
      if (Object.keys(delta).length === 0 && !choice['finish_reason']) return undefined
      return { ...choice, delta }
    },
    end() {},
  }
}
