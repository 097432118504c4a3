import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import { gather } from '../openai/exchange.js'
import {
  callItem,
  decode,
  eventsOf,
  messageItem,
  push,
  readStream,
  reasoningItem,
  responseOf,
  stream,
} from './exchange.js'

const only = (events: readonly JsonObject[]) => {
  const chunks = readStream(events)
  const choice = gather(chunks).get(0)
  if (!choice) throw new Error('no choice')
  return { chunks, choice }
}

const rich = responseOf([
  reasoningItem(['First.', 'Second.']),
  messageItem('Looking.'),
  callItem('a', 'f', '{"x":1}'),
  callItem('b', 'g', '{}'),
])

describe('a streamed response', () => {
  it('adds up to the whole answer, with one role, one finish and the usage last', () => {
    const { chunks, choice } = only(eventsOf(rich))
    const whole = decode(rich)
    const message = whole.choices[0]?.message
    expect(choice).toEqual({
      roles: 1,
      content: message?.content,
      reasoning: message?.reasoning_content,
      refusal: '',
      calls: [
        { id: 'a', name: 'f', arguments: '{"x":1}' },
        { id: 'b', name: 'g', arguments: '{}' },
      ],
      finishes: ['tool_calls'],
    })
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: whole.usage })
    expect(new Set(chunks.map(({ id, created, model }) => [id, created, model].join())).size).toBe(1)
    expect(chunks.flatMap((chunk) => chunk.choices[0]?.delta.thinking_blocks ?? [])).toEqual(message?.thinking_blocks)
  })

  it('numbers calls from 0 although other items come before them', () => {
    const { chunks } = only(eventsOf(rich))
    const calls = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? [])
    expect(calls.filter(({ id }) => id).map(({ id, index }) => [id, index])).toEqual([
      ['a', 0],
      ['b', 1],
    ])
  })

  it('gives the same whatever the pieces', () => {
    const item = fc.oneof(
      fc.string({ minLength: 1 }).map((text) => messageItem(text)),
      fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 }).map((texts) => reasoningItem(texts)),
      fc.json().map((args) => callItem('id', 'f', args)),
    )
    fc.assert(
      fc.property(fc.array(item, { maxLength: 5 }), fc.integer({ min: 1, max: 9 }), (items, length) => {
        const response = responseOf(
          items.map((one, at) => ({ ...one, ...('call_id' in one && { call_id: `c${at}` }) })),
        )
        const { choice } = only(eventsOf(response, length))
        const { message, finish_reason } = decode(response).choices[0] ?? {}
        expect(choice.content).toBe(message?.content ?? '')
        expect(choice.reasoning).toBe(message?.reasoning_content ?? '')
        expect(choice.finishes).toEqual([finish_reason])
        expect(choice.calls.map(({ arguments: args }) => args)).toEqual(
          (message?.tool_calls ?? []).map((call) => call.function?.arguments),
        )
      }),
    )
  })

  it('recovers what was finished without having been streamed', () => {
    const { choice } = only([{ type: 'response.completed', response: rich }])
    expect(choice).toMatchObject({ content: 'Looking.', calls: [{ id: 'a' }, { id: 'b' }], finishes: ['tool_calls'] })
    const done = eventsOf(rich).filter(({ type }) => !String(type).endsWith('.delta'))
    expect(only(done).choice).toMatchObject({ content: 'Looking.', reasoning: 'First.\n\nSecond.' })
  })

  it('gives a call without arguments an empty object', () => {
    const response = responseOf([callItem('a', 'f', '')])
    expect(only(eventsOf(response)).choice.calls).toEqual([{ id: 'a', name: 'f', arguments: '{}' }])
  })

  it('goes on where a server numbers no items', () => {
    const events = eventsOf(rich).map((event) => {
      const { output_index: _index, ...rest } = event
      return rest
    })
    expect(only(events).choice).toMatchObject({ content: 'Looking.', calls: [{ id: 'a' }, { id: 'b' }] })
  })

  it('gives refusals, comments, custom calls and citations their places', () => {
    const annotations = [{ type: 'url_citation', start_index: 0, end_index: 2, url: 'https://a.example/', title: 'A' }]
    const response = responseOf([
      messageItem('I look.', { phase: 'commentary' }),
      messageItem('', {
        content: [
          { type: 'output_text', text: 'Hm, ' },
          { type: 'output_text', text: 'yes', annotations },
        ],
      }),
      messageItem('', { content: [{ type: 'refusal', refusal: 'No.' }] }),
      { type: 'custom_tool_call', id: 'ct', call_id: 'c', name: 'sql', input: 'select 1' },
    ])
    const { chunks, choice } = only(eventsOf(response))
    expect(choice).toMatchObject({ reasoning: 'I look.', content: 'Hm, yes', refusal: 'No.' })
    const deltas = chunks.flatMap((chunk) => chunk.choices.map(({ delta }) => delta))
    expect(deltas.flatMap((delta) => delta['annotations'] ?? [])).toEqual(
      decode(response).choices[0]?.message.annotations,
    )
    const calls = deltas.flatMap((delta) => delta.tool_calls ?? [])
    expect(calls[0]).toMatchObject({ index: 0, id: 'c', type: 'custom', custom: { name: 'sql' } })
    expect(calls.map(({ custom }) => (isObject(custom) ? custom['input'] : '')).join('')).toBe('select 1')
  })

  it('takes reasoning from one of two kinds of events that say the same', () => {
    const place = { output_index: 0, item_id: 'rs_1' }
    const decoder = stream()
    const chunks = push(
      decoder,
      { type: 'response.output_item.added', ...place, item: { type: 'reasoning', id: 'rs_1', summary: [] } },
      { type: 'response.reasoning_text.delta', ...place, content_index: 0, delta: 'Hm.' },
      { type: 'response.reasoning_summary_text.delta', ...place, summary_index: 0, delta: 'Hm.' },
    )
    expect(gather(chunks).get(0)?.reasoning).toBe('Hm.')
  })

  it("reads the thoughts of Perplexity's agent", () => {
    const chunks = push(stream(), { type: 'response.reasoning.started', thought: 'I search.' })
    expect(gather(chunks).get(0)?.reasoning).toBe('I search.')
  })

  it('carries log probabilities', () => {
    const logprobs = [{ token: 'Hi', logprob: -0.1, bytes: [72, 105], top_logprobs: [] }]
    const [chunk] = push(stream(), { type: 'response.output_text.delta', output_index: 0, delta: 'Hi', logprobs })
    expect(chunk?.choices[0]?.logprobs).toEqual({ content: logprobs, refusal: null })
  })

  it.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'content_filter'],
  ])('that ends early by %s says so', (reason, finish) => {
    const response = responseOf([messageItem('Hi')], { status: 'incomplete', incomplete_details: { reason } })
    expect(only(eventsOf(response)).choice.finishes).toEqual([finish])
  })

  it('is over after the terminal event', () => {
    const decoder = stream()
    push(decoder, ...eventsOf(rich).slice(0, -1))
    expect(decoder.progress).toBe('open')
    push(decoder, ...eventsOf(rich).slice(-1))
    expect(decoder.progress).toBe('terminated')
    expect(decoder.push({ event: '', data: '[DONE]', frame: undefined })).toEqual([])
    expect(decoder.end()).toEqual([])
  })
})

describe('a stream that fails', () => {
  it.each([
    [{ type: 'error', code: 'rate_limit_exceeded', message: 'Slow down.', param: null }, 'rate_limited'],
    [
      { type: 'error', error: { type: 'insufficient_quota', code: 'insufficient_quota', message: 'Slow down.' } },
      'payment_required',
    ],
    [
      { type: 'response.failed', response: { error: { code: 'server_error', message: 'Slow down.' } } },
      'upstream_error',
    ],
    [{ type: 'response.failed', error: { code: 429, message: 'Slow down.' } }, 'rate_limited'],
    [{ error: { code: 'rate_limit_exceeded', message: 'Slow down.' } }, 'rate_limited'],
  ])('with %j throws', (event, kind) => {
    expect(() => push(stream(), event)).toThrow(expect.objectContaining({ kind, message: 'Slow down.' }))
  })

  it('by its end throws, however much was said', () => {
    const decoder = stream()
    push(decoder, ...eventsOf(rich).slice(0, -1))
    expect(() => decoder.end()).toThrow(expect.objectContaining({ kind: 'stream_truncated' }))
  })

  it('by one broken event does not, by two does', () => {
    const decoder = stream()
    const broken = { event: '', data: '{', frame: undefined }
    expect(decoder.push(broken)).toEqual([])
    expect(() => decoder.push(broken)).toThrow(expect.objectContaining({ kind: 'upstream_invalid' }))
  })

  it('by a broken event throws once a call has begun', () => {
    const decoder = stream()
    const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'f', arguments: '' }
    push(decoder, { type: 'response.output_item.added', output_index: 0, item: call })
    expect(() => decoder.push({ event: '', data: '{', frame: undefined })).toThrow(
      expect.objectContaining({ kind: 'upstream_invalid' }),
    )
  })
})
