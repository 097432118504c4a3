import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/errors.js'
import { createResponsesCodec } from '../../../src/protocols/openai-responses/chat.js'
import { callItem, decode, exchangeOf, messageItem, reasoningItem, responseOf } from './exchange.js'

const only = (body: unknown) => {
  const [choice, ...others] = decode(body).choices
  expect(others).toEqual([])
  if (!choice) throw new Error('no choice')
  return choice
}

describe('a whole response', () => {
  it('becomes one choice with the identity that clients expect', () => {
    expect(decode(responseOf([messageItem('Hello.')], { service_tier: 'default' }))).toEqual({
      id: 'chatcmpl-abcdefghijklmnopqrstuvwx',
      object: 'chat.completion',
      created: 1_750_000_001,
      model: 'gpt-5.5-2026-05-01',
      service_tier: 'default',
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          logprobs: null,
          message: {
            role: 'assistant',
            content: 'Hello.',
            refusal: null,
            provider_specific_fields: { response_id: 'resp_1' },
          },
        },
      ],
      usage: {
        prompt_tokens: 11,
        completion_tokens: 7,
        total_tokens: 18,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    })
  })

  it('puts reasoning, text and parallel calls into the same choice', () => {
    const { message, finish_reason } = only(
      responseOf([
        reasoningItem(['First.', 'Second.']),
        messageItem('Looking. '),
        messageItem('Wait.'),
        callItem('a', 'f', '{"x":1}'),
        callItem('b', 'g', ''),
      ]),
    )
    expect(finish_reason).toBe('tool_calls')
    expect(message).toMatchObject({
      content: 'Looking. Wait.',
      reasoning_content: 'First.\n\nSecond.',
      thinking_blocks: [
        {
          type: 'thinking',
          thinking: 'First.\n\nSecond.',
          id: 'rs_1',
          encrypted_content: 'gAAAA-sealed',
          summary: ['First.', 'Second.'],
        },
      ],
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
        { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
      ],
    })
  })

  it('has null content where there are only calls, and an empty one where nothing was said', () => {
    expect(only(responseOf([callItem('a', 'f', '{}')])).message.content).toBeNull()
    expect(only(responseOf([])).message.content).toBe('')
  })

  it('gives what an open model thought as reasoning', () => {
    const item = { id: 'rs', type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Hm.' }] }
    expect(only(responseOf([item, messageItem('Yes.')])).message.reasoning_content).toBe('Hm.')
  })

  it('keeps comments on the work apart from the answer', () => {
    const { message } = only(
      responseOf([messageItem('I will look.', { phase: 'commentary' }), messageItem('42', { phase: 'final_answer' })]),
    )
    expect(message).toMatchObject({ content: '42', reasoning_content: 'I will look.' })
  })

  it('moves citations along with the text that was put before theirs', () => {
    const annotations = [{ type: 'url_citation', start_index: 0, end_index: 2, url: 'https://a.example/', title: 'A' }]
    const cited = messageItem('', { content: [{ type: 'output_text', text: 'Yes', annotations }] })
    expect(only(responseOf([messageItem('Hm, '), cited])).message.annotations).toEqual([
      { type: 'url_citation', url_citation: { start_index: 4, end_index: 6, url: 'https://a.example/', title: 'A' } },
    ])
  })

  it('gives refusals, custom calls, pictures and hosted tools their places', () => {
    const { message } = only(
      responseOf([
        { type: 'web_search_call', id: 'ws_1', status: 'completed' },
        { type: 'image_generation_call', id: 'ig_1', result: 'AAAA', output_format: 'webp' },
        { type: 'custom_tool_call', id: 'ct', call_id: 'c', name: 'sql', input: 'select 1' },
        messageItem('', { content: [{ type: 'refusal', refusal: 'No.' }] }),
      ]),
    )
    expect(message).toMatchObject({
      content: null,
      refusal: 'No.',
      tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'sql', input: 'select 1' } }],
      images: [{ type: 'image_url', image_url: { url: 'data:image/webp;base64,AAAA' }, index: 0 }],
      provider_specific_fields: { server_tool_calls: [{ id: 'ws_1' }] },
    })
  })

  it('lists the pages of a search, and cites them where the text marks them', () => {
    const results = { type: 'search_results', results: [{ id: 1, url: 'https://a.example/', title: 'A' }] }
    const { message } = only(responseOf([results, messageItem('Sunny [1].')]))
    expect(message.provider_specific_fields).toMatchObject({ citations: ['https://a.example/'] })
    expect(message.annotations).toMatchObject([{ url_citation: { start_index: 6, end_index: 9 } }])
  })

  it.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'content_filter'],
  ])('that ended early by %s says so', (reason, finish) => {
    const cut = { status: 'incomplete', incomplete_details: { reason } }
    expect(only(responseOf([callItem('a', 'f', '{"x"')], cut)).finish_reason).toBe(finish)
  })

  it('counts cache writes, and keeps cost', () => {
    const usage = {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 2, cache_write_tokens: 5 },
      output_tokens: 1,
      cost: { total_cost: 0.01 },
    }
    expect(decode(responseOf([messageItem('x')], { usage })).usage).toMatchObject({
      prompt_tokens: 10,
      total_tokens: 11,
      prompt_tokens_details: { cached_tokens: 2, cache_creation_tokens: 5 },
      cache_creation_input_tokens: 5,
      cache_read_input_tokens: 2,
      cost: { total_cost: 0.01 },
    })
  })

  it('gives log probabilities as chat does', () => {
    const logprobs = [{ token: 'Hi', logprob: -0.1, bytes: [72, 105], top_logprobs: [] }]
    const item = messageItem('', { content: [{ type: 'output_text', text: 'Hi', annotations: [], logprobs }] })
    expect(only(responseOf([item])).logprobs).toEqual({ content: logprobs, refusal: null })
  })
})

describe('a 200 that is no answer', () => {
  it.each([
    ['rate_limit_exceeded', 'rate_limited'],
    ['server_error', 'upstream_error'],
    ['insufficient_quota', 'payment_required'],
    ['invalid_prompt', 'invalid_request'],
    ['context_length_exceeded', 'context_window'],
  ])('because of %s is an error of that kind', (code, kind) => {
    const body = responseOf([], { status: 'failed', error: { code, message: 'It went wrong.' } })
    expect(() => decode(body)).toThrow(expect.objectContaining({ kind, message: 'It went wrong.' }))
  })

  it.each([[[]], ['text'], [{ id: 'x' }], [responseOf([], { status: 'cancelled' })]])('like %j is an error', (body) => {
    expect(() => decode(body)).toThrow(GatewayError)
  })
})

describe('a response in the background', () => {
  const codec = createResponsesCodec({ path: '/openai/responses?api-version=preview' })

  it('is asked for again until it is done', () => {
    const queued = { id: 'resp/1', status: 'queued' }
    expect(codec.next?.(queued, exchangeOf())).toMatchObject({
      request: { method: 'GET', path: '/openai/responses/resp%2F1?api-version=preview', body: null },
      delayMs: 1_000,
    })
    expect(codec.next?.({ ...queued, status: 'completed' }, exchangeOf())).toBeUndefined()
  })
})
