import { request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http'
import { text } from 'node:stream/consumers'

/** A whole answer as the client got it. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface SendOptions {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
  readonly agent?: RequestOptions['agent']
}

/** Starts a request on a socket of its own, without ending it. */
export function open(url: string, options: SendOptions = {}): ClientRequest {
  const { method = 'POST', headers = {}, agent = false } = options
  const request = httpRequest(url, { method, headers, agent })
  // What a broken socket means is told by the response, or its absence.
  request.on('error', () => {})
  return request
}

/** The response once its headers are here; rejects when the socket breaks before. */
export function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('response', (response) => {
      response.on('error', () => {})
      resolve(response)
    })
    request.on('error', reject)
  })
}

/** Sends a request and reads the whole answer. */
export async function send(url: string, options: SendOptions = {}): Promise<Reply> {
  const request = open(url, options)
  const response = responseOf(request)
  request.end(options.body)
  return readReply(await response)
}

/** Sends a value as JSON and reads the whole answer. */
export function sendJson(url: string, value: unknown, options: SendOptions = {}): Promise<Reply> {
  const headers = { 'content-type': 'application/json', ...options.headers }
  return send(url, { ...options, headers, body: JSON.stringify(value) })
}

/** Reads the rest of an answer; rejects when it is cut. */
export async function readReply(response: IncomingMessage): Promise<Reply> {
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) }
}

/** Resolves when a condition holds; rejects after `withinMs`. */
export async function until(condition: () => boolean, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Not so within ${withinMs} ms: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
