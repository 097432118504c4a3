import { describe, expect, it } from 'vitest'
import { ChatChunk } from '../../../src/wire/chat.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { assemble, eventsOf, messageOf, startStream, streamChunks } from './exchange.js'

const start = (usage: JsonObject = { input_tokens: 12, cache_read_input_tokens: 3, output_tokens: 1 }): JsonObject => ({
  type: 'message_start',
  message: { id: 'msg_9', type: 'message', role: 'assistant', model: 'claude-x', content: [], usage },
})
const open = (index: number, block: JsonObject): JsonObject => ({
  type: 'content_block_start',
  index,
  content_block: block,
})
const add = (index: number, delta: JsonObject): JsonObject => ({ type: 'content_block_delta', index, delta })
const close = (index: number): JsonObject => ({ type: 'content_block_stop', index })
const stop = (reason: string | null, usage: JsonObject = { output_tokens: 7 }): JsonObject => ({
  type: 'message_delta',
  delta: { stop_reason: reason, stop_sequence: null },
  usage,
})
const end = { type: 'message_stop' }
const textDelta = (text: string): JsonObject => ({ type: 'text_delta', text })
const jsonDelta = (json: string): JsonObject => ({ type: 'input_json_delta', partial_json: json })
const hello = [open(0, { type: 'text', text: '' }), add(0, textDelta('Hel')), add(0, textDelta('lo')), close(0)]

const push = (decoder: ReturnType<typeof startStream>, event: JsonObject): number =>
  decoder.push({ event: '', data: JSON.stringify(event), frame: undefined }).length

describe('a streamed answer', () => {
  it('is chunks of one identity: role first, one finish, usage last', () => {
    const chunks = streamChunks([start(), { type: 'ping' }, ...hello, stop('end_turn'), end])
    const rest = { id: 'msg_9', object: 'chat.completion.chunk', created: 1_760_000_000, model: 'claude-x' }
    const delta = (content: JsonObject): JsonObject => ({
      ...rest,
      choices: [{ index: 0, delta: content, finish_reason: null }],
    })
    const native = { provider_specific_fields: { native_finish_reason: 'end_turn' } }
    expect(chunks).toEqual([
      delta({ role: 'assistant', content: 'Hel' }),
      delta({ content: 'lo' }),
      { ...rest, choices: [{ index: 0, delta: native, finish_reason: 'stop' }] },
      {
        ...rest,
        choices: [],
        usage: expect.objectContaining({ prompt_tokens: 15, completion_tokens: 7, total_tokens: 22 }),
      },
    ])
    for (const chunk of chunks) ChatChunk.parse(chunk)
  })

  it('gives parallel calls their own indexes, whatever stands between', () => {
    const chunks = streamChunks([
      start(),
      ...hello,
      open(1, { type: 'tool_use', id: 'toolu_a', name: 'f', input: {} }),
      add(1, jsonDelta('')),
      add(1, jsonDelta('{"x":')),
      add(1, jsonDelta('1}')),
      close(1),
      open(2, { type: 'text', text: 'and' }),
      close(2),
      open(3, { type: 'tool_use', id: 'toolu_b', name: 'g', input: {} }),
      close(3),
      stop('tool_use'),
      end,
    ])
    expect(chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? [])).toEqual([
      { index: 0, id: 'toolu_a', type: 'function', function: { name: 'f', arguments: '' } },
      { index: 0, function: { arguments: '{"x":' } },
      { index: 0, function: { arguments: '1}' } },
      { index: 1, id: 'toolu_b', type: 'function', function: { name: 'g', arguments: '' } },
      { index: 1, function: { arguments: '{}' } },
    ])
    expect(assemble(chunks).choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: 'Helloand' } })
  })

  it('takes arguments that come whole with the start of the call', () => {
    const block = { type: 'tool_use', id: 'toolu_a', name: 'f', input: { x: 1 } }
    const answer = assemble(streamChunks([start(), open(0, block), close(0), stop('tool_use'), end]))
    expect(answer.choices[0]?.message.tool_calls).toMatchObject([{ function: { arguments: '{"x":1}' } }])
  })

  it('keeps the arguments of a call that max_tokens cut', () => {
    const block = { type: 'tool_use', id: 'toolu_a', name: 'f', input: {} }
    const events = [start(), open(0, block), add(0, jsonDelta('{"x": "ab')), close(0), stop('max_tokens'), end]
    expect(assemble(streamChunks(events)).choices[0]).toMatchObject({
      finish_reason: 'length',
      message: { tool_calls: [{ function: { arguments: '{"x": "ab' } }] },
    })
  })

  it('streams thinking as text and gives each block once, whole, when it ends', () => {
    const deltas = streamChunks([
      start(),
      open(0, { type: 'thinking', thinking: '', signature: '' }),
      add(0, { type: 'thinking_delta', thinking: 'Let ' }),
      add(0, { type: 'thinking_delta', thinking: 'me.' }),
      add(0, { type: 'signature_delta', signature: 'c2ln' }),
      close(0),
      open(1, { type: 'redacted_thinking', data: 'AAA=' }),
      close(1),
      stop('end_turn'),
      end,
    ]).map((chunk) => chunk.choices[0]?.delta)
    expect(deltas.slice(0, 4)).toEqual([
      { role: 'assistant', reasoning_content: 'Let ' },
      { reasoning_content: 'me.' },
      { thinking_blocks: [{ type: 'thinking', thinking: 'Let me.', signature: 'c2ln' }] },
      { thinking_blocks: [{ type: 'redacted_thinking', data: 'AAA=' }] },
    ])
  })

  it('gives calls of the servers whole, when they end', () => {
    const call = { type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'ask', server_name: 's', input: {} }
    const chunks = streamChunks([
      start(),
      open(0, call),
      add(0, jsonDelta('{"q"')),
      add(0, jsonDelta(':1}')),
      close(0),
      stop('end_turn'),
      end,
    ])
    expect(chunks[0]?.choices[0]?.delta).toMatchObject({
      provider_specific_fields: { server_tool_calls: [{ ...call, input: { q: 1 } }] },
    })
  })

  it('ignores pings and events that are newer than this code', () => {
    const news = [{ type: 'ping' }, { type: 'news' }, add(7, textDelta('lost')), add(0, { type: 'new_delta' })]
    const chunks = streamChunks([start(), ...news, ...hello, ...news, stop('end_turn'), end])
    expect(assemble(chunks).choices[0]?.message.content).toBe('Hello')
  })

  it('ignores what comes after the end', () => {
    const decoder = startStream()
    for (const event of [start(), ...hello, stop('end_turn'), end]) push(decoder, event)
    expect(decoder.push({ event: 'data', data: '[DONE]', frame: undefined })).toEqual([])
    expect(push(decoder, stop('end_turn'))).toBe(0)
    expect(decoder.end()).toEqual([])
  })
})

describe('usage in a stream', () => {
  const usageOf = (first: JsonObject, ...later: readonly JsonObject[]): unknown =>
    streamChunks([start(first), ...hello, ...later.map((usage) => stop('end_turn', usage)), end]).at(-1)?.usage

  it('joins start and delta without adding anything twice', () => {
    const first = { input_tokens: 100, cache_read_input_tokens: 50, cache_creation_input_tokens: 20, output_tokens: 1 }
    const expected = { prompt_tokens: 170, completion_tokens: 9, total_tokens: 179, cache_read_input_tokens: 50 }
    expect(usageOf(first, { output_tokens: 9 })).toMatchObject(expected)
    expect(usageOf(first, { ...first, output_tokens: 9 })).toMatchObject(expected)
    expect(usageOf(first, { output_tokens: 4 }, { output_tokens: 9 })).toMatchObject(expected)
  })

  it('takes back the first token of an answer that is refused', () => {
    const first = { input_tokens: 20, output_tokens: 1 }
    expect(usageOf(first, { output_tokens: 0 })).toMatchObject({ completion_tokens: 0, total_tokens: 20 })
  })

  it('takes later counts, but no null and no zero for a known one', () => {
    const first = { input_tokens: 10, output_tokens: 1 }
    expect(usageOf(first, { input_tokens: 300, output_tokens: 5 })).toMatchObject({ prompt_tokens: 300 })
    expect(usageOf(first, { input_tokens: 0, cache_read_input_tokens: null, output_tokens: 5 })).toMatchObject({
      prompt_tokens: 10,
    })
  })
})

describe('the end of a stream', () => {
  it.each([
    ['nothing', []],
    ['the start', [start()]],
    ['half the text', [start(), ...hello.slice(0, 2)]],
    ['all text without a stop reason', [start(), ...hello]],
    ['the last event, but no stop reason', [start(), ...hello, stop(null), end]],
  ])('after %s is an error', (_, events) => {
    expect(() => streamChunks(events)).toThrow(expect.objectContaining({ kind: 'stream_truncated', status: 502 }))
  })

  it('is complete with a stop reason, also where the last event is missing', () => {
    const chunks = streamChunks([start(), ...hello, stop('max_tokens')])
    expect(assemble(chunks).choices[0]?.finish_reason).toBe('length')
    expect(chunks.at(-1)?.usage).toMatchObject({ completion_tokens: 7 })
  })

  it('is told while it comes', () => {
    const decoder = startStream()
    expect(decoder.progress).toBe('open')
    for (const event of [start(), ...hello]) push(decoder, event)
    expect(decoder.progress).toBe('open')
    push(decoder, stop('end_turn'))
    expect(decoder.progress).toBe('finished')
    push(decoder, end)
    expect(decoder.progress).toBe('terminated')
  })
})

describe('an error inside a stream', () => {
  it.each([
    ['overloaded_error', 'Overloaded', 'overloaded', 529],
    ['rate_limit_error', 'Slow down', 'rate_limited', 429],
    ['invalid_request_error', 'prompt is too long: 9 > 8', 'context_window', 400],
    ['api_error', 'Internal server error', 'upstream_error', 500],
  ])('%s is thrown as what it is', (type, message, kind, status) => {
    const decoder = startStream()
    push(decoder, start())
    expect(() => push(decoder, { type: 'error', error: { type, message } })).toThrow(
      expect.objectContaining({ kind, message, upstream: expect.objectContaining({ status, type }) }),
    )
  })

  it('that is no JSON is skipped once', () => {
    const decoder = startStream()
    const broken = { event: '', data: '{"type":', frame: undefined }
    expect(decoder.push(broken)).toEqual([])
    expect(() => decoder.push(broken)).toThrow(expect.objectContaining({ kind: 'upstream_invalid' }))
  })

  it('that is no JSON is an error once a call has begun, also after its end', () => {
    const decoder = startStream()
    const block = { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }
    push(decoder, start())
    push(decoder, { type: 'content_block_start', index: 0, content_block: block })
    push(decoder, { type: 'content_block_stop', index: 0 })
    expect(() => decoder.push({ event: '', data: '{"type":', frame: undefined })).toThrow(
      expect.objectContaining({ kind: 'upstream_invalid' }),
    )
  })
})

it('starts an empty answer with a role, too', () => {
  const chunks = streamChunks(eventsOf(messageOf([], { stop_reason: 'refusal' })))
  expect(chunks[0]?.choices[0]).toMatchObject({ delta: { role: 'assistant' }, finish_reason: 'content_filter' })
})
