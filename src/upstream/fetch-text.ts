import type { CallSignal } from './call-signal.js'
import type { OutgoingRequest, UpstreamClient } from './client.js'
import { readBody } from './response-body.js'

/** A request to an address that is no provider's: a sink of a callback, the service of a guardrail. */
export interface TextRequest {
  readonly method: OutgoingRequest['method']
  readonly url: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | null
}

/** A whole answer. */
export interface TextAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

const maxAnswerBytes = 1024 * 1024

/**
 * Sends a request and reads the whole answer, of any status, up to 1 MB; redirects are not followed. Whoever made the
 * signal disposes it; `phaseMs` is how long a connection, and then the headers, may take, in milliseconds (0: no matter).
 * @throws GatewayError where there is no answer
 */
export async function fetchText(
  client: UpstreamClient,
  { method, url, headers, body }: TextRequest,
  signal: CallSignal,
  phaseMs = 0,
): Promise<TextAnswer> {
  const { origin, pathname, search } = new URL(url)
  const request = { origin, path: `${pathname}${search}`, method, headers, body }
  const response = await client.send(request, signal, { connect: phaseMs, headers: phaseMs })
  const text = (await readBody(response.body, maxAnswerBytes)).toString('utf8')
  return { status: response.status, headers: response.headers, text }
}
