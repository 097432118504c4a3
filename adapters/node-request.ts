import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { HttpRequest, LeaveSignal } from '../src/index.js'
import { assertJsonType, clientClosed, inflaterFor, parseJson, tooLarge } from './json-body.js'
import type { Target } from './mount.js'
import { isArriving, readUpload } from './node-upload.js'

/** A request of `node:http`, and of any framework above it, as the gateway takes it; everything is made when asked for. */
export class NodeHttpRequest<Host> implements HttpRequest<Host> {
  readonly method: string
  readonly path: string
  readonly host: Host
  readonly #search: string
  readonly #incoming: IncomingMessage
  readonly #response: ServerResponse
  readonly #hostBody: unknown
  #headers: Readonly<SingleHeaders> | undefined
  #query: URLSearchParams | undefined
  #json: Promise<unknown> | undefined
  #bytes: Promise<Uint8Array> | Uint8Array | undefined
  #controller: AbortController | undefined
  #onGone: (() => void) | undefined
  #leaving: Leaving | undefined
  #watched = false
  #answered = false
  #gone = false

  /** `hostBody` is what the host's body parser left, undefined where there is none. */
  constructor(incoming: IncomingMessage, response: ServerResponse, target: Target, host: Host, hostBody: unknown) {
    this.method = incoming.method ?? 'GET'
    this.path = target.path
    this.host = host
    this.#search = target.search
    this.#incoming = incoming
    this.#response = response
    this.#hostBody = hostBody
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#search))
  }

  get headers(): Readonly<Record<string, string | undefined>> {
    return (this.#headers ??= singleHeaders(this.#incoming.headers))
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      this.#watch()
      if (this.#gone) this.#controller.abort(clientClosed())
    }
    return this.#controller.signal
  }

  get leaving(): LeaveSignal {
    if (this.#leaving === undefined) {
      this.#leaving = new Leaving()
      this.#watch()
      if (this.#gone) this.#leaving.abort()
    }
    return this.#leaving
  }

  /** The client left, or its call was cancelled. */
  get gone(): boolean {
    return this.#gone
  }

  /** Calls back when the client leaves before its answer is written. */
  whenGone(callback: () => void): void {
    this.#onGone = callback
    this.#watch()
    if (this.#gone) callback()
  }

  /** The answer is about to be handed over whole: a close after it is the end, not a client that left. */
  markAnswered(): void {
    this.#answered = true
  }

  /** Ends the call as if the client had left. */
  cancel(): void {
    if (this.#gone) return
    this.#gone = true
    this.#leaving?.abort()
    this.#controller?.abort(clientClosed())
    this.#onGone?.()
  }

  json(limitBytes: number): Promise<unknown> {
    return (this.#json ??= this.#readJson(limitBytes))
  }

  get isArriving(): boolean {
    return !this.#hasHostBody() && isArriving(this.#incoming)
  }

  bytes(limitBytes: number): Promise<Uint8Array> | Uint8Array | undefined {
    this.#assertJsonType()
    // Whoever identifies callers may have asked for the JSON.
    if (this.#json !== undefined && this.#bytes === undefined) return undefined
    if (this.#hasHostBody() || inflaterFor(this.#incoming.headers['content-encoding']) !== null) return undefined
    return (this.#bytes ??= readUpload(this.#incoming, limitBytes))
  }

  async #readJson(limitBytes: number): Promise<unknown> {
    this.#assertJsonType()
    if (this.#hasHostBody()) return fromHostBody(this.#hostBody, limitBytes)
    const inflate = inflaterFor(this.#incoming.headers['content-encoding'])
    const bytes = await (this.#bytes ?? readUpload(this.#incoming, limitBytes))
    // Nobody needs them twice, and a stream may run for minutes.
    this.#bytes = undefined
    return parseJson(inflate === null ? bytes : await inflate(bytes, limitBytes))
  }

  #assertJsonType(): void {
    const { headers } = this.#incoming
    assertJsonType(headers['content-type'], headers.origin !== undefined || 'sec-fetch-site' in headers)
  }

  #hasHostBody(): boolean {
    if (this.#bytes !== undefined) return false
    return this.#hostBody !== undefined && !isPlaceholder(this.#hostBody, this.#incoming)
  }

  #watch(): void {
    if (this.#watched) return
    this.#watched = true
    const response = this.#response
    const { socket } = this.#incoming
    const onClose = (): void => {
      // A host that answers in our place, as time-out middleware does, has no use for our call either.
      if (!this.#answered || !response.writableFinished) this.cancel()
    }
    if (response.destroyed || socket?.destroyed) return onClose()
    response.on('close', onClose)
    if (response.socket !== null || socket === null) return
    // A pipelined response has no socket yet, and is never told that the client left.
    // Any number of requests may wait in one pipeline.
    socket.setMaxListeners(0)
    socket.once('close', onClose)
    response.on('close', () => socket.off('close', onClose))
  }
}

/** Tells its listeners that the client left; an AbortSignal at a hundredth of its cost. */
class Leaving implements LeaveSignal {
  #listeners: (() => void)[] = []
  #aborted = false

  get aborted(): boolean {
    return this.#aborted
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.push(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener)
  }

  abort(): void {
    this.#aborted = true
    const listeners = this.#listeners
    this.#listeners = []
    for (const listener of listeners) listener()
  }
}

type SingleHeaders = Record<string, string | undefined>

function hasOneValueEach(headers: IncomingHttpHeaders): headers is SingleHeaders {
  // Node joins or drops duplicates; only this name is ever an array.
  return headers['set-cookie'] === undefined
}

function singleHeaders(headers: IncomingHttpHeaders): Readonly<SingleHeaders> {
  if (hasOneValueEach(headers)) return headers
  const single: SingleHeaders = {}
  for (const [name, value] of Object.entries(headers)) single[name] = Array.isArray(value) ? value.join(', ') : value
  return single
}

/** Older body parsers leave `{}` on every request, also those that they do not read. */
function isPlaceholder(hostBody: unknown, incoming: IncomingMessage): boolean {
  if (incoming.readableDidRead || typeof hostBody !== 'object' || hostBody === null) return false
  return !Array.isArray(hostBody) && !(hostBody instanceof Uint8Array) && Object.keys(hostBody).length === 0
}

function fromHostBody(hostBody: unknown, limitBytes: number): unknown {
  const isText = typeof hostBody === 'string'
  if (!isText && !(hostBody instanceof Uint8Array)) return hostBody
  if ((isText ? Buffer.byteLength(hostBody) : hostBody.byteLength) > limitBytes) throw tooLarge(limitBytes)
  return parseJson(hostBody)
}
