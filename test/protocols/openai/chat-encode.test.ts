import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/errors.js'
import type { ChatRequest } from '../../../src/wire/chat.js'
import { bodyOf, codecOf, encodeChat, exchangeOf } from './exchange.js'

describe('a chat request', () => {
  it('goes to the path of the endpoint with the deployment’s model', () => {
    const { sent, body } = encodeChat({}, { modelName: (model) => `accounts/x/${model}` })
    expect(sent).toMatchObject({ method: 'POST', path: '/chat/completions', droppedParams: [] })
    expect(sent.headers['content-type']).toBe('application/json')
    expect(body).toEqual({ model: 'accounts/x/acme-large', messages: [{ role: 'user', content: 'hi' }] })
    expect(encodeChat({}, { paths: { chat: '/v2/chat' } }).sent.path).toBe('/v2/chat')
  })

  // Case 45.
  it('carries every unknown field as it is, nulls included', () => {
    const unknown = { top_k: 3, provider: { order: ['a'], x: null }, plugins: [{ id: 'web' }], future: null, '': 0 }
    expect(encodeChat(unknown).body).toMatchObject(unknown)
  })

  it.each([
    { models: ['acme-dear'] },
    { extra_body: { models: ['acme-dear'] } },
    { models: ['acme-dear'], allowed_openai_params: ['models'] },
    { extra_body: { options: { gateway: { models: ['acme-dear'], order: ['a'] } } } },
  ])('lets no caller name other models where the provider would ask them: %j', (members) => {
    const quirks = { hostOnly: ['models', 'options.gateway.models'] }
    expect(() => encodeChat(members, quirks)).toThrow(expect.objectContaining({ status: 400 }))
    const { sent, body } = encodeChat(members, quirks, { dropParams: true, params: { models: ['acme-spare'] } })
    expect(sent.droppedParams).toEqual([expect.stringContaining('models')])
    expect(JSON.stringify(body)).not.toContain('acme-dear')
    expect(body).toMatchObject({ models: ['acme-spare'] })
  })

  it.each([
    [{}, { most: { prompt: 1 } }],
    [{ options: { order: ['a'] } }, { order: ['a'], most: { prompt: 1 } }],
    [{ options: { most: { prompt: 9, image: 2 } } }, { most: { prompt: 1, image: 2 } }],
    [{ options: { most: { prompt: 0.5 } } }, { most: { prompt: 0.5 } }],
    [{ options: null }, { most: { prompt: 1 } }],
    [{ extra_body: { options: { most: { prompt: 9 } } } }, { most: { prompt: 1 } }],
    [{ additional_drop_params: ['options.most'] }, { most: { prompt: 1 } }],
  ])('keeps %j within the limit that the host has set', (members, options) => {
    const quirks = { hostLimits: ['options.most'] }
    for (const params of [{ options: { most: { prompt: 1 } } }, { extra_body: { options: { most: { prompt: 1 } } } }]) {
      expect(encodeChat(members, quirks, { params }).body['options']).toEqual(options)
    }
  })

  it('leaves limits to the caller where the host has set none', () => {
    const options = { most: { prompt: 9 } }
    expect(encodeChat({ options }, { hostLimits: ['options.most'] }).body).toMatchObject({ options })
    expect(encodeChat({}, { hostLimits: ['options.most'] }).body).not.toHaveProperty('options')
  })

  it('carries any unknown JSON byte for byte', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        const { sent } = encodeChat({ zz_unknown: JSON.parse(text) as unknown })
        expect(String(sent.body)).toContain(`"zz_unknown":${text}`)
      }),
    )
  })

  it('never changes what it was given, whatever the quirks', () => {
    // `exchangeOf` freezes the request at every depth, so a change would throw.
    const request = {
      messages: [
        { role: 'developer', content: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }], name: 'n' },
        { role: 'user', content: [{ type: 'image_url', image_url: 'https://x/y.png' }] },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: [{ type: 'text', text: 'r' }] },
      ],
      tools: [{ type: 'function', function: { name: 'f', strict: true, parameters: { additionalProperties: false } } }],
      tool_choice: 'required',
      response_format: { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } },
      max_completion_tokens: 5,
      reasoning_effort: 'high',
      temperature: 3,
      additional_drop_params: ['messages[0].name', 'tools[*].function.strict'],
    } as unknown as Partial<ChatRequest>
    const text = JSON.stringify(request)
    encodeChat(request as Partial<ChatRequest> & Record<string, unknown>, {
      rename: { max_completion_tokens: 'max_tokens' },
      clamp: { temperature: { max: 1 } },
      messages: {
        flattenText: true,
        dropName: 'always',
        dropNulls: true,
        shortToolCallIds: true,
        reasoningContent: 'always',
      },
      tools: { dropStrict: true, dropAdditionalProperties: true, dropSchemaKeys: true },
      requiredToolChoice: 'ask',
      jsonSchema: 'synthetic_tool',
      reasoning: 'thinking_budget',
      extraBody: { a: 1 },
    })
    expect(JSON.stringify(request)).toBe(text)
  })

  it('leaves out OpenAI parameters that are null', () => {
    const { body } = encodeChat({
      temperature: null,
      stop: null,
      tools: null,
      stream: null,
      stream_options: null,
      n: 2,
    })
    expect(Object.keys(body).toSorted()).toEqual(['messages', 'model', 'n'])
  })

  it('never carries what is meant for the gateway, least of all addresses and keys', () => {
    const { body } = encodeChat({
      api_base: 'http://evil',
      base_url: 'http://evil',
      api_key: 'sk-evil',
      organization: 'o',
      fallbacks: ['x'],
      cache: { ttl: 1 },
      caching: true,
      num_retries: 3,
      mock_response: 'x',
      guardrails: ['g'],
      litellm_metadata: {},
      litellm_session_id: 's',
      'x-sluice-tags': 't',
      drop_params: true,
      extra_headers: { a: 'b' },
    })
    expect(Object.keys(body).toSorted()).toEqual(['messages', 'model'])
  })

  it('puts the deployment’s params under the caller’s and merges extra_body, which cannot choose the model', () => {
    const params = { temperature: 0.1, safe_prompt: true, api_key: 'no', extra_body: { top_k: 1, model: 'other' } }
    const { body } = encodeChat(
      { temperature: 0.9, extra_body: { seed: 4, model: 'other', stream: true } },
      {},
      { params },
    )
    expect(body).toMatchObject({ model: 'acme-large', temperature: 0.9, safe_prompt: true, top_k: 1, seed: 4 })
    expect(body).not.toHaveProperty('stream')
    expect(body).not.toHaveProperty('extra_body')
    expect(body).not.toHaveProperty('api_key')
  })

  it('takes a param of the deployment where the caller’s is null', () => {
    expect(encodeChat({ temperature: null }, {}, { params: { temperature: 0.2 } }).body).toMatchObject({
      temperature: 0.2,
    })
  })

  it('always asks a stream for its usage and keeps the other options', () => {
    const { sent, body } = encodeChat({
      stream: true,
      stream_options: { include_obfuscation: false, include_usage: false },
    })
    expect(body).toMatchObject({ stream: true, stream_options: { include_obfuscation: false, include_usage: true } })
    expect(sent.headers['accept']).toBe('text/event-stream')
    expect(encodeChat({ stream: true }, { streamOptions: false }).body).not.toHaveProperty('stream_options')
    expect(encodeChat({ stream_options: { include_usage: true } }).body).not.toHaveProperty('stream_options')
  })

  it('sends the very same messages where none needs a change', () => {
    const request: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }
    const seen: unknown[] = []
    const codec = codecOf('chat', { adjust: (body) => (seen.push(body['messages']), body) })
    codec.encode(exchangeOf<'chat'>(request))
    expect(seen[0]).toBe(request.messages)
  })

  it('lets a provider’s own rule have the last word', () => {
    const { body } = encodeChat(
      {},
      { extraBody: { usage: { include: true } }, adjust: (b, operation) => ({ ...b, operation }) },
    )
    expect(body).toMatchObject({ usage: { include: true }, operation: 'chat' })
  })
})

// Case 44.
describe('a parameter that the provider cannot honour', () => {
  const quirks = { unsupported: ['logit_bias', 'seed', 'n'] }
  const fields = { logit_bias: { 5: 1 }, seed: 1, temperature: 0.5 }

  it('is refused with a 400 that names all of them', () => {
    const attempt = () => encodeChat(fields, quirks)
    expect(attempt).toThrow(GatewayError)
    expect(attempt).toThrow(/acme does not support the parameters logit_bias, seed for model acme-large/)
  })

  it('is left out and reported with dropParams, of the deployment or the request', () => {
    for (const { sent, body } of [
      encodeChat(fields, quirks, { dropParams: true }),
      encodeChat({ ...fields, drop_params: true }, quirks),
    ]) {
      expect(sent.droppedParams).toEqual(['logit_bias', 'seed'])
      expect(Object.keys(body).toSorted()).toEqual(['messages', 'model', 'temperature'])
    }
    expect(() => encodeChat({ ...fields, drop_params: false }, quirks, { dropParams: true })).toThrow(/logit_bias/)
  })

  it('is sent all the same where the caller insists', () => {
    expect(encodeChat({ seed: 1, allowed_openai_params: ['seed'] }, quirks).body).toMatchObject({ seed: 1 })
  })

  it('is no error where its value asks for nothing', () => {
    const { sent, body } = encodeChat({ n: 1, seed: null }, quirks)
    expect(body).not.toHaveProperty('n')
    expect(sent.droppedParams).toEqual([])
  })

  it('is known by an allow-list, which unknown fields pass', () => {
    const allow = { supported: ['temperature', 'max_tokens'], rename: { max_completion_tokens: 'max_tokens' } }
    expect(() => encodeChat({ temperature: 1, seed: 1, user: 'u' }, allow)).toThrow(/seed, user/)
    expect(
      encodeChat({ temperature: 0.3, max_completion_tokens: 9, top_k: 4, stream: true }, allow).body,
    ).toMatchObject({
      temperature: 0.3,
      max_tokens: 9,
      top_k: 4,
      stream: true,
    })
  })

  it('can be dropped by name and by path although it is supported', () => {
    const { sent, body } = encodeChat({
      seed: 1,
      tools: [{ type: 'function', function: { name: 'f', strict: true } }],
      additional_drop_params: ['seed', 'tools[*].function.strict', 'absent.path'],
    })
    expect(body).not.toHaveProperty('seed')
    expect(body['tools']).toEqual([{ type: 'function', function: { name: 'f' } }])
    expect(sent.droppedParams).toEqual(['seed', 'tools[*].function.strict'])
  })

  it('is reported where it is the name in a message', () => {
    const messages: ChatRequest['messages'] = [{ role: 'user', name: 'ann', content: 'hi' }]
    const quirks = { messages: { dropName: 'always' } } as const
    expect(encodeChat({ messages }, quirks).sent.droppedParams).toEqual(['messages[].name'])
    expect(encodeChat({}, quirks).sent.droppedParams).toEqual([])
    expect(encodeChat({ messages }).sent.droppedParams).toEqual([])
  })

  it('takes the choice among tools with it when the tools go', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }]
    const { sent, body } = encodeChat(
      { tools, tool_choice: 'required' },
      { unsupported: ['tools'] },
      { dropParams: true },
    )
    expect(body).not.toHaveProperty('tool_choice')
    expect(sent.droppedParams).toEqual(['tools'])
  })
})

describe('names and ranges', () => {
  it('are the provider’s own', () => {
    const quirks = {
      rename: { max_completion_tokens: 'max_tokens', seed: 'random_seed' },
      clamp: { temperature: { min: 0.01, max: 1 } },
    }
    expect(encodeChat({ max_completion_tokens: 5, seed: 7, temperature: 1.5 }, quirks).body).toMatchObject({
      max_tokens: 5,
      random_seed: 7,
      temperature: 1,
    })
    expect(encodeChat({ temperature: 0 }, quirks).body).toMatchObject({ temperature: 0.01 })
    expect(encodeChat({ max_completion_tokens: 5, max_tokens: 6 }, quirks).body).toMatchObject({ max_tokens: 6 })
  })
})

describe('a JSON schema', () => {
  const response_format = {
    type: 'json_schema',
    json_schema: { name: 's', strict: true, schema: { type: 'object', properties: { a: { type: 'string' } } } },
  }

  // Case 34: optional keys and `strict` are the caller's business.
  it('reaches OpenAI’s own way unchanged', () => {
    expect(encodeChat({ response_format }).body['response_format']).toEqual(response_format)
  })

  it('is asked for as the provider knows it', () => {
    const { body } = encodeChat({ response_format }, { jsonSchema: 'json_object_with_schema' })
    expect(body['response_format']).toEqual({ type: 'json_object', schema: response_format.json_schema.schema })
    expect(() => encodeChat({ response_format }, { jsonSchema: 'unsupported' })).toThrow(/response_format/)
    expect(encodeChat({ response_format: { type: 'json_object' } }, { jsonSchema: 'unsupported' }).body).toMatchObject({
      response_format: { type: 'json_object' },
    })
  })

  it('becomes a tool that must be called, or may be where the caller has tools', () => {
    const alone = encodeChat({ response_format }, { jsonSchema: 'synthetic_tool' }).body
    expect(alone['tool_choice']).toEqual({ type: 'function', function: { name: 'json_tool_call' } })
    expect(alone).not.toHaveProperty('response_format')
    const tools = [{ type: 'function', function: { name: 'f' } }]
    const beside = encodeChat({ response_format, tools }, { jsonSchema: 'synthetic_tool' }).body
    expect(beside['tools']).toHaveLength(2)
    expect(beside).not.toHaveProperty('tool_choice')
  })
})

describe('tools', () => {
  const parameters = {
    $schema: 'x',
    type: 'object',
    additionalProperties: false,
    properties: {
      $schema: { type: 'string', enum: ['additionalProperties'] },
      in: { additionalProperties: false, $id: 'y' },
    },
  }
  const tools = [{ type: 'function', function: { name: 'f', strict: true, parameters } }]

  it('lose what the provider refuses, and nothing that only has such a name', () => {
    const { body } = encodeChat(
      { tools },
      { tools: { dropStrict: true, dropAdditionalProperties: true, dropSchemaKeys: true } },
    )
    expect(body['tools']).toEqual([
      {
        type: 'function',
        function: {
          name: 'f',
          parameters: {
            type: 'object',
            properties: { $schema: { type: 'string', enum: ['additionalProperties'] }, in: {} },
          },
        },
      },
    ])
    expect(encodeChat({ tools }).body['tools']).toEqual(tools)
  })

  it('are chosen in the provider’s words', () => {
    expect(encodeChat({ tools, tool_choice: 'required' }, { requiredToolChoice: 'any' }).body).toMatchObject({
      tool_choice: 'any',
    })
    const asked = encodeChat({ tools, tool_choice: 'required' }, { requiredToolChoice: 'ask' }).body
    expect(asked).not.toHaveProperty('tool_choice')
    expect(asked['messages']).toHaveLength(2)
    const named = { type: 'function', function: { name: 'f' } }
    expect(() => encodeChat({ tools, tool_choice: named }, { toolChoices: ['auto', 'none'] })).toThrow(/tool_choice/)
    expect(encodeChat({ tools, tool_choice: 'none' }, { toolChoices: ['auto', 'none'] }).body).toMatchObject({
      tool_choice: 'none',
    })
  })
})

describe('two encodings of one request', () => {
  it('are equal, so that a retry sends the same', () => {
    const codec = codecOf('chat', { messages: { shortToolCallIds: true } })
    const exchange = exchangeOf<'chat'>({
      model: 'm',
      messages: [{ role: 'tool', tool_call_id: 'call_very_long_id', content: 'x' }],
    })
    expect(bodyOf(codec.encode(exchange))).toEqual(bodyOf(codec.encode(exchange)))
  })
})
