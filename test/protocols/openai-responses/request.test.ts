import { describe, expect, it } from 'vitest'
import { UnsupportedParameterError } from '../../../src/errors.js'
import { encode } from './exchange.js'

const weather = {
  type: 'function',
  function: { name: 'weather', description: 'Tells it.', parameters: { type: 'object', properties: {} } },
}
const user = { role: 'user', content: 'hi' }
const call = (id: string, args = '{"city":"Rome"}') => ({
  id,
  type: 'function',
  function: { name: 'weather', arguments: args },
})

describe('messages', () => {
  it('sends leading instructions apart, and later ones at their place', () => {
    const { body } = encode({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'developer', content: [{ type: 'text', text: 'No jokes.', cache_control: { type: 'ephemeral' } }] },
        user,
        { role: 'system', content: 'Now in French.' },
      ],
    })
    expect(body['instructions']).toBe('Be brief.\n\nNo jokes.')
    expect(body['input']).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'developer', content: 'Now in French.' },
    ])
  })

  it('asks instructions that stand alone as a question', () => {
    const { body } = encode({ messages: [{ role: 'system', content: 'Say hello.' }] })
    expect(body).toMatchObject({ input: [{ role: 'user', content: 'Say hello.' }] })
    expect(body).not.toHaveProperty('instructions')
  })

  it('translates every part of a user message', () => {
    const { body } = encode({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'look', cache_control: { type: 'ephemeral' } },
            { type: 'image_url', image_url: { url: 'https://img.example/a.png', detail: 'low' } },
            { type: 'image_url', image_url: 'data:image/png;base64,AAAA' },
            { type: 'file', file: { file_id: 'file-1' } },
            { type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA' } },
            { type: 'file', file: { file_data: 'https://docs.example/a.pdf' } },
          ],
        },
      ],
    })
    expect(body['input']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'look' },
          { type: 'input_image', image_url: 'https://img.example/a.png', detail: 'low' },
          { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
          { type: 'input_file', file_id: 'file-1' },
          { type: 'input_file', filename: 'file.pdf', file_data: 'data:application/pdf;base64,AAAA' },
          { type: 'input_file', file_url: 'https://docs.example/a.pdf' },
        ],
      },
    ])
  })

  it('refuses sound, naming the part', () => {
    const content = [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }]
    expect(() => encode({ messages: [user, { role: 'user', content }] })).toThrow(
      expect.objectContaining({ name: 'InvalidRequestError', param: 'messages[1].content[0]' }),
    )
  })

  it('keeps the order of text, parallel calls and their results', () => {
    const { body } = encode({
      messages: [
        user,
        { role: 'assistant', content: 'Looking.', tool_calls: [call('a'), call('b', '')] },
        { role: 'tool', tool_call_id: 'a', content: 'warm' },
        { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'cold' }] },
      ],
      tools: [weather],
    })
    expect(body['input']).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'Looking.' },
      { type: 'function_call', call_id: 'a', name: 'weather', arguments: '{"city":"Rome"}' },
      { type: 'function_call', call_id: 'b', name: 'weather', arguments: '{}' },
      { type: 'function_call_output', call_id: 'a', output: 'warm' },
      { type: 'function_call_output', call_id: 'b', output: [{ type: 'input_text', text: 'cold' }] },
    ])
  })

  it('shortens ids that other providers made too long, the same way in call and result', () => {
    const id = `call_${'x'.repeat(200)}`
    const { body } = encode({
      messages: [user, { role: 'assistant', tool_calls: [call(id)] }, { role: 'tool', tool_call_id: id, content: '' }],
    })
    const [, called, answered] = body['input'] as { call_id: string }[]
    expect(called?.call_id).toHaveLength(45)
    expect(answered?.call_id).toBe(called?.call_id)
  })

  it('gives legacy function calls an id, and their results the same one', () => {
    const { body } = encode({
      messages: [
        user,
        { role: 'assistant', content: null, function_call: { name: 'weather', arguments: '{}' } },
        { role: 'function', name: 'weather', content: 'warm' },
      ],
    })
    expect(body['input']).toMatchObject([{}, { call_id: 'function_call_1' }, { call_id: 'function_call_1' }])
  })

  it('sends calls and results of custom tools as such', () => {
    const custom = { id: 'c', type: 'custom', custom: { name: 'sql', input: 'select 1' } }
    const { body } = encode({
      messages: [user, { role: 'assistant', tool_calls: [custom] }, { role: 'tool', tool_call_id: 'c', content: '1' }],
    })
    expect(body['input']).toMatchObject([
      {},
      { type: 'custom_tool_call', call_id: 'c', name: 'sql', input: 'select 1' },
      { type: 'custom_tool_call_output', call_id: 'c', output: '1' },
    ])
  })

  it('sends what an assistant refused as a refusal, and leaves out what says nothing', () => {
    const { body } = encode({
      messages: [user, { role: 'assistant', content: null, refusal: 'No.' }, { role: 'assistant', content: '' }, user],
    })
    expect(body['input']).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
      { role: 'user', content: 'hi' },
    ])
  })
})

describe('reasoning of earlier turns', () => {
  const block = { type: 'thinking', thinking: 'Hm.', id: 'rs_1', encrypted_content: 'sealed' }

  it('goes before the calls that it led to, unchanged', () => {
    const { body } = encode({
      messages: [
        user,
        { role: 'assistant', thinking_blocks: [block], tool_calls: [call('a')] },
        { role: 'tool', tool_call_id: 'a', content: 'warm' },
      ],
    })
    expect(body['input']).toMatchObject([
      {},
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'sealed' },
      { type: 'function_call', call_id: 'a' },
      {},
    ])
  })

  it("leaves out other models' blocks, and reasoning that nothing follows", () => {
    const foreign = { type: 'thinking', thinking: 'Hm.', signature: 'claude' }
    const redacted = { type: 'redacted_thinking', data: 'xyz' }
    const { body } = encode({
      messages: [
        user,
        { role: 'assistant', content: 'A.', thinking_blocks: [foreign, redacted], reasoning_content: 'Hm.' },
        { role: 'assistant', content: null, thinking_blocks: [block] },
        user,
      ],
    })
    expect(body['input']).toEqual([
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: 'A.' },
      { role: 'user', content: 'hi' },
    ])
  })
})

describe('tools', () => {
  it('are flat, and strict only where the caller says so', () => {
    const strict = {
      type: 'function',
      function: { name: 's', strict: true, parameters: { type: 'object', additionalProperties: false } },
    }
    const { body } = encode({ tools: [weather, strict, { type: 'function', function: { name: 'bare' } }] })
    expect(body['tools']).toEqual([
      {
        type: 'function',
        name: 'weather',
        description: 'Tells it.',
        parameters: { type: 'object', properties: {} },
        strict: false,
      },
      { type: 'function', name: 's', parameters: { type: 'object', additionalProperties: false }, strict: true },
      { type: 'function', name: 'bare', parameters: { type: 'object', properties: {} }, strict: false },
    ])
  })

  it.each([
    ['required', 'required'],
    [
      { type: 'function', function: { name: 'weather' } },
      { type: 'function', name: 'weather' },
    ],
    [
      {
        type: 'allowed_tools',
        allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'weather' } }] },
      },
      { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'weather' }] },
    ],
  ])('are chosen by %j', (choice, sent) => {
    expect(encode({ tools: [weather], tool_choice: choice }).body['tool_choice']).toEqual(sent)
  })

  it('of the provider pass as they are, and web search is one', () => {
    const { body } = encode({
      tools: [{ type: 'code_interpreter', container: { type: 'auto' } }],
      web_search_options: {
        search_context_size: 'low',
        user_location: { type: 'approximate', approximate: { city: 'Rome' } },
      },
    })
    expect(body['tools']).toEqual([
      { type: 'code_interpreter', container: { type: 'auto' } },
      { type: 'web_search', search_context_size: 'low', user_location: { type: 'approximate', city: 'Rome' } },
    ])
  })
})

describe('parameters', () => {
  it('go by their other names', () => {
    const { body, sent } = encode({
      max_tokens: 5,
      reasoning_effort: 'high',
      verbosity: 'low',
      user: 'u'.repeat(80),
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'city', strict: true, schema: { type: 'object', additionalProperties: false } },
      },
      service_tier: 'flex',
      metadata: { a: 'b' },
    })
    expect(sent).toMatchObject({ method: 'POST', path: '/responses', droppedParams: [] })
    expect(body).toMatchObject({
      model: 'gpt-5.5',
      max_output_tokens: 16,
      reasoning: { effort: 'high' },
      user: 'u'.repeat(64),
      text: {
        verbosity: 'low',
        format: { type: 'json_schema', name: 'city', strict: true, schema: { type: 'object' } },
      },
      service_tier: 'flex',
      metadata: { a: 'b' },
    })
  })

  it.each([
    [{ thinking: { type: 'disabled' } }, 'none'],
    [{ thinking: { type: 'enabled', budget_tokens: 12_000 } }, 'high'],
    [{ thinking: { type: 'enabled', budget_tokens: 100 } }, 'minimal'],
    [{ thinking: { type: 'adaptive' } }, 'medium'],
  ])('turn %j into an effort', (fields, effort) => {
    expect(encode(fields).body['reasoning']).toEqual({ effort })
  })

  it('keep a summary that the caller asks for', () => {
    const { body } = encode({ reasoning_effort: 'low', reasoning: { summary: 'auto' } })
    expect(body['reasoning']).toEqual({ effort: 'low', summary: 'auto' })
  })

  it('store nothing unless asked, and then ask for reasoning that can be sent back', () => {
    expect(encode({}).body).toMatchObject({ store: false, include: ['reasoning.encrypted_content'] })
    expect(encode({ store: true }).body).toMatchObject({ store: true })
    expect(encode({ store: true }).body).not.toHaveProperty('include')
    expect(encode({}, { model: 'gpt-4.1' }).body).not.toHaveProperty('include')
    expect(encode({ previous_response_id: 'resp_0' }).body).not.toHaveProperty('store')
  })

  it('ask for log probabilities', () => {
    const { body } = encode({ logprobs: true, top_logprobs: 2 }, { model: 'gpt-4.1' })
    expect(body).toMatchObject({ top_logprobs: 2, include: ['message.output_text.logprobs'] })
  })

  it('that the API has no word for are refused all at once', () => {
    const fields = { n: 2, stop: ['x'], seed: 1, presence_penalty: 1, logit_bias: { 1: 1 }, temperature: 0.5 }
    expect(() => encode({ ...fields, reasoning_effort: 'low' })).toThrow(UnsupportedParameterError)
    expect(() => encode({ ...fields, reasoning_effort: 'low' })).toThrow(
      /logit_bias, n, presence_penalty, seed, stop, temperature/,
    )
  })

  it('are named where a message has one that the API does not know', () => {
    expect(encode({ messages: [{ ...user, name: 'ann' }] }).sent.droppedParams).toEqual(['messages[].name'])
  })

  it('are left out on request, and named', () => {
    const { sent, body } = encode({ n: 2, stop: 'x', drop_params: true })
    expect(sent.droppedParams).toEqual(['n', 'stop'])
    expect(body).not.toHaveProperty('n')
  })

  it('that ask for nothing are left out in silence', () => {
    const { sent } = encode({
      n: 1,
      presence_penalty: 0,
      modalities: ['text'],
      temperature: 1,
      reasoning_effort: 'low',
    })
    expect(sent.droppedParams).toEqual([])
  })

  it('of the API itself pass untouched, and those of the gateway do not', () => {
    const { body } = encode({ truncation: 'auto', max_tool_calls: 3, api_key: 'x', litellm_metadata: {}, timeout: 5 })
    expect(body).toMatchObject({ truncation: 'auto', max_tool_calls: 3 })
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['api_key']))
  })

  it("take the deployment's where the caller sets none", () => {
    const params = { reasoning_effort: 'low', service_tier: 'flex' }
    expect(encode({ reasoning_effort: 'high' }, { params }).body).toMatchObject({
      reasoning: { effort: 'high' },
      service_tier: 'flex',
    })
  })

  it('stream without asking for usage, which always comes', () => {
    const { body, sent } = encode({ stream: true, stream_options: { include_usage: true, include_obfuscation: false } })
    expect(body).toMatchObject({ stream: true, stream_options: { include_obfuscation: false } })
    expect(sent.headers['accept']).toBe('text/event-stream')
  })

  it('name the model without the prefix that asks for this API', () => {
    expect(encode({}, { model: 'responses/gpt-5.5' }).body['model']).toBe('gpt-5.5')
  })

  it('follow the base model of a deployment with a name of its own', () => {
    const { body } = encode({}, { model: 'prod', info: { base_model: 'azure/gpt-5.5' } }, { modelRules: true })
    expect(body).toMatchObject({ model: 'prod', include: ['reasoning.encrypted_content'] })
  })
})
