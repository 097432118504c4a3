import { STATUS_CODES } from 'node:http'
import type { UnderlyingSource } from 'node:stream/web'
import type { HttpResponse, HttpStreamResponse } from '../src/http/message.js'
import { closeIterator, failureAnswer } from './failure.js'
import { clientClosed } from './json-body.js'

/** The client's end of one call: tells the gateway when the client leaves, and lets go of the client's signal after. */
export class FetchCall {
  readonly #controller = new AbortController()
  readonly #client: AbortSignal | undefined
  #onLeave: ((reason: unknown) => void) | undefined

  /** `client` may outlive the call by far, such as one signal for a whole session. */
  constructor(client: AbortSignal | undefined) {
    this.#client = client
    if (client?.aborted) this.#controller.abort(clientClosed(client.reason))
    else client?.addEventListener('abort', this.#leave)
  }

  /** Aborts when the client leaves. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Calls back with the client's reason when its signal aborts; replaces an earlier callback. */
  whenLeft(callback: (reason: unknown) => void): void {
    this.#onLeave = callback
    if (this.#client?.aborted) callback(this.#client.reason)
  }

  /** The call is over; nothing is told any more. */
  release(): void {
    this.#onLeave = undefined
    this.#client?.removeEventListener('abort', this.#leave)
  }

  /** Stops the gateway's work. */
  cancel(reason: unknown): void {
    this.release()
    this.#controller.abort(clientClosed(reason))
  }

  readonly #leave = (): void => {
    const onLeave = this.#onLeave
    const reason: unknown = this.#client?.reason
    this.cancel(reason)
    onLeave?.(reason)
  }
}

const bodilessStatuses: ReadonlySet<number> = new Set([204, 205, 304])

/** Makes a WHATWG Response; one that cannot be made (a line break in a header) is a 500. */
export function toResponse(call: FetchCall, method: string, answer: HttpResponse): Response {
  const bodiless = method === 'HEAD' || bodilessStatuses.has(answer.status)
  if (!('stream' in answer)) {
    call.release()
    return build(answer, bodiless ? null : answer.body)
  }
  if (!bodiless) return build(answer, toBody(call, answer))
  closeIterator(answer.stream[Symbol.asyncIterator]())
  call.cancel(undefined)
  return build(answer, null)
}

function build({ status, headers }: HttpResponse, body: string | Uint8Array | ReadableStream | null): Response {
  try {
    return new Response(body, { status, headers, statusText: STATUS_CODES[status] ?? '' })
  } catch (error) {
    if (body instanceof ReadableStream) void body.cancel()
    const failure = failureAnswer(error)
    return new Response(failure.body, { status: failure.status, headers: failure.headers })
  }
}

/** Pulls one piece for each read, so that a slow reader holds back the gateway. */
function toBody(call: FetchCall, { stream }: HttpStreamResponse): ReadableStream<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  let over = false
  const source: UnderlyingSource<Uint8Array> = {
    start(controller) {
      call.whenLeft((reason) => {
        over = true
        closeIterator(iterator)
        controller.error(reason)
      })
    },
    async pull(controller) {
      try {
        const step = await iterator.next()
        if (over) return
        if (!step.done) {
          return controller.enqueue(typeof step.value === 'string' ? encoder.encode(step.value) : step.value)
        }
        call.release()
        controller.close()
      } catch (error) {
        if (over) return
        closeIterator(iterator)
        call.cancel(error)
        controller.error(error)
      }
    },
    cancel(reason) {
      over = true
      call.cancel(reason)
      closeIterator(iterator)
    },
  }
  return new ReadableStream(source, { highWaterMark: 0 })
}
