import { describe, expect, it } from 'vitest'
import { type CallEnding, outcomeOf } from '../../src/callbacks/index.js'
import { type FailureKind, GatewayError, failureRules } from '../../src/errors.js'
import { type CallOutcome, callOutcomes } from '../../src/ports/callback.js'

const ending = (own: Partial<CallEnding>): CallEnding => ({
  error: undefined,
  stream: false,
  contentSent: false,
  ...own,
})
const failed = (kind: FailureKind, own: Partial<CallEnding> = {}): CallEnding =>
  ending({ error: new GatewayError(kind, 'It failed.'), ...own })

const cases: readonly (readonly [CallOutcome, CallEnding])[] = [
  ['answered', ending({})],
  ['streamed', ending({ stream: true, contentSent: true })],
  ['cached', ending({ source: 'cache' })],
  ['replayed', ending({ source: 'replay', stream: true })],
  ['invalid_request', failed('invalid_request')],
  ['unsupported_parameter', failed('unsupported_parameter')],
  ['context_window', failed('context_window')],
  ['content_policy', failed('content_policy')],
  ['guardrail_blocked', ending({ error: new GatewayError('content_policy', 'No.', { code: 'guardrail_blocked' }) })],
  ['unauthenticated', failed('authentication')],
  ['not_allowed', failed('model_not_allowed')],
  ['model_not_found', failed('model_not_found')],
  ['budget_exceeded', failed('budget_exceeded')],
  ['limit_exceeded', failed('limit_exceeded')],
  ['client_left', failed('client_closed', { stream: true })],
  ['client_left_mid_stream', failed('client_closed', { stream: true, contentSent: true })],
  ['request_timeout', failed('request_timeout')],
  ['upstream_refused', failed('payment_required')],
  ['rate_limited', failed('rate_limited')],
  ['upstream_error', failed('upstream_invalid')],
  ['upstream_unreachable', failed('upstream_connection')],
  ['upstream_timeout', failed('timeout')],
  ['stream_broken', failed('upstream_connection', { stream: true, contentSent: true })],
  ['unavailable', failed('overloaded')],
  ['internal', failed('internal')],
]

describe('the outcome of a call', () => {
  it('is one of twenty-five, of which each can be reached', () => {
    expect(Object.keys(callOutcomes)).toHaveLength(25)
    expect(new Set(cases.map(([outcome]) => outcome))).toEqual(new Set(Object.keys(callOutcomes)))
  })

  it.each(cases)('is %s', (outcome, given) => {
    expect(outcomeOf(given)).toBe(outcome)
    expect(callOutcomes[outcome]).toBe(given.error ? 'failure' : 'success')
  })

  it.each(Object.keys(failureRules))('counts every failure, such as %s, as a failure', (kind) => {
    const outcome = outcomeOf(failed(kind as FailureKind))
    expect(callOutcomes[outcome]).toBe('failure')
  })
})
