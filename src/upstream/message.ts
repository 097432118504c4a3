/** A request to a provider, before its base URL and credentials are added. Pure data; nothing here is secret. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'POST'
  /** Appended to the base URL; starts with `/`, parts already percent-encoded, may hold a query. */
  readonly path: string
  /** Lower-case names, `content-type` included. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | null
  /** OpenAI parameters that were left out because the provider cannot honour them (`dropParams`). */
  readonly droppedParams: readonly string[]
}

/** One event of a provider's stream, whatever framing it came in. */
export interface UpstreamEvent {
  /** SSE's event name, or the framing's own type; empty where there is none. */
  readonly event: string
  /** The payload as text; for SSE the `data` lines joined by a line feed. */
  readonly data: string
  /**
   * The bytes this event came in, only where they are exactly `data: <one line>\n\n`, which is how we write events
   * ourselves: such an event can be forwarded without being written again.
   */
  readonly frame: Uint8Array | undefined
}
