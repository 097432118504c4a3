import { describe, expect, it } from 'vitest'
import { anthropicProtocol } from '../../../src/protocols/anthropic/index.js'

const body = (type: string, message: string): object => ({
  type: 'error',
  error: { type, message },
  request_id: 'req_1',
})

describe('an error answer', () => {
  it.each([
    [400, 'invalid_request_error', 'max_tokens: Field required', 'invalid_request'],
    [400, 'invalid_request_error', 'prompt is too long: 208310 tokens > 200000 maximum', 'context_window'],
    [
      400,
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000',
      'context_window',
    ],
    [400, 'invalid_request_error', 'Output blocked by content filtering policy', 'content_policy'],
    [400, 'invalid_request_error', 'Your credit balance is too low to access the Anthropic API.', 'payment_required'],
    [401, 'authentication_error', 'invalid x-api-key', 'upstream_authentication'],
    [402, 'billing_error', 'Payment required', 'payment_required'],
    [403, 'permission_error', 'Not allowed', 'upstream_permission'],
    [404, 'not_found_error', 'model: claude-x', 'upstream_model_not_found'],
    [413, 'request_too_large', 'Request exceeds the maximum size', 'payload_too_large'],
    [
      429,
      'rate_limit_error',
      'This request would exceed the rate limit of 30,000 input tokens per minute',
      'rate_limited',
    ],
    [500, 'api_error', 'Internal server error', 'upstream_error'],
    [503, 'api_error', 'Unavailable', 'unavailable'],
    [422, 'api_error', 'Unprocessable', 'unprocessable'],
    [504, 'timeout_error', 'Timed out', 'timeout'],
    [529, 'overloaded_error', 'Overloaded', 'overloaded'],
  ])('%i %s "%s" is %s', (status, type, message, kind) => {
    expect(anthropicProtocol.failure(status, body(type, message))).toMatchObject({ kind, message, type })
  })

  it('goes by its type where a proxy changed the status', () => {
    expect(anthropicProtocol.failure(500, body('overloaded_error', 'Overloaded'))).toMatchObject({ kind: 'overloaded' })
    expect(anthropicProtocol.failure(400, body('rate_limit_error', 'Slow down'))).toMatchObject({
      kind: 'rate_limited',
    })
  })

  it('is understood in other shapes too', () => {
    expect(anthropicProtocol.failure(502, '<html>Bad gateway</html>')).toEqual({
      kind: 'upstream_error',
      message: 'The provider answered with status 502.',
    })
    expect(anthropicProtocol.failure(403, { message: 'Forbidden' })).toMatchObject({
      kind: 'upstream_permission',
      message: 'Forbidden',
    })
    expect(anthropicProtocol.failure(500, null)).toMatchObject({ kind: 'upstream_error' })
  })
})
