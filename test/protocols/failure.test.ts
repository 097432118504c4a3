import { describe, expect, it } from 'vitest'
import {
  errorInside,
  kindOfFailure,
  kindOfStatus,
  readErrorText,
  readFailure,
  statusInError,
  toUpstreamError,
} from '../../src/protocols/failure.js'

describe('an error body', () => {
  it.each([
    [{ error: { message: 'm', type: 't', param: 'p', code: 'c' } }, { message: 'm', type: 't', param: 'p', code: 'c' }],
    [
      { error: 'm', code: 5 },
      { message: 'm', code: '5' },
    ],
    [
      { error: { code: 400, message: 'm', status: 'INVALID_ARGUMENT' } },
      { message: 'm', code: '400', type: 'INVALID_ARGUMENT' },
    ],
    [[{ error: { message: 'm' } }], { message: 'm' }],
    [
      { type: 'error', error: { type: 'overloaded_error', message: 'm' } },
      { message: 'm', type: 'overloaded_error' },
    ],
    [
      { message: 'm', code: 'c' },
      { message: 'm', code: 'c' },
    ],
    [{ Message: 'm' }, { message: 'm' }],
    [{ detail: 'm' }, { message: 'm' }],
    [{ detail: [{ loc: ['body', 'n'], msg: 'bad', type: 'x' }] }, { message: 'body.n: bad' }],
    [{ errors: [{ code: 1, message: 'm' }, { message: 'n' }] }, { message: 'm; n' }],
    [{ errors: ['m'], name: 'x' }, { message: 'm' }],
    [{ fault: { faultstring: 'm' } }, { message: 'm' }],
    [
      { error_code: 'E', message: 'm' },
      { message: 'm', code: 'E' },
    ],
    [{ error: ['m', 'n'] }, { message: 'm; n' }],
  ])('of the shape %j is read', (body, text) => {
    expect(readErrorText(body)).toMatchObject(text)
  })

  it('that says nothing is told by its status', () => {
    for (const body of [null, {}, [], 5, '', '<html>x</html>', { choices: [] }]) {
      expect(readFailure(503, body)).toEqual({ kind: 'unavailable', message: 'The provider answered with status 503.' })
    }
    expect(readFailure(500, 'x'.repeat(5_000)).message).toHaveLength(2_000)
  })
})

describe('the class of a failure', () => {
  it.each([
    [400, 'invalid_request'],
    [401, 'upstream_authentication'],
    [418, 'invalid_request'],
    [424, 'upstream_error'],
    [429, 'rate_limited'],
    [500, 'upstream_error'],
    [529, 'overloaded'],
    [599, 'upstream_error'],
  ])('of status %i is %s', (status, kind) => {
    expect(kindOfStatus(status)).toBe(kind)
  })

  it.each([
    [400, 'prompt is too long: 9 tokens', 'context_window'],
    [400, 'violates our usage policies', 'content_policy'],
    [400, 'API key not valid', 'upstream_authentication'],
    [400, 'You have reached your specified API usage limits.', 'rate_limited'],
    [500, 'Overloaded', 'overloaded'],
    [401, 'prompt is too long', 'upstream_authentication'],
  ])('of status %i that says %j is %s', (status, text, kind) => {
    expect(kindOfFailure(status, text)).toBe(kind)
  })
})

describe('what a caller wrote, quoted in a refusal,', () => {
  it.each([
    "Invalid value: 'rate limit'. Supported values are: 'low', 'medium', and 'high'.",
    'Unknown tool choice "incorrect api key".',
    "Input should be 'auto' [type=literal_error, input_value='model_not_found', input_type=str]",
    "The value `usage limit` is not one of the user's roles.",
    '"rate limit exceeded" is not of type integer.',
  ])('is no fault of the deployment: %s', (message) => {
    expect(kindOfFailure(400, message)).toBe('invalid_request')
  })

  it('the wrong operation for a model does not mean that the model is not there', () => {
    const words = 'This is a chat model and not supported in the v1/completions endpoint.'
    expect(kindOfFailure(404, `${words} Did you mean to use v1/chat/completions?`)).toBe('invalid_request')
  })

  it.each([
    'rate limit',
    'Unknown value for the field mode: rate limit reached',
    'tools.0.name: You have reached your usage limit',
    'Cannot parse the text too many requests at line 3',
    'You have exceeded the maximum length of a name. Incorrect API key',
    'messages.1: the model does not exist',
    'Unknown field. The model does not exist',
  ])('in the middle of a 400 is no fault of the deployment: %s', (message) => {
    expect(kindOfFailure(400, message, 'invalid_request_error', null)).toBe('invalid_request')
  })

  it.each([" 'a", 'violat', 'input token count '])('keeps nobody waiting with endless %j', (piece) => {
    const startedAt = performance.now()
    expect(kindOfFailure(400, piece.repeat(250_000 / piece.length))).toBe('invalid_request')
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })

  it.each([
    ['You have reached your specified API usage limits.', 'rate_limited'],
    ["Your organization's 'tier 1' rate limit was hit; see the provider's page.", 'rate_limited'],
    ["This model's maximum context length is 8192 tokens, yours 'is' longer.", 'context_window'],
    ['Incorrect API key provided: "sk-…".', 'upstream_authentication'],
  ] as const)('hides nothing that the provider says itself: %s', (message, kind) => {
    expect(kindOfFailure(400, message)).toBe(kind)
  })

  it.each([
    ['rate_limit_exceeded', 'rate_limited'],
    ['rate_limit_error', 'rate_limited'],
    ['RESOURCE_EXHAUSTED', 'rate_limited'],
    ['too_many_requests', 'rate_limited'],
    ['invalid_api_key', 'upstream_authentication'],
    ['model_not_found', 'upstream_model_not_found'],
    ['DeploymentNotFound', 'upstream_model_not_found'],
    ['rate_limit_value_invalid', 'invalid_request'],
  ] as const)('goes by the code of a 400, as its code or its type: %s', (word, kind) => {
    expect(kindOfFailure(400, 'no', word, null)).toBe(kind)
    expect(kindOfFailure(400, 'no', null, word)).toBe(kind)
  })
})

describe('a 404', () => {
  it.each([
    ['The model `gpt-9` does not exist or you do not have access to it.', 'model_not_found'],
    ['The API deployment for this resource does not exist.', 'DeploymentNotFound'],
    ['no', 'DeploymentNotFound'],
    ['model: claude-x', 'not_found_error'],
    ["model 'llama9' not found, try pulling it first", null],
    ['models/gemini-9.5 is not found for API version v1beta', 'NOT_FOUND'],
    ['Publisher Model `projects/p/models/x` was not found.', 'NOT_FOUND'],
    ['No endpoints found for acme/none.', null],
    ['Model not found, inaccessible, and/or not deployed', 'NOT_FOUND'],
  ])('says that the model is not there: %s', (message, code) => {
    expect(kindOfFailure(404, message, code)).toBe('upstream_model_not_found')
  })

  it.each([
    'Not Found',
    'Invalid URL (POST /v1/models/x/chat)',
    'The requested resource was not found.',
    '404 page not found',
  ])('says only that the address leads nowhere: %s', (message) =>
    expect(kindOfFailure(404, message, null)).toBe('upstream_not_found'),
  )
})

describe('an error inside a 200', () => {
  it('finds the status that the error names', () => {
    expect(statusInError({ code: 429 })).toBe(429)
    expect(statusInError({ code: 'x', status: '503' })).toBe(503)
    expect(statusInError({ code: 200 })).toBeUndefined()
    expect(statusInError({ code: '1302' })).toBeUndefined()
  })

  it('becomes the failure of that status and keeps the provider’s words', () => {
    expect(errorInside({ error: { message: 'slow', code: 'x' } }, 429, 'acme')).toMatchObject({
      kind: 'rate_limited',
      status: 429,
      message: 'slow',
      upstream: { provider: 'acme', status: 429, code: 'x' },
    })
    expect(toUpstreamError({ kind: 'rate_limited', message: 'm', retryAfterMs: 5 }, 429, 'acme').retryAfterMs).toBe(5)
  })
})
