import { describe, expect, it } from 'vitest'
import { failureRules } from '../../../src/errors.js'
import { geminiProtocol } from '../../../src/protocols/gemini/index.js'

const bodyOf = (code: number, status: string, message = 'no', details: readonly unknown[] = []) => ({
  error: { code, message, status, details },
})

describe('a refusal', () => {
  it.each([
    [400, 'INVALID_ARGUMENT', 'invalid_request'],
    [400, 'FAILED_PRECONDITION', 'upstream_permission'],
    [401, 'UNAUTHENTICATED', 'upstream_authentication'],
    [403, 'PERMISSION_DENIED', 'upstream_permission'],
    [404, 'NOT_FOUND', 'upstream_not_found'],
    [429, 'RESOURCE_EXHAUSTED', 'rate_limited'],
    [500, 'INTERNAL', 'upstream_error'],
    [503, 'UNAVAILABLE', 'unavailable'],
    [504, 'DEADLINE_EXCEEDED', 'timeout'],
  ])('%i %s is %s, plain or in a list', (code, status, kind) => {
    const body = bodyOf(code, status)
    expect(geminiProtocol.failure(code, body)).toMatchObject({ kind, message: 'no', type: status })
    expect(geminiProtocol.failure(code, [body])).toMatchObject({ kind, message: 'no', type: status })
  })

  it('of a bad key is one of authentication, though its status is 400', () => {
    const reason = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }]
    const byText = geminiProtocol.failure(400, bodyOf(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass one.'))
    const byReason = geminiProtocol.failure(400, bodyOf(400, 'INVALID_ARGUMENT', 'Sorry', reason))
    for (const { kind } of [byText, byReason]) {
      expect(kind).toBe('upstream_authentication')
      expect(failureRules[kind].reroute).toBe(true)
    }
  })

  it.each([
    ['34.4s', 34_400],
    ['0.0001s', 1],
    [{ seconds: '2', nanos: 500_000_000 }, 2_500],
    ['soon', undefined],
  ])('with the retry delay %j may be repeated after %s ms', (retryDelay, milliseconds) => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay }]
    const failure = geminiProtocol.failure(429, bodyOf(429, 'RESOURCE_EXHAUSTED', 'Quota', details))
    expect([failure.kind, failure.retryAfterMs]).toEqual(['rate_limited', milliseconds])
  })

  it('of a prompt too long is one of the context window', () => {
    const message = 'The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).'
    expect(geminiProtocol.failure(400, bodyOf(400, 'INVALID_ARGUMENT', message)).kind).toBe('context_window')
  })

  it('in any other form is read as far as it goes', () => {
    expect(geminiProtocol.failure(502, '<html>bad gateway</html>')).toMatchObject({ kind: 'upstream_error' })
    expect(geminiProtocol.failure(404, null)).toMatchObject({ kind: 'upstream_not_found' })
    expect(geminiProtocol.failure(400, { error: { status: 'toString', message: 'x' } })).toMatchObject({
      kind: 'invalid_request',
    })
  })
})
