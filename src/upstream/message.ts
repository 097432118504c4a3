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

/** What one attempt sent last: the difference between both requests is what the provider's `authorize` added. */
export class SentRequest {
  readonly encoded: UpstreamRequest
  signed: UpstreamRequest
  /** Tokens that were fetched to sign it. */
  readonly tokens: Set<string>

  constructor(encoded: UpstreamRequest) {
    this.encoded = this.signed = encoded
    this.tokens = new Set()
  }
}

/**
 * A POST. A class, since V8 puts what literals make under load into its old generation, where a request's body
 * then stays until the next full collection.
 */
export class PostedBody implements UpstreamRequest {
  readonly method = 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  readonly droppedParams: readonly string[]

  constructor(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | Uint8Array,
    droppedParams: readonly string[],
  ) {
    this.path = path
    this.headers = headers
    this.body = body
    this.droppedParams = droppedParams
  }
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
