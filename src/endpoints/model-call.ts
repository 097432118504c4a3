import type { CallContext, CallParts } from '../call/context.js'
import { answerCall, answerStream as streamCall } from '../call/answer-call.js'
import { recordRefusal } from '../call/record-refusal.js'
import { toGatewayError } from '../errors.js'
import { errorAnswer, jsonAnswer } from '../http/answer.js'
import type { HttpRequest, HttpResponse } from '../http/message.js'
import type { RefusedRequest, RouteContext } from '../http/route.js'
import { doneEvent, sseError, sseEvent, sseHeaders } from '../http/sse.js'
import type { JsonObject } from '../wire/json.js'
import type { StreamPart } from '../protocols/protocol.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import { CallTrail } from '../router/trail.js'
import { attemptHeaders, servedHeaders } from './answer-headers.js'

/** Answers with a whole result; the provider's own bytes where nothing had to be changed. */
export async function answerWhole<K extends Operation>(
  operation: K,
  { body, ...context }: RouteContext<Operations[K]['request']>,
  parts: CallParts,
): Promise<HttpResponse> {
  const call = toCallContext(context)
  try {
    const answer = await answerCall(operation, body, call, parts)
    return jsonAnswer(
      200,
      answer.written ?? answer.body,
      servedHeaders(answer, call.trail, isExplained(context.request, body, parts)),
    )
  } catch (thrown) {
    return errorAnswer(toGatewayError(thrown), attemptHeaders(call.trail, isExplained(context.request, body, parts)))
  }
}

/** Answers with an event stream; the status is sent only once there is content, so that earlier failures are HTTP errors. */
export async function answerStream<K extends StreamOperation>(
  operation: K,
  { body, ...context }: RouteContext<Operations[K]['request']>,
  parts: CallParts,
): Promise<HttpResponse> {
  const call = toCallContext(context)
  try {
    const answer = await streamCall(operation, body, call, parts)
    const headers = { ...sseHeaders, ...servedHeaders(answer, call.trail, isExplained(context.request, body, parts)) }
    return { status: 200, headers, stream: new EventStream(answer.parts) }
  } catch (thrown) {
    return errorAnswer(toGatewayError(thrown), attemptHeaders(call.trail, isExplained(context.request, body, parts)))
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

function toCallContext({ caller, requestId, request }: Omit<RouteContext<unknown>, 'body'>): CallContext {
  const signal = request.leaving ?? request.signal
  return { caller, requestId, signal, headers: request.headers, trail: new CallTrail() }
}

/** A stream's batches written as events; a failure becomes the last event, and `[DONE]` never follows it. */
class EventStream<Chunk> implements AsyncIterableIterator<Uint8Array | string, undefined> {
  readonly #batches: AsyncIterator<readonly StreamPart<Chunk>[], undefined>
  #over = false

  constructor(batches: AsyncIterable<readonly StreamPart<Chunk>[], undefined>) {
    this.#batches = batches[Symbol.asyncIterator]()
  }

  async next(): Promise<IteratorResult<Uint8Array | string, undefined>> {
    if (this.#over) return { done: true, value: undefined }
    try {
      const result = await this.#batches.next()
      if (!result.done) return { done: false, value: toBytes(result.value) }
      this.#over = true
      return { done: false, value: doneEvent }
    } catch (thrown) {
      this.#over = true
      return { done: false, value: sseError(toGatewayError(thrown)) }
    }
  }

  /** Ends the call also where nothing was ever read, as a generator would not. */
  async return(): Promise<IteratorResult<Uint8Array | string, undefined>> {
    this.#over = true
    await this.#batches.return?.()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

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
