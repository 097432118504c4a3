import type { GatewayError } from '../errors.js'
import type { Headers, HttpBodyResponse } from './message.js'

/** A whole JSON answer with headers of its own, which may be added to: of an answer from the cache, copies cost most. */
export class JsonAnswer implements HttpBodyResponse {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string | Uint8Array

  /** `headers` are the answer's from now on; its type and length are put to them. */
  constructor(status: number, body: string | Uint8Array, headers: Record<string, string>) {
    headers['content-type'] ??= 'application/json; charset=utf-8'
    headers['content-length'] = String(typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength)
    this.status = status
    this.headers = headers
    this.body = body
  }
}

/** A JSON answer; a string or bytes are taken as JSON that is already written. */
export function jsonAnswer(status: number, body: unknown, headers: Headers = {}): JsonAnswer {
  const written = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  return new JsonAnswer(status, written, { ...headers })
}

/** An error as a client gets it: OpenAI's body, and `retry-after` in whole seconds where a retry makes sense. */
export function errorAnswer(error: GatewayError, headers: Headers = {}): HttpBodyResponse {
  const retryAfter =
    error.retryAfterMs === undefined
      ? {}
      : { 'retry-after': String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))) }
  return jsonAnswer(error.status, error.toBody(), { ...headers, ...error.headers, ...retryAfter })
}
