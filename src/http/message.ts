/** Response headers by lower-case name. */
export type Headers = Readonly<Record<string, string>>

/** What is used of an AbortSignal to learn that a client went away. */
export interface LeaveSignal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** A request as every adapter hands it over; plain, because WHATWG objects cost about 15 times more on this path. */
export interface HttpRequest<Host = unknown> {
  readonly method: string
  /** Path below the mount point, starting with `/`, still percent-encoded. */
  readonly path: string
  readonly query: URLSearchParams
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
  /**
   * Says the same as `signal`, where an adapter has something lighter: an AbortSignal with a listener costs 8 µs, and
   * is made only for whoever asks for `signal`.
   */
  readonly leaving?: LeaveSignal
  /** The framework's own request (Express `req`, Koa `ctx`), untouched. */
  readonly host: Host
  /**
   * Reads and parses the body once; an already parsed body of the host is used as it is.
   * @throws GatewayError payload_too_large, invalid_request (not JSON), client_closed
   */
  json(limitBytes: number): Promise<unknown>
  /**
   * The body as it came, read once and parsed by `json` afterwards; at once where all of it is there, undefined where
   * it is parsed already or packed. Adapters that have no use for it leave it out.
   * @throws as `json`, but for what parsing finds
   */
  bytes?(limitBytes: number): Promise<Uint8Array> | Uint8Array | undefined
  /** Whether the body may be there a turn of the event loop later, and nobody else would have read it by then. */
  readonly isArriving?: boolean
}

/** A whole answer. */
export interface HttpBodyResponse {
  readonly status: number
  readonly headers: Headers
  readonly body: string | Uint8Array | null
}

/** A streamed answer; the adapter writes each piece, waits for drain, and returns the iterator when the client leaves. */
export interface HttpStreamResponse {
  readonly status: number
  readonly headers: Headers
  readonly stream: AsyncIterable<Uint8Array | string>
}

/** What a handler answers; `null` instead of it means: not ours, call `next()`. */
export type HttpResponse = HttpBodyResponse | HttpStreamResponse
