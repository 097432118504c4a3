import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpBodyResponse, HttpResponse, HttpStreamResponse } from '../src/index.js'
import { closeIterator, failureAnswer, ignore } from './failure.js'
import type { NodeHttpRequest } from './node-request.js'

/** A `node:http` response that compressing middleware may have given a `flush`. */
export interface FlushableResponse extends ServerResponse {
  flush?: () => void
}

// How long an upload that was refused is let through to nowhere, in ms, so that a client that does not listen while it
// sends gets to read why; as nginx's lingering_time.
const lingerMs = 30_000

/** Writes an answer. The promise of a stream resolves when all is written or the client has left; it never rejects. */
export function writeAnswer(
  request: NodeHttpRequest<unknown>,
  incoming: IncomingMessage,
  response: FlushableResponse,
  answer: HttpResponse,
): Promise<void> | undefined {
  if ('stream' in answer) return writeStream(request, incoming, response, answer)
  request.markAnswered()
  writeBody(incoming, response, answer)
  return undefined
}

/** Writes a whole answer, unless the host has; one that cannot be written (a line break in a header) becomes a 500. */
export function writeBody(incoming: IncomingMessage, response: ServerResponse, answer: HttpBodyResponse): void {
  if (response.headersSent || response.writableEnded) return
  try {
    send(incoming, response, answer)
  } catch (error) {
    for (const name of Object.keys(answer.headers)) if (name !== '') response.removeHeader(name)
    response.statusMessage = ''
    sendFailure(incoming, response, error)
  }
}

/** The last resort: also what the host hooked into its response may throw. */
function sendFailure(incoming: IncomingMessage, response: ServerResponse, error: unknown): void {
  try {
    if (!response.headersSent) return send(incoming, response, failureAnswer(error))
  } catch {
    // Destroyed below, so that the client is not left waiting.
  }
  response.destroy()
}

function send(incoming: IncomingMessage, response: ServerResponse, answer: HttpBodyResponse): void {
  const { status, headers, body } = answer
  if (status === 204 || status === 304 || (body === null && incoming.method === 'HEAD')) {
    response.writeHead(status, headers).end()
    return
  }
  const length = body === null ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  // The upload goes on while it is refused.
  if ((status === 413 || status === 408) && !incoming.complete) {
    response.writeHead(status, { ...headers, 'content-length': length, connection: 'close' })
    if (body !== null) response.write(body)
    linger(incoming, response)
    return
  }
  // Not a spread: V8 would keep it, see wire/merged.ts.
  // Whoever stands between the gateway and us may have changed the body.
  const isTold = headers['content-length'] === String(length)
  response.writeHead(status, isTold ? headers : Object.assign({}, headers, { 'content-length': length }))
  if (body === null || incoming.method === 'HEAD') response.end()
  else response.end(body)
}

/** Closing a socket that has unread bytes resets it, and takes our answer along; so the end waits for the upload's. */
function linger(incoming: IncomingMessage, response: ServerResponse): void {
  const end = (): void => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(end, lingerMs).unref()
  if (incoming.destroyed) return end()
  incoming.on('close', end)
  incoming.resume()
}

/** Headers leave with the first piece, so that a stream that fails before it still gets a status of its own. */
async function writeStream(
  request: NodeHttpRequest<unknown>,
  incoming: IncomingMessage,
  response: FlushableResponse,
  answer: HttpStreamResponse,
): Promise<void> {
  const iterator = answer.stream[Symbol.asyncIterator]()
  if (incoming.method === 'HEAD' || request.gone || response.headersSent) {
    closeIterator(iterator)
    writeBody(incoming, response, { status: answer.status, headers: answer.headers, body: null })
    return request.cancel()
  }
  const gate = new DrainGate(response)
  request.whenGone(() => {
    closeIterator(iterator)
    gate.open()
  })
  response.on('error', ignore)
  let started = false
  try {
    for (;;) {
      const step = await iterator.next()
      if (request.gone || response.writableEnded) return
      if (!started) {
        started = true
        startStream(incoming, response, answer)
      }
      if (step.done) break
      const accepted = response.write(step.value)
      response.flush?.()
      if (!accepted) await gate.wait()
    }
    request.markAnswered()
    response.end()
  } catch (error) {
    closeIterator(iterator)
    if (response.headersSent) response.destroy()
    else writeBody(incoming, response, failureAnswer(error))
    request.cancel()
  }
}

function startStream(incoming: IncomingMessage, response: ServerResponse, answer: HttpStreamResponse): void {
  // Small pieces must not wait for each other; HTTP/2's stand-in for a socket throws on it.
  if (incoming.httpVersionMajor < 2) response.socket?.setNoDelay(true)
  // What earlier middleware may have said of its own body.
  response.removeHeader('content-length')
  response.writeHead(answer.status, answer.headers)
}

/** Waits until a response takes more, with one listener for its whole life: `compression` never removes one. */
class DrainGate {
  readonly #response: ServerResponse
  #listening = false
  #open = false
  #wake: (() => void) | undefined

  constructor(response: ServerResponse) {
    this.#response = response
  }

  /** Resolves at the next 'drain', or at once after `open`. */
  wait(): Promise<void> {
    if (this.#open) return Promise.resolve()
    if (!this.#listening) {
      this.#listening = true
      this.#response.on('drain', () => this.#wake?.())
    }
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** Lets through whoever waits, for good. */
  open(): void {
    this.#open = true
    this.#wake?.()
  }
}
