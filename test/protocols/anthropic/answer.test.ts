import { describe, expect, it } from 'vitest'
import { ChatCompletion } from '../../../src/wire/chat.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { assemble, decode, eventsOf, messageOf, streamChunks } from './exchange.js'

/** A whole answer, after a check that the same answer streamed comes to the same. */
function answered(content: readonly JsonObject[], rest: JsonObject = {}): ChatCompletion {
  const message = messageOf(content, rest)
  const whole = decode(message)
  expect(assemble(streamChunks(eventsOf(message)))).toEqual(whole)
  return ChatCompletion.parse(whole)
}

const text = (value: string): JsonObject => ({ type: 'text', text: value })
const use = (id: string, input: JsonObject = {}): JsonObject => ({ type: 'tool_use', id, name: 'f', input })

describe('a whole answer', () => {
  it('has exactly the shape of OpenAI', () => {
    expect(answered([text('Hello')])).toEqual({
      id: 'msg_01',
      object: 'chat.completion',
      created: 1_760_000_000,
      model: 'claude-sonnet-4-5-20250929',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hello',
            refusal: null,
            provider_specific_fields: { native_finish_reason: 'end_turn' },
          },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 15,
        prompt_tokens_details: { cached_tokens: 0, cache_creation_tokens: 0 },
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
      },
    })
  })

  it('finds text by its type, not by its place, and joins it', () => {
    const content = [{ type: 'fallback', from: {}, to: {} }, text('A'), text('B')]
    expect(answered(content).choices[0]?.message).toMatchObject({
      content: 'AB',
      provider_specific_fields: { other_blocks: [{ type: 'fallback' }] },
    })
  })

  it('holds tool calls with null content, arguments as text', () => {
    const message = answered([use('toolu_1', { a: [1, { b: 'ü' }] }), use('toolu_2')], { stop_reason: 'tool_use' })
    expect(message.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: null,
        tool_calls: [
          { id: 'toolu_1', type: 'function', function: { name: 'f', arguments: '{"a":[1,{"b":"ü"}]}' } },
          { id: 'toolu_2', type: 'function', function: { name: 'f', arguments: '{}' } },
        ],
      },
    })
  })

  it('holds thinking as text and as the blocks to send back', () => {
    const thinking = [
      { type: 'thinking', thinking: 'Hm. ', signature: 'sig1' },
      { type: 'redacted_thinking', data: 'AAA=' },
      { type: 'thinking', thinking: 'Ah.', signature: 'sig2' },
      { type: 'thinking', thinking: '', signature: 'sig3' },
    ]
    expect(answered([...thinking, text('Yes')]).choices[0]?.message).toMatchObject({
      content: 'Yes',
      reasoning_content: 'Hm. Ah.',
      thinking_blocks: thinking,
    })
  })

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['compaction', 'length'],
    ['refusal', 'content_filter'],
    ['something_new', 'stop'],
  ])('maps the stop reason %s to %s and keeps it', (native, reason) => {
    const [choice] = answered([text('x')], { stop_reason: native }).choices
    expect(choice?.finish_reason).toBe(reason)
    expect(choice?.message.provider_specific_fields).toMatchObject({ native_finish_reason: native })
  })

  it('keeps a cut tool call and says that it was cut', () => {
    const [choice] = answered([use('toolu_1', { half: 'a' })], { stop_reason: 'max_tokens' }).choices
    expect(choice).toMatchObject({
      finish_reason: 'length',
      message: { tool_calls: [{ function: { arguments: '{"half":"a"}' } }] },
    })
  })

  it('tells which stop sequence ended it, and why it was refused', () => {
    expect(
      answered([text('x')], { stop_reason: 'stop_sequence', stop_sequence: 'END' }).choices[0]?.message,
    ).toMatchObject({
      provider_specific_fields: { stop_sequence: 'END' },
    })
    const details = { type: 'refusal', category: 'cyber', explanation: 'No.' }
    const refused = decode(messageOf([], { stop_reason: 'refusal', stop_details: details }))
    expect(refused.choices[0]).toMatchObject({
      finish_reason: 'content_filter',
      message: { content: '', refusal: null, provider_specific_fields: { stop_details: details } },
    })
  })

  it('marks cited web pages in the text, and keeps every citation', () => {
    const web = {
      type: 'web_search_result_location',
      url: 'https://e.com',
      title: 'E',
      cited_text: 'c',
      encrypted_index: 'x',
    }
    const char = { type: 'char_location', cited_text: 'd', document_index: 0, start_char_index: 0, end_char_index: 1 }
    const content = [text('See '), { ...text('this'), citations: [web, char] }, text('.')]
    expect(answered(content).choices[0]?.message).toMatchObject({
      content: 'See this.',
      annotations: [
        { type: 'url_citation', url_citation: { start_index: 4, end_index: 8, url: 'https://e.com', title: 'E' } },
      ],
      provider_specific_fields: {
        citations: [
          { ...web, supported_text: 'this' },
          { ...char, supported_text: 'this' },
        ],
      },
    })
  })

  it('shows what the servers of Claude ran, but not as tool calls to answer', () => {
    const call = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } }
    const found = {
      type: 'web_search_tool_result',
      tool_use_id: 'srvtoolu_1',
      content: [{ type: 'web_search_result', url: 'u' }],
    }
    const ran = { type: 'code_execution_tool_result', tool_use_id: 'srvtoolu_2', content: {} }
    const [choice] = answered([call, found, ran, text('Done')]).choices
    expect(choice?.message).toMatchObject({
      provider_specific_fields: { server_tool_calls: [call], web_search_results: [found], tool_results: [ran] },
    })
    expect(choice?.message).not.toHaveProperty('tool_calls')
    expect(choice?.finish_reason).toBe('stop')
  })

  it('makes an id where the provider sends none', () => {
    const { id: _, model: __, ...anonymous } = messageOf([text('x')])
    expect(decode(anonymous)).toMatchObject({ id: 'chatcmpl-AbCdEfGhIjKlMnOpQrStUvWx', model: 'claude-sonnet-4-5' })
  })

  it('tells the service tier in the words of OpenAI', () => {
    expect(decode(messageOf([text('x')], { usage: { service_tier: 'standard' } })).service_tier).toBe('default')
    expect(decode(messageOf([text('x')], { usage: { service_tier: 'batch' } }))).not.toHaveProperty('service_tier')
  })
})

describe('a 200 that is no answer', () => {
  it('is the error that it holds', () => {
    const body = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
    expect(() => decode(body)).toThrow(
      expect.objectContaining({ kind: 'overloaded', upstream: expect.objectContaining({ status: 529 }) }),
    )
  })

  it.each([null, 'text', [], {}, { content: 'x' }])('is refused: %j', (body) => {
    expect(() => decode(body)).toThrow(expect.objectContaining({ kind: 'upstream_invalid', status: 502 }))
  })
})

describe('usage', () => {
  const usageOf = (usage: JsonObject): unknown => decode(messageOf([text('x')], { usage })).usage

  it('counts cached and cache-writing tokens as prompt tokens, and keeps their parts', () => {
    const creation = { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 10 }
    const usage = {
      input_tokens: 7,
      output_tokens: 11,
      cache_creation_input_tokens: 30,
      cache_read_input_tokens: 100,
      cache_creation: creation,
      server_tool_use: { web_search_requests: 2 },
      service_tier: null,
      speed: 'fast',
    }
    expect(usageOf({ ...usage, output_tokens_details: { thinking_tokens: 4 } })).toEqual({
      prompt_tokens: 137,
      completion_tokens: 11,
      total_tokens: 148,
      prompt_tokens_details: { cached_tokens: 100, cache_creation_tokens: 30 },
      completion_tokens_details: { reasoning_tokens: 4 },
      cache_creation_input_tokens: 30,
      cache_read_input_tokens: 100,
      cache_creation: creation,
      server_tool_use: { web_search_requests: 2 },
      speed: 'fast',
    })
  })

  it('adds passes of compaction, which the totals leave out', () => {
    const iterations = [
      { type: 'compaction', input_tokens: 1000, output_tokens: 50 },
      { type: 'message', input_tokens: 20, output_tokens: 5 },
    ]
    expect(usageOf({ input_tokens: 20, output_tokens: 5, iterations })).toMatchObject({
      prompt_tokens: 1020,
      completion_tokens: 55,
    })
  })

  it('is zero where the provider sends none', () => {
    expect(usageOf({})).toMatchObject({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 })
  })
})
