import type { Deployment } from '../deployment.js'
import { GatewayError } from '../errors.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { UpstreamResponse } from '../upstream/client.js'
import { readBody } from '../upstream/response-body.js'
import { parseJson } from '../wire/json.js'
import { redact } from './redact.js'
import type { Asked } from './send-request.js'

const maxErrorBytes = 256 * 1024
const requestIdHeaders = ['x-request-id', 'request-id', 'apim-request-id', 'x-amzn-requestid', 'cf-ray']

/**
 * Reads a provider's refusal into an error: its status, its words, its retry hint. Whoever passes it on takes the
 * credentials out of it.
 */
export async function toFailure(
  response: UpstreamResponse,
  { provider, deployment, signal, parts }: Asked,
): Promise<GatewayError> {
  const { status, headers } = response
  if (status < 400) {
    await response.body[Symbol.asyncIterator]().return?.()
    return new GatewayError(
      'upstream_invalid',
      `The provider answered with status ${status}; redirects are not followed.`,
      {
        upstream: { provider: provider.name, status },
      },
    )
  }
  const text = await readErrorText(response, deployment, signal)
  if (GatewayError.isInstance(text)) return text
  // Text that is not JSON is cut to a length, which must not leave half a key.
  const body = parseJson(text) ?? redact(text, deployment, signal.sent)
  const failure = provider.protocol.failure(status, body, headers)
  const retryAfterMs = readRetryAfter(headers, parts.clock.now()) ?? failure.retryAfterMs
  const requestId = requestIdHeaders.map((name) => headers[name]).find(Boolean)
  return new GatewayError(failure.kind, failure.message, {
    param: failure.param ?? null,
    ...(failure.code && { code: failure.code }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    upstream: {
      provider: provider.name,
      status,
      code: failure.code ?? null,
      type: failure.type ?? null,
      ...(requestId && { request_id: requestId }),
    },
  })
}

/** The body as far as it is worth reading; a broken or endless one must not hide that the provider refused. */
async function readErrorText(
  response: UpstreamResponse,
  deployment: Deployment,
  signal: CallSignal,
): Promise<string | GatewayError> {
  signal.enter('idle', deployment.timeouts.idle)
  try {
    return (await readBody(response.body, maxErrorBytes)).toString('utf8')
  } catch (error) {
    return signal.ended ?? (GatewayError.isInstance(error) && error.kind === 'timeout' ? error : '')
  } finally {
    signal.leave()
  }
}

const longestRetryMs = 24 * 60 * 60 * 1_000

/**
 * Milliseconds to wait: `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110 10.2.3), counted from the
 * answer's own `date` if it has one; at most a day. Undefined where the provider says nothing.
 */
export function readRetryAfter(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const milliseconds = Number(headers['retry-after-ms'] ?? Number.NaN)
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return Math.min(milliseconds, longestRetryMs)
  const text = headers['retry-after']
  if (text === undefined || text.trim() === '') return undefined
  const seconds = Number(text)
  if (Number.isFinite(seconds)) return seconds < 0 ? undefined : Math.min(seconds * 1_000, longestRetryMs)
  const sentAt = Date.parse(headers['date'] ?? '')
  const wait = Date.parse(text) - (Number.isNaN(sentAt) ? now : sentAt)
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), longestRetryMs)
}
