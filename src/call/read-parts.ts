import type { Timeouts } from '../deployment.js'
import { GatewayError } from '../errors.js'
import type { StreamDecoder, StreamPart, StreamProgress } from '../protocols/protocol.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { UpstreamResponse } from '../upstream/client.js'
import type { UpstreamEvent } from '../upstream/message.js'
import { createEventDecoder } from '../upstream/framing.js'
import type { EventDecoder } from '../upstream/sse-decoder.js'
import { isObject } from '../wire/json.js'

/** The pieces of a stream, in batches as the network gave them; leaving the loop closes the connection. */
export type PartBatches<Chunk> = AsyncIterable<Batch<Chunk>, undefined>

type Batch<Chunk> = readonly StreamPart<Chunk>[]
type BatchResult<Chunk> = IteratorResult<Batch<Chunk>, undefined>

/**
 * Reads a stream up to its first piece of content and gives the whole stream, that piece included.
 * @throws GatewayError for anything that goes wrong before content: nothing was sent yet, so the call can start anew
 */
export async function openParts<Chunk>(
  response: UpstreamResponse,
  decoder: StreamDecoder<Chunk>,
  timeouts: Timeouts,
  signal: CallSignal,
): Promise<PartBatches<Chunk>> {
  const phase = new StreamPhase(signal, timeouts)
  const reader = new PartReader(response, decoder, phase)
  const head: StreamPart<Chunk>[] = []
  for (;;) {
    const next = await reader.next()
    if (next.done) break
    for (const part of next.value) head.push(part)
    if (head.length > mostPartsBeforeContent) {
      await reader.return()
      throw new GatewayError('upstream_invalid', 'The provider sent too many events without content.')
    }
    if (!next.value.some(hasContent)) continue
    phase.contentArrived()
    break
  }
  reader.putBack(head)
  return reader
}

// They are kept until there is content; an upstream that sends nothing else must not fill the memory.
const mostPartsBeforeContent = 10_000

/**
 * Decodes a stream as it is read. Runs for every piece of every stream, so it has no async functions: they cost several
 * objects per piece.
 */
class PartReader<Chunk> implements AsyncIterableIterator<Batch<Chunk>, undefined> {
  readonly #body: AsyncIterator<Buffer>
  readonly #events: EventDecoder
  readonly #decoder: StreamDecoder<Chunk>
  readonly #phase: StreamPhase
  #head: Batch<Chunk> = []
  #isOver = false
  /** Of the piece that is waited for: a body has one reader at a time. */
  #reading: Promise<BatchResult<Chunk>> | undefined

  constructor({ body, headers }: UpstreamResponse, decoder: StreamDecoder<Chunk>, phase: StreamPhase) {
    this.#body = body[Symbol.asyncIterator]()
    this.#events = createEventDecoder(headers['content-type'], decoder.framing)
    this.#decoder = decoder
    this.#phase = phase
  }

  /** Gives these parts once more, before the rest. */
  putBack(head: Batch<Chunk>): void {
    this.#head = head
  }

  next(): Promise<BatchResult<Chunk>> {
    if (this.#head.length > 0) return this.#giveHead()
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined })
    if (this.#reading) return this.#reading.then(this.#readAgain, this.#readAgain)
    try {
      this.#phase.wait(this.#decoder.progress)
      this.#reading = this.#body.next().then(this.#onRead, this.#onBroken)
      return this.#reading
    } catch (error) {
      return this.#fail(error)
    }
  }

  async return(): Promise<BatchResult<Chunk>> {
    this.#head = []
    this.#over()
    await this.#body.return?.()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #giveHead(): Promise<BatchResult<Chunk>> {
    const value = this.#head
    this.#head = []
    return Promise.resolve({ done: false, value })
  }

  readonly #readAgain = (): Promise<BatchResult<Chunk>> => this.next()

  readonly #onRead = (read: IteratorResult<Buffer>): BatchResult<Chunk> | Promise<BatchResult<Chunk>> =>
    this.#resultOf(read) ?? this.#search()

  readonly #onBroken = (error: unknown): BatchResult<Chunk> => {
    if (isHarmlessEnd(error, this.#decoder)) return this.#end()
    this.#over()
    throw error
  }

  /** Loops: a chain of promises would grow with every piece that holds nothing. */
  async #search(): Promise<BatchResult<Chunk>> {
    for (;;) {
      let read: IteratorResult<Buffer>
      try {
        this.#phase.wait(this.#decoder.progress)
      } catch (error) {
        return this.#fail(error)
      }
      try {
        read = await this.#body.next()
      } catch (error) {
        return this.#onBroken(error)
      }
      const result = this.#resultOf(read)
      if (result) return result
    }
  }

  /** Undefined where nothing is to be given yet. */
  #resultOf(read: IteratorResult<Buffer>): BatchResult<Chunk> | Promise<never> | undefined {
    if (read.done) return this.#end()
    this.#phase.arrived()
    try {
      const value = decode(this.#decoder, this.#events.push(read.value))
      if (value.length === 0) return undefined
      this.#reading = undefined
      return { done: false, value }
    } catch (error) {
      return this.#fail(error)
    }
  }

  /** What cannot be decoded is of no more use. */
  async #fail(error: unknown): Promise<never> {
    this.#over()
    await this.#body.return?.().catch(ignore)
    throw error
  }

  #end(): BatchResult<Chunk> {
    this.#over()
    const value = [...decode(this.#decoder, this.#events.end()), ...this.#decoder.end()]
    return value.length > 0 ? { done: false, value } : { done: true, value: undefined }
  }

  #over(): void {
    this.#isOver = true
    this.#reading = undefined
    this.#phase.over()
  }
}

/** Which deadline runs while the upstream is waited for: one for the first content, then one from piece to piece. */
class StreamPhase {
  readonly #signal: CallSignal
  readonly #timeouts: Timeouts
  #content = false

  constructor(signal: CallSignal, timeouts: Timeouts) {
    this.#signal = signal
    this.#timeouts = timeouts
    signal.enter('firstToken', timeouts.firstToken)
  }

  /** From here on only the next piece is waited for, and not before the reader asks for it. */
  contentArrived(): void {
    this.#content = true
    this.#signal.leave()
  }

  /** The upstream is waited for; the first-token deadline goes on from where it was. */
  wait(progress: StreamProgress): void {
    if (progress !== 'open') this.#signal.enter('idle', graceMs[progress])
    else if (this.#content) this.#signal.enter('idle', this.#timeouts.idle)
  }

  /** The upstream gave something; the time that our own reader takes is not the upstream's fault. */
  arrived(): void {
    if (this.#content) this.#signal.leave()
  }

  over(): void {
    this.#signal.leave()
    this.#signal.listen(undefined)
  }
}

// A whole answer is not held back by a connection that stays open: usage may still come after a finish reason, after
// a terminator only the end of the connection, which is worth a moment so that the connection can be used again.
const graceMs: Readonly<Record<Exclude<StreamProgress, 'open'>, number>> = { finished: 2_000, terminated: 250 }

function ignore(): void {}

/** The answer was whole when the connection broke or went quiet. */
function isHarmlessEnd(error: unknown, decoder: StreamDecoder<unknown>): boolean {
  if (decoder.progress === 'open' || !GatewayError.isInstance(error)) return false
  return error.kind === 'upstream_connection' || error.code === 'idle_timeout'
}

function decode<Chunk>(decoder: StreamDecoder<Chunk>, events: readonly UpstreamEvent[]): readonly StreamPart<Chunk>[] {
  const [only] = events
  if (only && events.length === 1) return decoder.push(only)
  const parts: StreamPart<Chunk>[] = []
  for (const event of events) {
    for (const part of decoder.push(event)) parts.push(part)
  }
  return parts
}

/** True for what the client can see: a role alone, a usage report or an empty delta is not yet an answer. */
function hasContent<Chunk>(part: StreamPart<Chunk>): boolean {
  if (part.forward) return true
  const choices = isObject(part.chunk) ? part.chunk['choices'] : undefined
  return Array.isArray(choices) && choices.some(choiceHasContent)
}

function choiceHasContent(choice: unknown): boolean {
  if (!isObject(choice)) return false
  if (choice['finish_reason']) return true
  if (choice['text']) return true
  const delta = choice['delta']
  return isObject(delta) && Object.entries(delta).some(([name, value]) => name !== 'role' && Boolean(value))
}
