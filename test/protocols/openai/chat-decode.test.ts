import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/errors.js'
import type { Quirks } from '../../../src/protocols/openai/quirks.js'
import { ChatCompletion, type ChatRequest } from '../../../src/wire/chat.js'
import { expectValid } from '../../oracle/openai-schema.js'
import { codecOf, deepFreeze, exchangeOf } from './exchange.js'

const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
const message = { role: 'assistant', content: 'hello', refusal: null }

const answer = (changes: object = {}, choice: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_740_000_000,
  model: 'acme-large',
  choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop', ...choice }],
  usage,
  ...changes,
})

const decode = (body: unknown, quirks: Quirks = {}, fields: Partial<ChatRequest> = {}) => {
  const request: ChatRequest = { model: 'fast', messages: [{ role: 'user', content: 'hi' }], ...fields }
  return codecOf('chat', quirks).decode(deepFreeze(body), exchangeOf<'chat'>(request))
}

const decodeMessage = (changes: object, finish: unknown = 'stop', quirks: Quirks = {}) => {
  const decoded = decode(answer({}, { message: { ...message, ...changes }, finish_reason: finish }), quirks)
  expect(ChatCompletion.safeParse(decoded).error).toBeUndefined()
  expectValid('CreateChatCompletionResponse', decoded)
  return decoded.choices[0]
}

const failure = (body: unknown, quirks: Quirks = {}): GatewayError => {
  try {
    decode(body, quirks)
  } catch (error) {
    if (GatewayError.isInstance(error)) return error
    throw error
  }
  throw new Error('no failure')
}

describe('an answer in OpenAI’s own shape', () => {
  it('is given back as the very object it is, so that its bytes can be forwarded', () => {
    const whole = answer({
      system_fingerprint: 'fp',
      service_tier: 'default',
      usage: {
        ...usage,
        prompt_tokens_details: { cached_tokens: 1 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    })
    expect(decode(whole)).toBe(whole)
    const called = answer(
      {},
      {
        message: {
          ...message,
          content: null,
          annotations: [],
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        finish_reason: 'tool_calls',
      },
    )
    expect(decode(called)).toBe(called)
  })

  it('keeps every member that we do not know', () => {
    const whole = answer({ citations: ['https://x'], provider: 'p' }, { seed: 1, message: { ...message, x: 1 } })
    expect(decode(whole)).toBe(whole)
    expect(decode({ ...whole, id: '' })).toMatchObject({ citations: ['https://x'], provider: 'p' })
  })
})

describe('an answer with gaps', () => {
  it('is completed', () => {
    const decoded = decode({ choices: [{ message: { content: 'hello' }, finish_reason: null }] })
    expect(decoded).toEqual({
      id: 'chatcmpl-abcdefghijklmnopqrstuvwx',
      object: 'chat.completion',
      created: 1_750_000_000,
      model: 'acme-large',
      choices: [{ index: 0, message, finish_reason: 'stop', logprobs: null }],
    })
    expectValid('CreateChatCompletionResponse', decoded)
    expect(decode(answer({ created: 1_740_000_000.7, system_fingerprint: null }))).toMatchObject({
      created: 1_740_000_000,
    })
  })

  it('has text where the server answered a value or the older text', () => {
    expect(decodeMessage({ content: { a: 1 } })?.message.content).toBe('{"a":1}')
    expect(decode({ choices: [{ text: 'old', finish_reason: 'stop' }] }).choices[0]?.message.content).toBe('old')
  })

  // Case 39.
  it('has no nulls where OpenAI has nothing', () => {
    const choice = decodeMessage({
      tool_calls: null,
      function_call: null,
      reasoning: null,
      reasoning_content: null,
      annotations: null,
    })
    expect(choice?.message).toEqual(message)
    expect(decodeMessage({ tool_calls: [], function_call: { name: '', arguments: '' } })?.message).toEqual(message)
  })
})

describe('the finish reason', () => {
  it.each([
    ['stop', 'stop', undefined],
    ['length', 'length', undefined],
    ['model_length', 'length', 'model_length'],
    ['eos_token', 'stop', 'eos_token'],
    ['sensitive', 'content_filter', 'sensitive'],
    ['', 'stop', undefined],
    ['tool_calls', 'stop', undefined],
  ])('%j is %s, and a foreign word is kept', (native, mapped, kept) => {
    const choice = decodeMessage({}, native)
    expect(choice?.finish_reason).toBe(mapped)
    expect(choice?.message.provider_specific_fields?.['native_finish_reason']).toBe(kept)
  })

  it.each(['stop', '', null, 'tool_call', 'eos'])(
    'is tool_calls where tools are called and the server says %j',
    (native) => {
      const calls = [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }]
      expect(decodeMessage({ content: null, tool_calls: calls }, native)?.finish_reason).toBe('tool_calls')
      expect(decodeMessage({ content: null, tool_calls: calls }, 'length')?.finish_reason).toBe('length')
    },
  )
})

describe('reasoning', () => {
  // Case 37.
  it('has one name', () => {
    const decoded = decodeMessage({ reasoning: 'why', reasoning_details: [{ type: 'reasoning.text', text: 'why' }] })
    expect(decoded?.message).toEqual({
      ...message,
      reasoning_content: 'why',
      reasoning_details: [{ type: 'reasoning.text', text: 'why' }],
    })
    expect(decodeMessage({ reasoning_content: 'why' })?.message.reasoning_content).toBe('why')
    expect(decodeMessage({ reasoning: 'why', reasoning_content: 'why' })?.message).not.toHaveProperty('reasoning')
  })

  it('is taken out of lists of parts', () => {
    const content = [
      {
        type: 'thinking',
        thinking: [
          { type: 'text', text: 'let me ' },
          { type: 'text', text: 'see' },
        ],
      },
      { type: 'reasoning', summary: [{ type: 'summary_text', text: '.' }] },
      { type: 'text', text: 'hel' },
      { type: 'reference', reference_ids: [1] },
      { type: 'text', text: 'lo' },
    ]
    expect(decodeMessage({ content })?.message).toEqual({ ...message, reasoning_content: 'let me see.' })
  })

  it('is taken out of think tags only where the provider is known to write them', () => {
    const content = '<think>\nhm</think>\n\nhello'
    expect(decodeMessage({ content })?.message.content).toBe(content)
    const { message: split } = decodeMessage({ content }, 'stop', { thinkTags: true }) ?? {}
    expect(split).toMatchObject({ content: 'hello', reasoning_content: '\nhm' })
    expect(decodeMessage({ content: 'a <think>b</think>' }, 'stop', { thinkTags: true })?.message.content).toBe(
      'a <think>b</think>',
    )
  })
})

describe('tool calls', () => {
  it('have ids, types and arguments as text', () => {
    const calls = [
      { function: { name: 'a', arguments: { x: 1 } } },
      { id: '', type: 'function', function: { name: 'b', arguments: '' } },
      { id: 'c', type: 'function', function: { name: 'c' } },
      { id: 0, function: { name: 'd', parameters: { y: 2 } } },
    ]
    expect(decodeMessage({ content: null, tool_calls: calls })?.message.tool_calls).toEqual([
      { id: 'call_abcdefghijklmnopqrstuvwx_0', type: 'function', function: { name: 'a', arguments: '{"x":1}' } },
      { id: 'call_abcdefghijklmnopqrstuvwx_1', type: 'function', function: { name: 'b', arguments: '{}' } },
      { id: 'c', type: 'function', function: { name: 'c', arguments: '{}' } },
      { id: 'call_abcdefghijklmnopqrstuvwx_3', type: 'function', function: { name: 'd', arguments: '{"y":2}' } },
    ])
  })

  it('of the stand-in for a JSON schema are the content', () => {
    const response_format = { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } }
    const tool = (name: string, text: string) => ({ id: name, type: 'function', function: { name, arguments: text } })
    const body = (calls: unknown) =>
      answer({}, { message: { ...message, content: null, tool_calls: calls }, finish_reason: 'tool_calls' })
    const quirks = { jsonSchema: 'synthetic_tool' } as const
    const alone = decode(body([tool('json_tool_call', '{"a":1}')]), quirks, { response_format })
    expect(alone.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: '{"a":1}' } })
    expect(alone.choices[0]?.message).not.toHaveProperty('tool_calls')
    const beside = decode(body([tool('f', '{}'), tool('json_tool_call', '{"a":1}')]), quirks, { response_format })
    expect(beside.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [tool('f', '{}')] } })
    expect(decode(body([tool('json_tool_call', '{}')]), quirks).choices[0]?.finish_reason).toBe('tool_calls')
  })
})

describe('usage', () => {
  const read = (reported: unknown) => decode(answer({ usage: reported })).usage

  it('has numbers for nulls, and a total that adds up', () => {
    expect(read({ prompt_tokens: 3, completion_tokens: null, total_tokens: null })).toEqual({
      ...usage,
      completion_tokens: 0,
      total_tokens: 3,
    })
    expect(read({ prompt_tokens: 3, completion_tokens: 4 })).toEqual(usage)
    expect(
      read({
        ...usage,
        prompt_tokens_details: null,
        completion_tokens_details: { audio_tokens: null, reasoning_tokens: 1 },
      }),
    ).toEqual({
      ...usage,
      completion_tokens_details: { reasoning_tokens: 1 },
    })
    expect(read({})).toBeUndefined()
    expect(read(null)).toBeUndefined()
  })

  it('counts reasoning that a provider reports beside its output', () => {
    expect(
      read({
        prompt_tokens: 3,
        completion_tokens: 4,
        total_tokens: 20,
        completion_tokens_details: { reasoning_tokens: 13 },
      }),
    ).toMatchObject({
      completion_tokens: 17,
      total_tokens: 20,
    })
  })

  it.each([
    { prompt_cache_hit_tokens: 2, prompt_cache_miss_tokens: 1 },
    { num_cached_tokens: 2 },
    { cached_tokens: 2 },
    { prompt_token_details: { cached_tokens: 2 } },
    { prompt_tokens_details: { cached_tokens: 2 } },
  ])('finds cached tokens in %j', (extra) => {
    expect(read({ ...usage, ...extra })?.prompt_tokens_details?.cached_tokens).toBe(2)
  })
})

// Case 41.
describe('an error inside a 200', () => {
  it.each([
    [{ error: { code: 429, message: 'slow down' } }, 'rate_limited', 429, 'slow down'],
    [{ error: { code: '529', message: 'busy' } }, 'overloaded', 503, 'busy'],
    [{ error: { type: 'invalid_request_error', message: 'bad' } }, 'invalid_request', 400, 'bad'],
    [{ error: { message: 'oops' } }, 'upstream_error', 502, 'oops'],
    [{ error: 'oops', code: 'The service is unavailable' }, 'upstream_error', 502, 'oops'],
    [{ error: { message: 'no grammar', http_status_code: 422 } }, 'unprocessable', 422, 'no grammar'],
    [{ object: 'error', message: 'bad model', code: 404 }, 'upstream_not_found', 404, 'bad model'],
    [{ choices: null, base_resp: { status_code: 1002, status_msg: 'limit' } }, 'rate_limited', 429, 'limit'],
    [{ choices: [], error: { code: 503, message: 'down' } }, 'unavailable', 503, 'down'],
    [
      { choices: [{ message: { content: '' }, finish_reason: 'error', error: { code: 502, message: 'cut' } }] },
      'upstream_error',
      502,
      'cut',
    ],
  ])('%j is thrown as what it is', (body, kind, status, words) => {
    expect(failure(body)).toMatchObject({ kind, status, message: words, upstream: { provider: 'acme' } })
  })

  it('is known by a provider’s own mark', () => {
    const quirks: Quirks = {
      errorInBody: (body) => (body['ok'] === false ? { status: 503, message: String(body['why']) } : undefined),
    }
    expect(failure({ ...answer(), ok: false, why: 'asleep' }, quirks)).toMatchObject({
      kind: 'unavailable',
      message: 'asleep',
    })
    expect(decode(answer({ ok: true }), quirks)).toMatchObject({ ok: true })
  })

  it.each([[null], ['<html>'], [{}], [{ choices: [] }], [{ choices: [{ index: 0 }] }], [[]]])(
    '%j is no answer at all',
    (body) => {
      expect(failure(body)).toMatchObject({ kind: 'upstream_invalid', status: 502 })
    },
  )

  it('is not seen in an answer that reports none', () => {
    const whole = answer({ error: null, base_resp: { status_code: 0, status_msg: '' } })
    expect(decode(whole)).toBe(whole)
  })
})
