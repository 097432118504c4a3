import { describe, expect, it } from 'vitest'
import { keepsBodies, prepareRecord, toTraceParent } from '../../src/callbacks/index.js'
import { GatewayError } from '../../src/errors.js'
import type { GuardrailVerdict } from '../../src/ports/hooks.js'
import { CallTrail } from '../../src/router/trail.js'
import { deploymentOf } from '../support/deployment.js'
import { failedRecord, sampleFacts, sampleRecord, sampleRow, startedAt } from './lab.js'

describe('the record of a call', () => {
  it('is the same whenever it is made, whatever becomes of the caller, the request and the attempts', () => {
    const caller = { id: 'alice', scopes: [{ kind: 'key' as const, id: 'k' }] }
    const tags = ['blue']
    const metadata: Record<string, string> = { session_id: 'sess-1' }
    const running = { ...sampleFacts.attempts[0], outcome: 'running', endedAt: undefined, failure: undefined }
    const attempts = [running as (typeof sampleFacts.attempts)[number]]
    const guardrails: GuardrailVerdict[] = []
    const own = { caller, tags, metadata, attempts, guardrails }
    const atOnce = sampleRecord(own)
    const make = prepareRecord({ ...sampleFacts, ...own })
    Object.assign(caller, { id: 'mallory' })
    Object.assign(caller.scopes[0] ?? {}, { id: 'other' })
    caller.scopes.push({ kind: 'key', id: 'late' })
    tags.push('late')
    metadata['session_id'] = 'late'
    Object.assign(running, { outcome: 'failed', endedAt: startedAt + 9_999 })
    attempts.push(running as (typeof sampleFacts.attempts)[number])
    guardrails.push({ guardrail: 'g', type: 't', mode: 'pre_call', outcome: 'refused', counts: {}, durationMs: 1 })
    expect(make()).toEqual(atOnce)
    expect(make()).toEqual(atOnce)
    expect(atOnce.attempts[0]?.outcome).toBe('cancelled')
  })

  it('has the error as it was, whatever the host makes of the one that it catches', () => {
    const error = new GatewayError('timeout', 'Too slow.', { code: 'upstream_timeout' })
    const make = prepareRecord({ ...sampleFacts, ending: { error, stream: false, contentSent: false } })
    Object.assign(error, { message: 'Chat failed: Too slow.', kind: 'internal', code: 'mine', status: 418 })
    expect(make()).toMatchObject({
      outcome: 'upstream_timeout',
      error: { kind: 'timeout', status: 504, code: 'upstream_timeout', message: 'Too slow.' },
    })
  })

  it('tells who asked whom for what, how it went and what it cost', () => {
    const { request: _request, response: _response, ...record } = sampleRecord()
    expect(record).toEqual({
      guardrails: [],
      id: 'rec_0001',
      callId: 'req_abc',
      trace: undefined,
      sessionId: 'sess-1',
      operation: 'chat',
      stream: true,
      status: 'success',
      outcome: 'streamed',
      error: undefined,
      requestedModel: 'fast',
      modelName: 'fast',
      deployment: 'dep-b',
      provider: 'anthropic',
      model: 'claude-haiku-4-5',
      caller: 'alice',
      scopes: [
        { kind: 'team', id: 'red' },
        { kind: 'key', id: 'key-hash' },
      ],
      tags: ['blue'],
      endUser: 'customer-7',
      metadata: { session_id: 'sess-1', feature: 'search' },
      usage: { inputUncached: 100, cacheRead: 20, outputText: 40, reasoning: 10, images: 3 },
      inputTokens: 120,
      outputTokens: 50,
      cost: '0.00035',
      charged: '0.00042',
      priced: true,
      estimated: false,
      cached: false,
      priceLines: [{ bucket: 'inputUncached', quantity: 100, cost: '0.0001' }],
      startedAt,
      firstTokenAt: startedAt + 500,
      endedAt: startedAt + 1_600,
      attempts: [
        {
          deployment: 'dep-a',
          provider: 'openai',
          model: 'gpt-4o-mini',
          modelName: 'fast',
          reason: 'first',
          outcome: 'failed',
          sent: true,
          startedAt: startedAt + 50,
          firstTokenAt: undefined,
          endedAt: startedAt + 150,
          error: { kind: 'rate_limited', status: 429, code: 'rate_limit_exceeded', message: 'Slow down.' },
          cost: undefined,
        },
        {
          deployment: 'dep-b',
          provider: 'anthropic',
          model: 'claude-haiku-4-5',
          modelName: 'fast',
          reason: 'reroute',
          outcome: 'answered',
          sent: true,
          startedAt: startedAt + 200,
          firstTokenAt: startedAt + 500,
          endedAt: startedAt + 1_500,
          error: undefined,
          cost: '0.00035',
        },
      ],
    })
  })

  it('adds up every billed attempt, and gives each its own row', () => {
    const [first, second] = sampleFacts.attempts
    const retried = [first, second].flatMap((attempt) =>
      attempt ? [{ ...attempt, target: { id: 'dep-b', provider: 'p', model: 'm' } }] : [],
    )
    const earlier = {
      ...sampleRow,
      id: 'row0',
      at: startedAt + 150,
      latencyMs: 100,
      cost: 1n,
      charged: 1n,
      priced: false,
    }
    const record = sampleRecord({ attempts: retried, rows: [sampleRow, earlier] })
    expect(record.attempts.map(({ cost }) => cost)).toEqual(['0.000000000001', '0.00035'])
    expect(record).toMatchObject({ cost: '0.000350000001', inputTokens: 240, priced: false })
  })

  it('knows the error, and the last deployment, of a call that failed', () => {
    expect(failedRecord()).toMatchObject({
      status: 'failure',
      outcome: 'upstream_timeout',
      error: { kind: 'timeout', status: 504, code: 'upstream_timeout' },
      cost: '0',
      deployment: 'dep-b',
      firstTokenAt: undefined,
    })
  })

  it('knows who made an answer that came from the cache', () => {
    const ending = { error: undefined, stream: false, contentSent: false, source: 'cache' as const }
    const rows = [{ ...sampleRow, cached: true, usage: {}, cost: 0n, charged: 0n }]
    const record = sampleRecord({ ending, attempts: [], rows })
    expect(record).toMatchObject({
      outcome: 'cached',
      cached: true,
      cost: '0',
      deployment: 'dep-b',
      provider: 'anthropic',
    })
  })

  it('counts an attempt that never ended as cancelled', () => {
    const [first] = sampleFacts.attempts
    const attempts = first ? [{ ...first, outcome: 'running' as const, endedAt: undefined, failure: undefined }] : []
    expect(sampleRecord({ attempts }).attempts[0]).toMatchObject({ outcome: 'cancelled', endedAt: startedAt + 1_600 })
  })

  it("is made from the router's own trail", () => {
    const trail = new CallTrail()
    const target = deploymentOf()
    const entry = trail.begin({ target, modelName: 'fast', reason: 'first', startedAt })
    Object.assign(entry, { outcome: 'answered', sent: true, endedAt: startedAt + 10, firstTokenMs: 5 })
    expect(sampleRecord({ attempts: trail.entries, rows: [] })).toMatchObject({
      deployment: target.id,
      provider: target.provider,
      firstTokenAt: startedAt + 5,
      cost: '0',
    })
  })

  it('takes the session of a scope where the request names none', () => {
    const caller = { id: 'alice', scopes: [{ kind: 'session' as const, id: 's-9' }] }
    expect(sampleRecord({ metadata: undefined, caller }).sessionId).toBe('s-9')
  })
})

describe('bodies', () => {
  it('are kept only where they are switched on and nobody opts out', () => {
    expect(keepsBodies(true, {}, {})).toBe(true)
    expect(keepsBodies(false, {}, {})).toBe(false)
    expect(keepsBodies(true, { 'no-log': true }, {})).toBe(false)
    expect(keepsBodies(true, {}, { metadata: { 'no-log': true } })).toBe(false)
  })

  it('are kept by scope where the caller is one whose bodies are wanted', () => {
    const metadata = { 'log-bodies': true }
    expect(keepsBodies('by_scope', {}, { metadata })).toBe(true)
    expect(keepsBodies('by_scope', {}, {})).toBe(false)
    expect(keepsBodies('by_scope', {}, { metadata: { 'log-bodies': false } })).toBe(false)
    expect(keepsBodies('by_scope', {}, { metadata: { ...metadata, 'no-log': true } })).toBe(false)
    expect(keepsBodies('by_scope', { 'no-log': true }, { metadata })).toBe(false)
    expect(keepsBodies(false, {}, { metadata })).toBe(false)
  })
})

describe('traceparent', () => {
  const [traceId, spanId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7']

  it('is read as W3C writes it', () => {
    expect(toTraceParent(`00-${traceId}-${spanId}-01`)).toEqual({ traceId, spanId, flags: 1 })
    expect(toTraceParent(`01-${traceId}-${spanId}-00-more`)).toEqual({ traceId, spanId, flags: 0 })
  })

  it.each([
    undefined,
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
  ])('is nothing where it is %s', (header) => {
    expect(toTraceParent(header)).toBeUndefined()
  })
})
