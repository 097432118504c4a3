import { describe, expect, it } from 'vitest'
import { chat, encode, exchangeOf } from './exchange.js'

describe('the request', () => {
  it('is a POST to /v1/messages with the API version, and holds no credential', () => {
    const { upstream } = encode({})
    expect(upstream).toEqual({
      method: 'POST',
      path: '/v1/messages',
      headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
      body: JSON.stringify({
        model: 'claude-sonnet-4-5',
        max_tokens: 64_000,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
      }),
      droppedParams: [],
    })
  })

  it('is the same bytes each time', () => {
    const exchange = exchangeOf({ tools: [{ type: 'function', function: { name: 'a.b' } }], temperature: 0.3 })
    expect(chat().encode(exchange)).toEqual(chat().encode(exchange))
  })

  it('streams only when asked', () => {
    expect(encode({ stream: true, stream_options: { include_usage: true } }).body['stream']).toBe(true)
    expect(encode({ stream: false }).body).not.toHaveProperty('stream')
  })

  it('joins the betas of caller, deployment and features, each once', () => {
    const { upstream, body } = encode(
      { anthropic_beta: ['a-1', 'b-2'], speed: 'fast', context_management: { edits: [{ type: 'compact_20260112' }] } },
      { headers: { 'Anthropic-Beta': 'b-2, c-3' } },
    )
    expect(upstream.headers['anthropic-beta']).toBe('a-1,b-2,c-3,compact-2026-01-12,fast-mode-2026-02-01')
    expect(body).not.toHaveProperty('anthropic_beta')
  })
})

describe('max_tokens', () => {
  it.each([
    ['claude-3-haiku-20240307', 4096],
    ['claude-opus-4-1', 32_000],
    ['claude-sonnet-4-5', 64_000],
    ['claude-opus-4-7', 128_000],
  ])('defaults to what %s can give', (model, expected) => {
    expect(encode({}, { model }).body['max_tokens']).toBe(expected)
  })

  it('is what the caller says under either name, then the deployment, then its capabilities', () => {
    const params = { max_tokens: 300 }
    expect(encode({ max_completion_tokens: 100 }, { params }).body['max_tokens']).toBe(100)
    expect(encode({ max_tokens: 200 }, { params: { max_completion_tokens: 300 } }).body['max_tokens']).toBe(200)
    expect(encode({ max_tokens: null }, { params }).body['max_tokens']).toBe(300)
    expect(encode({}, { capabilities: { maxOutputTokens: 500 } }).body['max_tokens']).toBe(500)
  })
})

describe('sampling', () => {
  it.each([
    ['all of them to the oldest', 'claude-3-haiku-20240307', { temperature: 0.5, top_p: 0.9, top_k: 5 }],
    ['one of them to the later', 'claude-sonnet-4-5', { top_p: 0.9, top_k: 5 }],
    ['zero', 'claude-sonnet-4-6', { temperature: 0 }],
  ])('sends %s', (_, model, parameters) => {
    expect(encode(parameters, { model }).body).toMatchObject(parameters)
  })

  it('clamps a temperature to the range that Claude knows', () => {
    expect(encode({ temperature: 1.7 }).body['temperature']).toBe(1)
  })

  it('leaves the default out where both would clash', () => {
    const { body } = encode({ temperature: 1, top_p: 0.9 })
    expect(body).toMatchObject({ top_p: 0.9 })
    expect(body).not.toHaveProperty('temperature')
  })

  it.each([
    ['top_p beside temperature', 'claude-sonnet-4-5', { temperature: 0.2, top_p: 0.9 }, ['top_p']],
    ['any of them', 'claude-opus-4-7', { temperature: 0.2, top_p: 0.9, top_k: 5 }, ['temperature', 'top_p', 'top_k']],
    [
      'a temperature beside thinking',
      'claude-sonnet-4-5',
      { temperature: 0.2, reasoning_effort: 'low' },
      ['temperature'],
    ],
    ['a temperature where thinking is always on', 'claude-opus-5-5', { temperature: 0 }, ['temperature']],
  ])('refuses %s, or drops and reports it', (_, model, request, names) => {
    expect(() => encode(request, { model })).toThrow(names.join(', '))
    const { body, upstream } = encode(request, { model, dropParams: true })
    expect(upstream.droppedParams).toEqual(names)
    for (const name of names) expect(body).not.toHaveProperty(name)
  })

  it('takes default values without a word wherever others are refused', () => {
    const { body, upstream } = encode({ temperature: 1, top_p: 1 }, { model: 'claude-opus-4-7' })
    expect(body).not.toHaveProperty('temperature')
    expect(upstream.droppedParams).toEqual([])
  })
})

describe('parameters that Claude has no word for', () => {
  const all = {
    n: 2,
    seed: 1,
    frequency_penalty: 0.5,
    presence_penalty: -0.5,
    logit_bias: { '1': 5 },
    logprobs: true,
    top_logprobs: 2,
    modalities: ['text', 'audio'],
    verbosity: 'low',
    service_tier: 'flex',
    stop: [' '],
  }

  it('are refused together in one 400 that names each', () => {
    expect(() => encode(all)).toThrow(expect.objectContaining({ kind: 'unsupported_parameter', status: 400 }))
    for (const name of Object.keys(all)) expect(() => encode(all)).toThrow(name)
  })

  it.each([
    ['the deployment', all, { dropParams: true }],
    ['the request', { ...all, drop_params: true }, {}],
  ])('are dropped and reported where %s says so', (_, request, deployment) => {
    const { body, upstream } = encode(request, deployment)
    expect([...upstream.droppedParams].toSorted()).toEqual(Object.keys(all).toSorted())
    expect(Object.keys(body).toSorted()).toEqual(['max_tokens', 'messages', 'model'])
  })

  it.each([
    [{ metadata: { team: 'blue' } }, ['metadata']],
    [{ metadata: { user_id: 'u1', team: 'blue' } }, ['metadata']],
    [{ metadata: { user_id: 'u1' } }, []],
    [{ metadata: { user_id: 'u1' }, user: 'u2' }, ['metadata']],
    [{ user: 'u1' }, []],
    [{ user: 'someone@example.com' }, ['user']],
    [{ user: 'u1', safety_identifier: 's1' }, ['safety_identifier']],
    [{ safety_identifier: 'u1', user: 'u1' }, []],
    [
      { prompt_cache_key: 'k', prompt_cache_retention: '24h', store: true },
      ['prompt_cache_key', 'store', 'prompt_cache_retention'],
    ],
    [{ messages: [{ role: 'user', name: 'ann', content: 'hi' }] }, ['messages[].name']],
    [
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } }],
          },
        ],
      },
      ['messages[].image_url.detail'],
    ],
  ])('are left out without a 400, but named, where they change nothing in the answer: %j', (request, names) => {
    expect(encode(request).upstream.droppedParams).toEqual(names)
  })

  it('pass without a word where they ask for nothing', () => {
    const request = {
      n: 1,
      frequency_penalty: 0,
      presence_penalty: 0,
      logit_bias: {},
      logprobs: false,
      top_logprobs: 0,
      modalities: ['text'],
      store: false,
      seed: null,
      stop: null,
      response_format: { type: 'text' },
    }
    const { body, upstream } = encode(request)
    expect(Object.keys(body).toSorted()).toEqual(['max_tokens', 'messages', 'model'])
    expect(upstream.droppedParams).toEqual([])
  })

  it('are sent where the deployment insists, and left out where it wants that', () => {
    const insisting = exchangeOf({ seed: 7 }, { params: { allowed_openai_params: ['seed'] } })
    expect(JSON.parse(String(chat().encode(insisting).body))).toMatchObject({ seed: 7 })
    const { body } = encode({ temperature: 0.5 }, { params: { additional_drop_params: ['temperature'] } })
    expect(body).not.toHaveProperty('temperature')
  })
})

describe('other parameters', () => {
  it.each([
    ['END', ['END']],
    [
      ['a', ' ', 'b'],
      ['a', 'b'],
    ],
  ])('translates stop %j', (stop, expected) => {
    expect(encode({ stop }, { dropParams: true }).body['stop_sequences']).toEqual(expected)
  })

  it.each(['auto', 'default', 'priority', 'standard_only'])('translates the service tier %s', (tier) => {
    const expected = tier === 'default' || tier === 'standard_only' ? 'standard_only' : 'auto'
    expect(encode({ service_tier: tier }).body['service_tier']).toBe(expected)
  })

  it.each(['ann@example.com', '+49 228 123456', '0228-123456'])('never sends the user %s', (user) => {
    expect(encode({ user }).body).not.toHaveProperty('metadata')
  })

  it('sends an opaque user, and nothing else of the metadata', () => {
    expect(encode({ user: 'u-17', metadata: { tags: ['x'] } }).body['metadata']).toEqual({ user_id: 'u-17' })
    expect(encode({ metadata: { tags: ['x'] } }).body).not.toHaveProperty('metadata')
    expect(encode({ safety_identifier: 'hash-1' }).body['metadata']).toEqual({ user_id: 'hash-1' })
  })

  it('passes fields that only Claude knows', () => {
    const fields = { container: 'c_1', inference_geo: 'us', stop_sequences: ['x'] }
    expect(encode(fields).body).toMatchObject(fields)
  })

  it('never passes fields that are meant for the gateway', () => {
    const fields = {
      cache: { ttl: 5 },
      fallbacks: ['b'],
      num_retries: 2,
      mock_response: 'x',
      api_key: 'sk',
      api_base: 'http://x',
      base_url: 'http://x',
      drop_params: false,
      litellm_session_id: 's',
      timeout: 5,
      extra_headers: { a: 'b' },
    }
    expect(Object.keys(encode(fields).body).toSorted()).toEqual(['max_tokens', 'messages', 'model'])
  })

  it('puts the parameters of the deployment under those of the caller', () => {
    const params = { temperature: 0.2, top_k: 4, thinking: { type: 'enabled', budget_tokens: 5000 } }
    const { body } = encode({ temperature: 0.7, reasoning_effort: 'none' }, { params })
    expect(body).toMatchObject({ temperature: 0.7, top_k: 4, thinking: { type: 'disabled' } })
  })

  it("joins a system prompt in Claude's own form with the messages'", () => {
    const { body } = encode({
      system: 'First.',
      messages: [
        { role: 'system', content: 'Second.' },
        { role: 'user', content: 'Hi' },
      ],
    })
    expect(body['system']).toEqual([
      { type: 'text', text: 'First.' },
      { type: 'text', text: 'Second.' },
    ])
  })
})
