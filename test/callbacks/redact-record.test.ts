import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redactAttempt, redactRecord } from '../../src/callbacks/redact-record.js'
import { GatewayError } from '../../src/errors.js'
import { sampleFacts, sampleRecord } from './lab.js'

const redacted = (request: unknown) => redactRecord(sampleRecord({ request }), undefined).record.request

describe('a recorded body', () => {
  it('has no credentials, however deep, in whichever form', () => {
    const body = {
      api_key: 'plain-words',
      tools: [{ type: 'mcp', headers: { 'x-key': 'abc' }, authorization: 'xyz' }],
      messages: [{ content: 'use sk-abcdefghijklmnop1234 or AKIAIOSFODNN7EXAMPLE or Bearer abc.def-ghi_jkl' }],
    }
    expect(redacted(body)).toEqual({
      api_key: '***',
      tools: [{ type: 'mcp', headers: '***', authorization: '***' }],
      messages: [{ content: 'use *** or *** or ***' }],
    })
  })

  it('has media and vectors named, not copied', () => {
    const image = `data:image/png;base64,${'A'.repeat(5_000)}`
    const body = {
      image,
      audio: 'B'.repeat(4_096),
      embedding: Array.from({ length: 1_536 }, () => 0.5),
      bytes: new Uint8Array(9),
    }
    expect(redacted(body)).toEqual({
      image: 'data:image/png;base64,(5022 characters)',
      audio: '(4096 characters)',
      embedding: '(1536 numbers)',
      bytes: '(9 bytes)',
    })
  })

  it('comes with attempts and verdicts that tell no key either', () => {
    const key = 'sk-abcdefghijklmnop1234'
    const [attempt] = sampleFacts.attempts
    const failure = new GatewayError('upstream_error', `No such key: ${key}`)
    const attempts = attempt ? [{ ...attempt, failure }] : []
    const verdict = {
      guardrail: 'g',
      type: 'http',
      mode: 'pre_call',
      outcome: 'refused',
      counts: {},
      durationMs: 1,
    } as const
    const record = sampleRecord({ attempts, guardrails: [{ ...verdict, reason: `It holds ${key}` }] })
    const { record: cleaned } = redactRecord(record, undefined)
    expect(cleaned.attempts[0]?.error?.message).toBe('No such key: ***')
    expect(cleaned.guardrails[0]?.reason).toBe('It holds ***')
    expect(record.attempts[0] && redactAttempt(record.attempts[0]).error?.message).toBe('No such key: ***')
  })

  it('has an end, and changes nothing of the original', () => {
    const request = { messages: [{ content: 'x y '.repeat(100_000) }, { content: 'more' }] }
    const before = JSON.stringify(request)
    const { record, bytes } = redactRecord(sampleRecord({ request }), undefined)
    expect(JSON.stringify(record.request).length).toBeLessThan(66_000)
    expect(JSON.stringify(record.request)).toContain('characters left out')
    expect(bytes).toBeLessThan(160_000)
    expect(JSON.stringify(request)).toBe(before)
  })

  it('survives a cycle', () => {
    const cycle: Record<string, unknown> = { name: 'a' }
    cycle['self'] = cycle
    expect(JSON.stringify(redacted(cycle))).toContain('(left out)')
  })

  it('is what the host makes of it, and is left out where the host throws', () => {
    const masked = redactRecord(sampleRecord(), () => 'masked').record
    expect(masked).toMatchObject({ request: 'masked', response: 'masked' })
    const failing = redactRecord(sampleRecord(), () => {
      throw new Error('no')
    }).record
    expect(failing.request).toBeUndefined()
    expect(failing.response).toBeUndefined()
  })

  it('never weighs more than its limit, whatever it holds', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 3_000 }), (value, times) => {
        const request = { value, long: 'word '.repeat(times * 20) }
        const { record, bytes } = redactRecord(sampleRecord({ request, response: request }), undefined)
        expect(JSON.stringify(record).length).toBeLessThan(bytes + 10_000)
      }),
      { numRuns: 50 },
    )
  })
})

describe('labels of clients', () => {
  it('are no reason for a copy where they are clean, and never change the original', () => {
    const plain = sampleRecord({ metadata: undefined, request: undefined, response: undefined, attempts: [] })
    expect(redactRecord(plain, undefined).record).toBe(plain)
    const key = 'sk-abcdefghijklmnop1234'
    const told = sampleRecord({ tags: ['blue', key], endUser: key, request: undefined, response: undefined })
    const { record } = redactRecord(told, undefined)
    expect(record).toMatchObject({ tags: ['blue', '***'], endUser: '***', requestedModel: 'fast' })
    expect(told).toMatchObject({ tags: ['blue', key], endUser: key })
  })

  it('are cut, so that no label fills the memory', () => {
    const long = 'many words '.repeat(10_000)
    const { record } = redactRecord(
      sampleRecord({
        metadata: { a: long, token: 'sk-abcdefghijklmnop' },
        tags: [long],
        endUser: long,
        requestedModel: long,
        request: undefined,
        response: undefined,
      }),
      undefined,
    )
    expect(JSON.stringify(record).length).toBeLessThan(12_000)
    expect(JSON.stringify(record)).not.toContain('sk-abc')
  })
})
