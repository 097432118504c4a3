import type { Timeouts } from '../deployment.js'
import { GatewayError } from '../errors.js'
import type { StreamDecoder, StreamPart, StreamProgress } from '../protocols/protocol.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { UpstreamResponse } from '../upstream/client.js'
import type { UpstreamEvent } from '../upstream/message.js'
import { createEventDecoder } from '../upstream/framing.js'
import { isObject } from '../wire/json.js'

/** The pieces of a stream, in batches as the network gave them; leaving the loop closes the connection. */
export type PartBatches<Chunk> = AsyncIterable<readonly StreamPart<Chunk>[], undefined>

type Batches<Chunk> = AsyncGenerator<readonly StreamPart<Chunk>[], undefined>

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
  const batches = readBatches(response, decoder, phase)
  const head: StreamPart<Chunk>[] = []
  for (;;) {
    const next = await batches.next()
    if (next.done) break
    for (const part of next.value) head.push(part)
    if (head.length > mostPartsBeforeContent) {
      await response.body[Symbol.asyncIterator]().return?.()
      throw new GatewayError('upstream_invalid', 'The provider sent too many events without content.')
    }
    if (!next.value.some(hasContent)) continue
    phase.contentArrived()
    break
  }
  return new ResumedBatches(head, batches, response.body)
}

// They are kept until there is content; an upstream that sends nothing else must not fill the memory.
const mostPartsBeforeContent = 10_000

/** The pieces read while waiting for content, then the rest; hand-made, because delegating generators cost per piece. */
class ResumedBatches<Chunk> implements AsyncIterableIterator<readonly StreamPart<Chunk>[], undefined> {
  #head: readonly StreamPart<Chunk>[]
  readonly #rest: Batches<Chunk>
  readonly #body: AsyncIterator<Buffer>

  constructor(head: readonly StreamPart<Chunk>[], rest: Batches<Chunk>, body: AsyncIterable<Buffer>) {
    this.#head = head
    this.#rest = rest
    this.#body = body[Symbol.asyncIterator]()
  }

  next(): Promise<IteratorResult<readonly StreamPart<Chunk>[], undefined>> {
    if (this.#head.length === 0) return this.#rest.next()
    const value = this.#head
    this.#head = []
    return Promise.resolve({ done: false, value })
  }

  async return(): Promise<IteratorResult<readonly StreamPart<Chunk>[], undefined>> {
    // A generator is only left once its pending read has ended, so the read is ended first.
    await this.#body.return?.()
    return this.#rest.return(undefined)
  }

  [Symbol.asyncIterator](): this {
    return this
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

  contentArrived(): void {
    this.#content = true
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

async function* readBatches<Chunk>(
  response: UpstreamResponse,
  decoder: StreamDecoder<Chunk>,
  phase: StreamPhase,
): Batches<Chunk> {
  const events = createEventDecoder(response.headers['content-type'], decoder.framing)
  try {
    try {
      phase.wait('open')
      for await (const bytes of response.body) {
        phase.arrived()
        const batch = decode(decoder, events.push(bytes))
        if (batch.length > 0) yield batch
        phase.wait(decoder.progress)
      }
    } catch (error) {
      if (!isHarmlessEnd(error, decoder)) throw error
    }
    phase.over()
    const rest = [...decode(decoder, events.end()), ...decoder.end()]
    if (rest.length > 0) yield rest
  } finally {
    phase.over()
  }
}

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
