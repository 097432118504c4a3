import type { CallContext, CallParts } from '../call/context.js'
import { answerAgain } from '../call/answer-again.js'
import { answerCall, answerStream as streamCall } from '../call/answer-call.js'
import type { GivenWhole } from '../call/given-whole.js'
import { type FoundCall, findKnown, keepKnown } from '../call/known-call.js'
import { recordRefusal } from '../call/record-refusal.js'
import type { RawRequest } from '../cache/recent-hits.js'
import { toGatewayError } from '../errors.js'
import { JsonAnswer, errorAnswer } from '../http/answer.js'
import type { HttpRequest, HttpResponse } from '../http/message.js'
import type { RawContext, RefusedRequest, Route, RouteContext } from '../http/route.js'
import { doneEvent, sseError, sseEvent, sseHeaders } from '../http/sse.js'
import type { JsonObject } from '../wire/json.js'
import type { StreamPart } from '../protocols/protocol.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import { CallTrail } from '../router/trail.js'
import { attemptHeaders, servedHeaders } from './answer-headers.js'

/** Answers with a whole result; the provider's own bytes where nothing had to be changed. */
export async function answerWhole<K extends Operation>(
  operation: K,
  { body, bytes, ...context }: RouteContext<Operations[K]['request']>,
  parts: CallParts,
): Promise<HttpResponse> {
  return respond(body, context, parts, async (call) => {
    const answer = await answerCall(operation, body, call, parts)
    if (answer.known && bytes) keepKnown(toRaw({ ...context, bytes }), answer.known, call.headers, parts)
    return answer
  })
}

/**
 * Answers requests whose very bytes were answered from the cache before, without reading them again: for
 * `Route.recall`. Undefined where no answer is kept.
 */
export function recallWhole(parts: CallParts): Route['recall'] {
  if (!parts.earlier.recent) return undefined
  return {
    maxBytes: mostRecalledBytes,
    answer(context) {
      const found = findKnown(toRaw(context), context.request.headers, parts)
      return found && respondAgain(found, context, parts)
    },
  }
}

/** As `respond`, without a promise where nothing has to be waited for, and with nobody who waits for the client to leave. */
function respondAgain(
  found: FoundCall,
  { caller, requestId, request }: RawContext,
  parts: CallParts,
): HttpResponse | Promise<HttpResponse> {
  const { headers } = request
  const call: CallContext = { caller, requestId, signal: undefined, headers, trail: new CallTrail() }
  const explain = isExplained(request, found.known.request, parts)
  const fail = (thrown: unknown): HttpResponse =>
    errorAnswer(toGatewayError(thrown), attemptHeaders(call.trail, explain))
  try {
    const answer = answerAgain(found, call, parts)
    if (!(answer instanceof Promise)) return toAnswer(answer, call, explain)
    return answer.then((later) => toAnswer(later, call, explain)).catch(fail)
  } catch (thrown) {
    return fail(thrown)
  }
}

function toAnswer<K extends Operation>(answer: GivenWhole<K>, { trail }: CallContext, explain: boolean): HttpResponse {
  return new JsonAnswer(200, answer.written ?? JSON.stringify(answer.body), servedHeaders(answer, trail, explain))
}

// What is larger takes longer to compare, and room from many that are small.
const mostRecalledBytes = 65_536

function toRaw({ caller, request: { path }, bytes }: RawContext): RawRequest {
  return { caller, path, bytes }
}

/** A whole answer with the headers that tell how it came to be, or the failure in its place. */
async function respond<K extends Operation>(
  body: JsonObject,
  context: Pick<RawContext, 'caller' | 'request' | 'requestId'>,
  parts: CallParts,
  answerTo: (call: CallContext) => Promise<GivenWhole<K>>,
): Promise<HttpResponse> {
  const call = toCallContext(context)
  const explain = isExplained(context.request, body, parts)
  try {
    return toAnswer(await answerTo(call), call, explain)
  } catch (thrown) {
    return errorAnswer(toGatewayError(thrown), attemptHeaders(call.trail, explain))
  }
}

/** Answers with an event stream; the status is sent only once there is content, so that earlier failures are HTTP errors. */
export async function answerStream<K extends StreamOperation>(
  operation: K,
  { body, caller, request, requestId }: RouteContext<Operations[K]['request']>,
  parts: CallParts,
): Promise<HttpResponse> {
  const call = toCallContext({ caller, request, requestId })
  const explain = isExplained(request, body, parts)
  try {
    const answer = await streamCall(operation, body, call, parts)
    const headers = { ...sseHeaders, ...servedHeaders(answer, call.trail, explain) }
    return { status: 200, headers, stream: new EventStream(answer.parts) }
  } catch (thrown) {
    return errorAnswer(toGatewayError(thrown), attemptHeaders(call.trail, explain))
  }
}

/** Has those told who are told of calls, also of a request that never became one. */
export function toldRefusals(operation: Operation, parts: CallParts): (refused: RefusedRequest) => void {
  return ({ request, ...refused }) => recordRefusal(operation, { ...refused, headers: request.headers }, parts)
}

/** Whether the answer tells how it came to be; the host's word counts before the request's. */
function isExplained({ headers }: HttpRequest, body: JsonObject, { explain }: CallParts): boolean {
  if (explain !== undefined) return explain
  return body['explain'] === true || headers['x-sluice-explain'] === 'true'
}

function toCallContext({
  caller,
  requestId,
  request,
}: Pick<RawContext, 'caller' | 'request' | 'requestId'>): CallContext {
  const signal = request.leaving ?? request.signal
  return { caller, requestId, signal, headers: request.headers, trail: new CallTrail() }
}

type Batch<Chunk> = readonly StreamPart<Chunk>[]
type Written = IteratorResult<Uint8Array | string, undefined>

/**
 * A stream's batches written as events; a failure becomes the last event, and `[DONE]` never follows it. Runs for every
 * piece, so that no async function stands in its way.
 */
class EventStream<Chunk> implements AsyncIterableIterator<Uint8Array | string, undefined> {
  readonly #batches: AsyncIterator<readonly StreamPart<Chunk>[], undefined>
  #over = false

  constructor(batches: AsyncIterable<readonly StreamPart<Chunk>[], undefined>) {
    this.#batches = batches[Symbol.asyncIterator]()
  }

  next(): Promise<Written> {
    if (this.#over) return Promise.resolve({ done: true, value: undefined })
    return this.#batches.next().then(this.#onBatch, this.#onFailed)
  }

  /** Ends the call also where nothing was ever read, as a generator would not. */
  async return(): Promise<Written> {
    this.#over = true
    await this.#batches.return?.()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  readonly #onBatch = (result: IteratorResult<Batch<Chunk>, undefined>): Written => {
    if (result.done) {
      this.#over = true
      return { done: false, value: doneEvent }
    }
    try {
      return { done: false, value: toBytes(result.value) }
    } catch (thrown) {
      // Nested too deeply to be written; nobody reads the rest.
      void Promise.resolve(this.#batches.return?.()).catch(ignore)
      return this.#onFailed(thrown)
    }
  }

  readonly #onFailed = (thrown: unknown): Written => {
    this.#over = true
    return { done: false, value: sseError(toGatewayError(thrown)) }
  }
}

function ignore(): void {}

/** One piece to write: events that came next to each other leave as the very bytes they came in. */
function toBytes<Chunk>(batch: readonly StreamPart<Chunk>[]): Uint8Array | string {
  return forwardedBytes(batch) ?? batch.map(toText).join('')
}

function forwardedBytes(batch: readonly StreamPart<unknown>[]): Uint8Array | undefined {
  const first = batch[0]?.forward?.frame
  if (!first || batch.length === 1) return first
  let end = first.byteOffset
  for (const { forward } of batch) {
    const frame = forward?.frame
    if (!frame || frame.buffer !== first.buffer || frame.byteOffset !== end) return undefined
    end += frame.byteLength
  }
  return new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset)
}

function toText(part: StreamPart<unknown>): string {
  return part.forward ? `data: ${part.forward.data}\n\n` : sseEvent(part.chunk)
}
