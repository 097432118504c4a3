import { Agent, type Dispatcher, type buildConnector } from 'undici'
import { GatewayError } from '../errors.js'
import type { CallSignal } from './call-signal.js'
import { decompress } from './decompress.js'
import { ResponseBody } from './response-body.js'

/** A request ready to leave: base URL and credentials are in it. */
export interface OutgoingRequest {
  /** Scheme, host and port. */
  readonly origin: string
  readonly path: string
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | null
}

/** Deadlines of one send, in milliseconds; 0 sets none. */
export interface SendTimeouts {
  readonly connect: number
  readonly headers: number
}

/** A provider's answer; `body` must be read to its end or left (`return`), or the connection stays taken. */
export interface UpstreamResponse {
  readonly status: number
  /** By lower-case name; repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Buffer>
}

/** The way out of the process: one pool of connections per gateway. */
export interface UpstreamClient {
  /**
   * Sends a request and resolves with its headers. Redirects are never followed: they would carry the key elsewhere.
   * @throws GatewayError upstream_connection, timeout, or whatever ended the call
   */
  send(request: OutgoingRequest, signal: CallSignal, timeouts: SendTimeouts): Promise<UpstreamResponse>
  /** Connections and requests by origin, as they are now. */
  stats(): Readonly<Record<string, PoolStats>>
  close(): Promise<void>
}

/** What goes on at one origin. */
export interface PoolStats {
  readonly connected: number
  readonly running: number
  readonly pending: number
}

/** How a pool connects. */
export interface ClientOptions {
  readonly connectTimeoutMs: number
  /** Makes the connections instead of undici's own connector; it brings its own timeout. */
  readonly connector?: buildConnector.connector
}

/** Opens the pool; no connection is made before the first request. */
export function createUpstreamClient(options: ClientOptions): UpstreamClient {
  const agent = new Agent({
    // Our own deadlines govern; undici's only frees a socket that never connects.
    connect: options.connector ?? { timeout: options.connectTimeoutMs },
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  })
  return {
    send: (request, signal, timeouts) =>
      new Promise((resolve, reject) => {
        const exchange = new ExchangeHandler(signal, timeouts, resolve, reject)
        signal.listen((error) => exchange.cancel(error))
        if (signal.ended) return
        signal.enter('connect', timeouts.connect)
        agent.dispatch(
          {
            origin: request.origin,
            path: request.path,
            method: request.method,
            headers: request.headers,
            body: request.body,
          },
          exchange,
        )
      }),
    stats: () =>
      Object.fromEntries(
        Object.entries(agent.stats).map(([origin, { connected, running, pending }]) => [
          origin,
          { connected: Number(connected), running, pending },
        ]),
      ),
    close: () => agent.destroy(),
  }
}

/** One request on the wire. */
class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly #signal: CallSignal
  readonly #timeouts: SendTimeouts
  readonly #resolve: (response: UpstreamResponse) => void
  readonly #reject: (error: GatewayError) => void
  #controller: Dispatcher.DispatchController | undefined
  #body: ResponseBody | undefined
  #cancelled: GatewayError | undefined

  constructor(
    signal: CallSignal,
    timeouts: SendTimeouts,
    resolve: (response: UpstreamResponse) => void,
    reject: (error: GatewayError) => void,
  ) {
    this.#signal = signal
    this.#timeouts = timeouts
    this.#resolve = resolve
    this.#reject = reject
  }

  cancel(error: GatewayError): void {
    if (this.#cancelled) return
    this.#cancelled = error
    if (this.#body) return this.#body.cancel(error)
    this.#reject(error)
    this.#controller?.abort(error)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#cancelled) return controller.abort(this.#cancelled)
    const { attempt } = this.#signal
    if (attempt) attempt.sent = attempt.partSent = true
    this.#signal.enter('headers', this.#timeouts.headers)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, rawHeaders: object): void {
    if (status < 200) return
    this.#signal.leave()
    const body = new ResponseBody(controller)
    this.#body = body
    const headers = joinHeaders(rawHeaders)
    const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
    this.#resolve({
      status,
      headers,
      body: encoding === 'identity' || encoding === '' ? body : decompress(body, encoding),
    })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.add(chunk)
  }

  onResponseEnd(): void {
    this.#body?.close()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const failure = this.#cancelled ?? toConnectionError(error, this.#body !== undefined)
    if (this.#body) this.#body.fail(failure)
    else this.#reject(failure)
  }
}

function joinHeaders(headers: object): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') joined[name] = value
    else if (Array.isArray(value)) joined[name] = value.join(', ')
  }
  return joined
}

const texts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'The provider refused the connection.',
  ENOTFOUND: "The provider's host name does not exist.",
  EAI_AGAIN: "The provider's host name could not be looked up.",
  UND_ERR_CONNECT_TIMEOUT: 'No connection to the provider could be made in time.',
  UND_ERR_HEADERS_OVERFLOW: "The provider's response headers are too large.",
}

/** Names the cause without the address: internal hosts are nobody's business. */
function toConnectionError(error: Error, answering: boolean): GatewayError {
  if (GatewayError.isInstance(error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const text = answering
    ? 'The connection to the provider broke before its answer was complete.'
    : 'The connection to the provider failed.'
  return new GatewayError('upstream_connection', texts[code] ?? text, { cause: error })
}
