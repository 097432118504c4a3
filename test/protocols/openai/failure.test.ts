import { describe, expect, it } from 'vitest'
import { openaiProtocol } from '../../../src/protocols/openai/index.js'

const failure = (status: number, body: unknown) => openaiProtocol().failure(status, body)

describe('a refusal', () => {
  it.each([
    [
      429,
      {
        error: {
          message: 'You exceeded your current quota',
          type: 'insufficient_quota',
          param: null,
          code: 'insufficient_quota',
        },
      },
      'payment_required',
    ],
    [429, { error: { message: 'Rate limit reached', type: 'requests', code: 'rate_limit_exceeded' } }, 'rate_limited'],
    [
      400,
      { error: { message: "This model's maximum context length is 8 tokens", code: 'context_length_exceeded' } },
      'context_window',
    ],
    [400, { error: { message: 'Rejected by our safety system', code: 'content_policy_violation' } }, 'content_policy'],
    [400, { error: 'Incorrect API key provided: xx', code: 'x' }, 'upstream_authentication'],
    [401, { message: 'Wrong key', type: 'invalid', code: 'wrong_api_key' }, 'upstream_authentication'],
    [422, { object: 'error', message: 'bad field', type: 'invalid' }, 'unprocessable'],
    [422, { detail: [{ loc: ['body', 'n'], msg: 'too large', type: 'x' }] }, 'unprocessable'],
    [404, { error: { message: 'no such model', code: 'model_not_found' } }, 'upstream_model_not_found'],
    [503, '<html>down</html>', 'unavailable'],
    [500, { fault: { faultstring: 'broken' } }, 'upstream_error'],
  ])('of status %i, %j, is %s', (status, body, kind) => {
    expect(failure(status, body).kind).toBe(kind)
  })

  it('keeps the provider’s words, code and parameter', () => {
    const body = {
      error: {
        message: 'Unsupported value',
        type: 'invalid_request_error',
        param: 'temperature',
        code: 'unsupported_value',
      },
    }
    expect(failure(400, body)).toEqual({
      kind: 'invalid_request',
      message: 'Unsupported value',
      type: 'invalid_request_error',
      param: 'temperature',
      code: 'unsupported_value',
    })
  })
})
