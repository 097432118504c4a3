import type { GatewayError } from '../errors.js'
import type { Headers, HttpBodyResponse } from './message.js'

/** A JSON answer; a string or bytes are taken as JSON that is already written. */
export function jsonAnswer(status: number, body: unknown, headers: Headers = {}): HttpBodyResponse {
  const written = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  return { status, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body: written }
}

/** An error as a client gets it: OpenAI's body, and `retry-after` in whole seconds where a retry makes sense. */
export function errorAnswer(error: GatewayError, headers: Headers = {}): HttpBodyResponse {
  const retryAfter =
    error.retryAfterMs === undefined
      ? {}
      : { 'retry-after': String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))) }
  return jsonAnswer(error.status, error.toBody(), { ...headers, ...error.headers, ...retryAfter })
}
