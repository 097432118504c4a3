import { GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import { CallSignal } from '../upstream/call-signal.js'
import type { UpstreamClient } from '../upstream/client.js'
import { fetchText } from '../upstream/fetch-text.js'

/** A request to a sink's server. */
export interface SinkRequest {
  /** @default 'POST' */
  readonly method?: 'POST' | 'PUT'
  readonly url: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** What a sink's server answered. */
export interface SinkAnswer {
  readonly status: number
  readonly text: string
  /** As the server wants it. */
  readonly retryAfterMs: number | undefined
}

/** The way out for sinks; rejects when there is no whole answer within the deadline. */
export type SendToSink = (request: SinkRequest, deadlineMs: number) => Promise<SinkAnswer>

/** Binds the port to the gateway's own client; redirects are not followed. */
export function createSendToSink(client: UpstreamClient, clock: Clock): SendToSink {
  return async ({ method = 'POST', url, headers: own, body }, deadlineMs) => {
    const signal = new CallSignal(clock, deadlineMs)
    try {
      const { status, headers, text } = await fetchText(client, { method, url, headers: own, body }, signal, deadlineMs)
      const seconds = Number(headers['retry-after'])
      return { status, text, retryAfterMs: seconds > 0 ? seconds * 1_000 : undefined }
    } finally {
      signal.dispose()
    }
  }
}

/** A delivery that failed. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError'
  /** False where the same records would be refused again. */
  readonly retry: boolean
  readonly retryAfterMs: number | undefined

  constructor(message: string, options: { readonly retry: boolean; readonly retryAfterMs?: number | undefined }) {
    super(message)
    this.retry = options.retry
    this.retryAfterMs = options.retryAfterMs
  }
}

const transient: ReadonlySet<number> = new Set([408, 425, 429])

/** True for statuses that mean: try again later. */
export function isTransient(status: number): boolean {
  return transient.has(status) || status >= 500
}

/**
 * Sends a request and gives the text of a 2xx answer.
 * @throws DeliveryError for everything else; its message has the status and never the address, which may hold a credential
 */
export async function deliverTo(send: SendToSink, request: SinkRequest, deadlineMs: number): Promise<string> {
  const { status, text, retryAfterMs } = await send(request, deadlineMs).catch((error: unknown) => {
    const reason = GatewayError.isInstance(error) ? error.code : 'unknown'
    throw new DeliveryError(`no answer: ${reason}`, { retry: true })
  })
  if (status >= 200 && status < 300) return text
  throw new DeliveryError(`answered ${status}`, { retry: isTransient(status), retryAfterMs })
}
