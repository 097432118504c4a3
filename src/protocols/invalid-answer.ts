import { GatewayError } from '../errors.js'
import { errorInside, readErrorText, statusInError } from './failure.js'
import { isObject } from '../wire/json.js'

/** The error for a 200 that is no answer: the provider's own words where it sent an error, else what is missing. */
export function invalidAnswer(body: unknown, provider: string, what: string): GatewayError {
  if (readErrorText(body) !== undefined) {
    const error = isObject(body) && isObject(body['error']) ? body['error'] : body
    return errorInside(body, (isObject(error) ? statusInError(error) : undefined) ?? 502, provider)
  }
  return new GatewayError('upstream_invalid', `${provider} sent ${what}.`, { upstream: { provider, status: 200 } })
}

/** The error for a stream that ended before it was whole. */
export function truncated(provider: string): GatewayError {
  return new GatewayError('stream_truncated', 'The provider ended the stream before the answer was complete.', {
    upstream: { provider, status: 200 },
  })
}
