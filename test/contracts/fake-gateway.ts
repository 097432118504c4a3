import type { Gateway } from '../../src/gateway.js'
import type { HttpRequest, HttpResponse } from '../../src/http/message.js'
import type { Caller } from '../../src/ports.js'
import { GatewayError } from '../../src/errors.js'

/** What a fake route does with a request. */
export type FakeRoute = (request: HttpRequest, caller: Caller | undefined) => Promise<HttpResponse> | HttpResponse

/** A gateway of given routes by exact path; everything but `handle` is refused. */
export function fakeGateway(routes: Readonly<Record<string, FakeRoute>>): Gateway {
  const table = new Map(Object.entries(routes))
  return {
    handle(request, caller) {
      const route = table.get(request.path)
      return route === undefined ? null : answer(route, request, caller)
    },
    admin: { handle: () => null },
    call: () => Promise.reject(new Error('The fake gateway answers HTTP only.')),
    stream: () => {
      throw new Error('The fake gateway answers HTTP only.')
    },
    deployments: {
      list: () => [],
      get: () => undefined,
      add: refuse,
      update: refuse,
      remove: () => false,
      replace: () => [],
    },
    spend: {
      query: refuse,
      report: refuse,
      total: refuse,
      reprice: refuse,
      flush: refuse,
      pending: 0,
      written: 0,
      lost: 0,
    },
    close: () => Promise.resolve(),
  }
}

async function answer(route: FakeRoute, request: HttpRequest, caller: Caller | undefined): Promise<HttpResponse> {
  try {
    return await route(request, caller)
  } catch (error) {
    if (!GatewayError.isInstance(error)) throw error
    return json(error.status, error.toBody())
  }
}

/** A whole JSON answer. */
export function json(status: number, value: unknown, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

/** An event stream that a test feeds piece by piece, and that tells what was asked of it. */
export class FedStream implements AsyncIterableIterator<string | Uint8Array> {
  /** How many pieces were asked for. */
  pulls = 0
  /** When it was left before its end, by `performance.now()`. */
  returnedAt: number | undefined
  #waiting: PromiseWithResolvers<IteratorResult<string>> | undefined
  readonly #pieces: string[] = []
  #failure: Error | undefined
  #ended = false

  feed(piece: string): void {
    this.#pieces.push(piece)
    this.#serve()
  }

  fail(error: Error): void {
    this.#failure = error
    this.#serve()
  }

  end(): void {
    this.#ended = true
    this.#serve()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<string>> {
    this.pulls += 1
    const waiting = withResolvers<IteratorResult<string>>()
    this.#waiting = waiting
    this.#serve()
    return waiting.promise
  }

  return(): Promise<IteratorResult<string>> {
    this.returnedAt ??= performance.now()
    return Promise.resolve({ done: true, value: undefined })
  }

  #serve(): void {
    const waiting = this.#waiting
    const piece = this.#pieces[0]
    if (waiting === undefined || (piece === undefined && !this.#ended && this.#failure === undefined)) return
    this.#waiting = undefined
    this.#pieces.shift()
    if (piece !== undefined) waiting.resolve({ done: false, value: piece })
    else if (this.#failure !== undefined) waiting.reject(this.#failure)
    else waiting.resolve({ done: true, value: undefined })
  }
}

/** A promise with its ends in hand. */
export interface PromiseWithResolvers<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(error: Error): void
}

/** `Promise.withResolvers`, which Node 20 has not. */
export function withResolvers<Value>(): PromiseWithResolvers<Value> {
  let resolve: (value: Value) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<Value>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}

/** The answer of a streaming route. */
export function eventStream(stream: AsyncIterable<string | Uint8Array>): HttpResponse {
  return { status: 200, headers: { 'content-type': 'text/event-stream' }, stream }
}

function refuse(): never {
  throw new Error('The fake gateway has no deployments.')
}
