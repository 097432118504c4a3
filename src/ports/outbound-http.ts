/** A request of a feature that is not a model call: a guardrail's service, a prompt store. */
export interface OutboundRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** The answer to it, read whole. */
export interface OutboundResponse {
  readonly status: number
  readonly text: string
}

/**
 * Sends one request to a service that the host has configured. Follows no redirects, and reads a bounded body.
 * Rejects with anything where no answer came, or once `signal` aborts; whoever asks brings the deadline.
 */
export type OutboundHttp = (request: OutboundRequest, signal: AbortSignal) => Promise<OutboundResponse>
