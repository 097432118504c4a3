import type { HttpRequest, HttpResponse } from './http/message.js'
import type { Caller } from './ports.js'
import type { Operation, Operations, StreamOperation } from './wire/operations.js'

/** How one in-process call is made. */
export interface CallOptions {
  /** Cancels the call and its upstream request. */
  readonly signal?: AbortSignal
}

/** A running gateway; build one with `createGateway`. Two of them share nothing. */
export interface Gateway<Host = unknown> {
  /**
   * Answers a request of one of its paths; null for any other path, synchronously, so that a host can go on.
   * The promise never rejects: every failure is an answer in OpenAI's shape. With `caller`, `auth` is not asked.
   */
  handle(request: HttpRequest<Host>, caller?: Caller): Promise<HttpResponse> | null
  /** One call without HTTP. @throws GatewayError */
  call<K extends Operation>(
    operation: K,
    request: Operations[K]['request'],
    caller: Caller,
    options?: CallOptions,
  ): Promise<Operations[K]['response']>
  /** One streamed call without HTTP; iteration throws GatewayError, and leaving the loop cancels the upstream. */
  stream<K extends StreamOperation>(
    operation: K,
    request: Operations[K]['request'],
    caller: Caller,
    options?: CallOptions,
  ): AsyncIterable<Operations[K]['chunk']>
  /** Stops taking calls, waits up to `drainMs` (default 30,000) for running ones, then cancels them and closes connections. */
  close(options?: { readonly drainMs?: number }): Promise<void>
}
