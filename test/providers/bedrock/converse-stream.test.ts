import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toGatewayError } from '../../../src/errors.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { awsEvent, awsException } from '../../support/aws-event-stream.js'
import { claude, gather, startStream, streamChunks } from './exchange.js'

const start = awsEvent('messageStart', { role: 'assistant', p: 'abc' })
const delta = (index: number, value: JsonObject) =>
  awsEvent('contentBlockDelta', { contentBlockIndex: index, delta: value, p: 'abcd' })
const stop = (index: number) => awsEvent('contentBlockStop', { contentBlockIndex: index })
const end = (stopReason: string) => [
  awsEvent('messageStop', { stopReason }),
  awsEvent('metadata', { usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 }, metrics: { latencyMs: 1 } }),
]
const callStart = (index: number, toolUseId: string, name: string) =>
  awsEvent('contentBlockStart', { contentBlockIndex: index, start: { toolUse: { toolUseId, name } } })

const loop = [
  start,
  delta(0, { reasoningContent: { text: 'Hm, 北' } }),
  delta(0, { reasoningContent: { text: ' so' } }),
  delta(0, { reasoningContent: { signature: 'c2ln' } }),
  stop(0),
  delta(1, { text: 'Let me ' }),
  delta(1, { text: 'see 🙂.' }),
  stop(1),
  callStart(2, 't1', 'run'),
  delta(2, { toolUse: { input: '{"a"' } }),
  delta(2, { toolUse: { input: ':1}' } }),
  stop(2),
  callStart(3, 't2', 'rest'),
  stop(3),
  ...end('tool_use'),
]
const error = (pieces: readonly Buffer[]) => {
  try {
    streamChunks(pieces)
  } catch (thrown) {
    return toGatewayError(thrown)
  }
  throw new Error('nothing was thrown')
}

describe('a stream of Converse', () => {
  it('becomes chunks: role once, calls numbered and whole, one finish, usage last', () => {
    const chunks = streamChunks(loop)
    expect(chunks.map(({ choices }) => choices[0]?.delta.role).filter(Boolean)).toEqual(['assistant'])
    expect(new Set(chunks.map(({ id, model, created }) => `${id} ${model} ${created}`)).size).toBe(1)
    expect(gather(chunks)).toEqual({
      text: 'Let me see 🙂.',
      reasoning: 'Hm, 北 so',
      thinking: [{ type: 'thinking', thinking: 'Hm, 北 so', signature: 'c2ln' }],
      calls: [
        { id: 't1', name: 'run', arguments: '{"a":1}' },
        { id: 't2', name: 'rest', arguments: '{}' },
      ],
      finish: ['tool_calls'],
      usage: expect.objectContaining({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }),
    })
    expect(chunks.at(-1)?.choices).toEqual([])
    expect(chunks[0]?.model).toBe(claude)
  })

  it('is the same however its bytes are cut (case 30)', () => {
    const bytes = Buffer.concat(loop)
    const whole = JSON.stringify(streamChunks([bytes]))
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 40 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        const pieces = places.slice(1).map((to, index) => bytes.subarray(places[index], to))
        expect(JSON.stringify(streamChunks(pieces))).toBe(whole)
      }),
      { numRuns: 50 },
    )
    expect(JSON.stringify(streamChunks(Array.from(bytes, (byte) => Buffer.from([byte]))))).toBe(whole)
  })

  it('gives redacted reasoning and tools of the servers when they are whole', () => {
    const chunks = streamChunks([
      start,
      delta(0, { reasoningContent: { redactedContent: Buffer.from('ab').toString('base64') } }),
      delta(0, { reasoningContent: { redactedContent: Buffer.from('c').toString('base64') } }),
      stop(0),
      awsEvent('contentBlockStart', {
        contentBlockIndex: 1,
        start: { toolUse: { toolUseId: 's1', name: 'nova_grounding', type: 'server_tool_use' } },
      }),
      stop(1),
      awsEvent('contentBlockStart', {
        contentBlockIndex: 2,
        start: { toolResult: { toolUseId: 's1', type: 'nova_grounding_result' } },
      }),
      delta(2, { toolResult: [{ json: { a: 1 } }] } as JsonObject),
      stop(2),
      delta(3, { text: 'Blue.' }),
      delta(3, { citation: { title: 'A', location: { web: { url: 'https://example.com' } } } }),
      stop(3),
      ...end('end_turn'),
    ])
    const gathered = gather(chunks)
    expect(gathered).toMatchObject({ text: 'Blue.', calls: [], finish: ['stop'] })
    expect(gathered.thinking).toEqual([{ type: 'redacted_thinking', data: Buffer.from('abc').toString('base64') }])
    const said = JSON.stringify(chunks)
    expect(said).toContain('"tool_results":[{"type":"server_tool_result","tool_use_id":"s1"')
    expect(said).toContain('"url":"https://example.com"')
  })

  it('streams the arguments of a synthetic tool as the answer', () => {
    const request = {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'x', schema: { type: 'object', properties: { a: {} } } },
      },
    }
    const chunks = streamChunks(
      [
        start,
        callStart(0, 't', 'json_tool_call'),
        delta(0, { toolUse: { input: '{"a":1}' } }),
        stop(0),
        ...end('tool_use'),
      ],
      request,
      { model: 'amazon.nova-lite-v1:0' },
    )
    expect(gather(chunks)).toMatchObject({ text: '{"a":1}', calls: [], finish: ['stop'] })
  })

  it('ends in the error that an exception tells (case 30)', () => {
    const kinds = [
      'throttlingException',
      'modelStreamErrorException',
      'validationException',
      'serviceUnavailableException',
      'internalServerException',
      'modelTimeoutException',
    ]
    expect(kinds.map((kind) => error([start, awsException(kind, 'Too much.')]).kind)).toEqual([
      'rate_limited',
      'upstream_error',
      'invalid_request',
      'unavailable',
      'upstream_error',
      'timeout',
    ])
    expect(error([awsException('throttlingException', 'Too much.')])).toMatchObject({
      message: 'Too much.',
      upstream: { provider: 'bedrock', status: 429 },
    })
  })

  it('without its end is an error, cut within a message or between two', () => {
    const bytes = Buffer.concat(loop.slice(0, -2))
    expect(error([bytes]).kind).toBe('stream_truncated')
    expect(error([bytes.subarray(0, -3)]).kind).toBe('stream_truncated')
  })

  it('tells how far it is: finished with the stop, over with the usage', () => {
    const decoder = startStream()
    const push = (event: string, payload: JsonObject) =>
      decoder.push({ event, data: JSON.stringify(payload), frame: undefined })
    push('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'x' } })
    expect(decoder.progress).toBe('open')
    push('messageStop', { stopReason: 'end_turn' })
    expect(decoder.progress).toBe('finished')
    push('metadata', { usage: { inputTokens: 1, outputTokens: 1 } })
    expect(decoder.progress).toBe('terminated')
    expect(decoder.end()).toEqual([])
  })

  it('is whole without metadata too, but for the usage', () => {
    const chunks = streamChunks([start, delta(0, { text: 'x' }), awsEvent('messageStop', { stopReason: 'max_tokens' })])
    expect(gather(chunks)).toMatchObject({ text: 'x', finish: ['length'] })
  })

  it('lets unknown events pass', () => {
    const chunks = streamChunks([
      start,
      awsEvent('somethingNew', { a: 1 }),
      delta(0, { text: 'x' }),
      ...end('end_turn'),
    ])
    expect(gather(chunks).text).toBe('x')
  })

  it('lets one broken event pass, no second one, and none once a call has begun', () => {
    const broken = { event: 'contentBlockDelta', data: '{"delta":', frame: undefined }
    const invalid = expect.objectContaining({ kind: 'upstream_invalid' })
    const decoder = startStream()
    expect(decoder.push(broken)).toEqual([])
    expect(() => decoder.push(broken)).toThrow(invalid)
    const calling = startStream()
    const begun = { contentBlockIndex: 0, start: { toolUse: { toolUseId: 't1', name: 'run' } } }
    calling.push({ event: 'contentBlockStart', data: JSON.stringify(begun), frame: undefined })
    expect(() => calling.push(broken)).toThrow(invalid)
  })
})
