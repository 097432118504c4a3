import type { GatewayError } from '../errors.js'
import type { Headers } from './message.js'

/** Headers of an event stream; the last two keep proxies and `compression` from holding it back. */
export const sseHeaders: Headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/** The event that ends an OpenAI stream. */
export const doneEvent = 'data: [DONE]\n\n'

/** One event whose data is JSON. */
export function sseEvent(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

/** The event that tells a client that the stream failed; OpenAI's SDKs throw on it. No `[DONE]` follows. */
export function sseError(error: GatewayError): string {
  return sseEvent(error.toBody())
}
