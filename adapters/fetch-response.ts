import { setMaxListeners } from 'node:events'
import { STATUS_CODES } from 'node:http'
import type { HttpResponse, HttpStreamResponse } from '../src/index.js'
import { closeIterator, failureAnswer } from './failure.js'
import { clientClosed } from './json-body.js'

/** A Request, or the options of a `fetch` call. */
export interface SignalOwner {
  readonly signal?: AbortSignal | null | undefined
}

/** The client's end of one call: tells the gateway when the client leaves, and lets go of the client's signal after. */
export class FetchCall {
  readonly #controller = new AbortController()
  readonly #client: SignalOwner

  /** The signal may outlive the call by far, such as one for a whole session. */
  constructor(client: SignalOwner) {
    // Not the signal alone: undici no longer aborts the signal of a Request that was collected.
    this.#client = client
    if (client.signal?.aborted) this.#leave()
    else if (client.signal) {
      // Any number of calls may share it at once; that is no leak.
      if (client.signal instanceof EventTarget) setMaxListeners(0, client.signal)
      client.signal.addEventListener('abort', this.#leave)
    }
  }

  /** Aborts when the client leaves or the call is cancelled. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Why the client's signal aborted; what `fetch` rejects with. */
  get reason(): unknown {
    return this.#client.signal?.reason
  }

  /** Calls back when the client leaves or the call is cancelled, at once if that was before. */
  whenOver(callback: () => void): void {
    if (this.signal.aborted) callback()
    else this.signal.addEventListener('abort', callback)
  }

  /** The answer is complete: what the client's signal does from now on is no matter. */
  release(): void {
    this.#client.signal?.removeEventListener('abort', this.#leave)
  }

  /** Stops the gateway's work. */
  cancel(reason: unknown): void {
    this.release()
    this.#controller.abort(clientClosed(reason))
  }

  readonly #leave = (): void => this.cancel(this.reason)
}

const bodilessStatuses: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * Makes a WHATWG Response; one that cannot be made (a line break in a header) is a 500. A stream's is made with its
 * first piece, so that a stream that fails before it still gets a status of its own.
 */
export async function toResponse(call: FetchCall, method: string, answer: HttpResponse): Promise<Response> {
  const bodiless = method === 'HEAD' || bodilessStatuses.has(answer.status)
  if (!('stream' in answer)) {
    call.release()
    return build(answer, bodiless ? null : answer.body)
  }
  const iterator = answer.stream[Symbol.asyncIterator]()
  call.whenOver(() => closeIterator(iterator))
  if (bodiless) call.cancel(undefined)
  if (call.signal.aborted) return build(answer, null)
  try {
    return build(answer, toBody(call, iterator, await iterator.next()))
  } catch (error) {
    call.cancel(error)
    return toResponse(call, method, failureAnswer(error))
  }
}

type Body = string | Uint8Array | ReadableStream<Uint8Array> | null

function build({ status, headers }: HttpResponse, body: Body): Response {
  try {
    const response = new Response(body, { status, headers, statusText: STATUS_CODES[status] ?? '' })
    // Whoever serves it tells it; hosts give these headers to bodies that they have changed.
    response.headers.delete('content-length')
    return response
  } catch (error) {
    if (body instanceof ReadableStream) void body.cancel()
    const failure = failureAnswer(error)
    return new Response(failure.body, { status: failure.status, headers: failure.headers })
  }
}

type Piece = HttpStreamResponse['stream'] extends AsyncIterable<infer Value> ? Value : never

/** Pulls one piece for each read, so that a slow reader holds back the gateway. */
function toBody(
  call: FetchCall,
  iterator: AsyncIterator<Piece>,
  first: IteratorResult<Piece>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let step: IteratorResult<Piece> | undefined = first
  let over = false
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        call.whenOver(() => {
          if (!over) controller.error(call.reason)
          over = true
        })
      },
      async pull(controller) {
        try {
          const { done, value } = step ?? (await iterator.next())
          step = undefined
          if (over) return
          if (!done) return controller.enqueue(typeof value === 'string' ? encoder.encode(value) : value)
          over = true
          call.release()
          controller.close()
        } catch (error) {
          if (over) return
          over = true
          controller.error(error)
          call.cancel(error)
        }
      },
      cancel(reason) {
        over = true
        call.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
