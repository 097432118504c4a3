import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import { ollamaProtocol } from '../../../src/protocols/ollama/index.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { codecIn, encode, exchange, thrownBy } from '../further-exchange.js'
import { brokenRules } from './strict-rules.js'

const chat = codecIn(ollamaProtocol, 'chat')

function send(fields: JsonObject, changes: Partial<Deployment> = {}) {
  const { sent, body } = encode(chat, 'chat', fields, { provider: 'ollama', model: 'qwen3:4b', ...changes })
  expect(brokenRules(sent.path, body)).toEqual([])
  return { sent, body }
}

const weather = { type: 'function', function: { name: 'weather', parameters: { type: 'object' }, strict: true } }
const answer = (message: JsonObject, more: JsonObject = {}) => ({
  model: 'qwen3:4b',
  created_at: '2026-01-02T03:04:05.123456Z',
  message: { role: 'assistant', content: '', ...message },
  done: true,
  done_reason: 'stop',
  prompt_eval_count: 12,
  eval_count: 5,
  ...more,
})

describe('a chat with Ollama', () => {
  it('always says whether it wants a stream', () => {
    expect(send({}).body).toEqual({
      model: 'qwen3:4b',
      messages: [{ role: 'user', content: 'hi' }],
      stream: false,
    })
    expect(send({ stream: true, stream_options: { include_usage: true } }).body['stream']).toBe(true)
    expect(send({}).sent.path).toBe('/api/chat')
  })

  it('sends sampling parameters and the names of options among the options, the rest beside them', () => {
    const { body } = send({
      max_tokens: 9,
      temperature: 0,
      top_p: 0.5,
      seed: 7,
      stop: 'END',
      frequency_penalty: 0.5,
      top_k: 3,
      num_ctx: 4096,
      keep_alive: '5m',
      options: { num_gpu: 1 },
    })
    expect(body['options']).toEqual({
      num_predict: 9,
      temperature: 0,
      top_p: 0.5,
      seed: 7,
      stop: ['END'],
      frequency_penalty: 0.5,
      top_k: 3,
      num_ctx: 4096,
      num_gpu: 1,
    })
    expect(body['keep_alive']).toBe('5m')
  })

  it('sends a schema as the format', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } }
    const format = { type: 'json_schema', json_schema: { name: 'x', schema } }
    expect(send({ response_format: format }).body['format']).toEqual(schema)
    expect(send({ response_format: { type: 'json_object' } }).body['format']).toBe('json')
    expect(send({ response_format: { type: 'text' } }).body).not.toHaveProperty('format')
  })

  it('switches thinking, and gives gpt-oss a level', () => {
    expect(send({ reasoning_effort: 'none' }).body['think']).toBe(false)
    expect(send({ reasoning_effort: 'low' }).body['think']).toBe(true)
    for (const model of ['gpt-oss:20b', 'gpt-oss', 'hf.co/unsloth/gpt-oss-120b:Q4_K_M']) {
      expect(send({ reasoning_effort: 'xhigh' }, { model }).body['think']).toBe('high')
    }
    for (const model of ['qwen3:8b', 'deepseek-r1', 'my-gpt-oss-like']) {
      expect(send({ reasoning_effort: 'xhigh' }, { model }).body['think']).toBe(true)
    }
    expect(send({ thinking: { type: 'disabled' } }).body['think']).toBe(false)
    expect(send({ thinking: { type: 'enabled', budget_tokens: 2000 } }).body['think']).toBe(true)
    expect(send({}).body).not.toHaveProperty('think')
  })

  it('sends a tool loop with objects for arguments and the tool named at its result', () => {
    const { body } = send({
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
        {
          role: 'assistant',
          content: null,
          reasoning_content: 'I look it up.',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Ulm"}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
      ],
      tools: [weather],
    })
    expect(body['messages']).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: '',
        thinking: 'I look it up.',
        tool_calls: [{ id: 'call_1', function: { name: 'weather', arguments: { city: 'Ulm' } } }],
      },
      { role: 'tool', content: 'sunny', tool_call_id: 'call_1', tool_name: 'weather' },
    ])
    expect(body['tools']).toEqual([{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }])
  })

  it('keeps arguments that are no JSON object, as some clients send them', () => {
    const call = (text: string) => ({ id: 'c', type: 'function', function: { name: 'f', arguments: text } })
    const messages = [{ role: 'assistant', tool_calls: [call(''), call('null'), call('not json'), call('[1]')] }]
    const { body } = send({ messages })
    expect(JSON.stringify(body)).toContain(
      '"tool_calls":[{"id":"c","function":{"name":"f","arguments":{}}},{"id":"c","function":{"name":"f","arguments":{}}},' +
        '{"id":"c","function":{"name":"f","arguments":{"input":"not json"}}},' +
        '{"id":"c","function":{"name":"f","arguments":{"input":[1]}}}]',
    )
  })

  it('sends pictures as plain base64 and refuses addresses', () => {
    const picture = (url: string) => ({
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
    })
    expect(send(picture('data:image/png;base64,QUJD')).body['messages']).toEqual([
      { role: 'user', content: '', images: ['QUJD'] },
    ])
    expect(thrownBy(() => send(picture('https://example.com/a.png')))).toMatchObject({
      status: 400,
      param: 'messages[0].content[0]',
    })
    expect(chat.mediaToFetch?.(exchange('chat', picture('https://example.com/a.png')))).toEqual([
      'https://example.com/a.png',
    ])
  })

  it('refuses what the API cannot do, or leaves it out and says so', () => {
    const wishes = { n: 2, logit_bias: { 5: 1 }, tools: [weather], tool_choice: 'required' }
    expect(thrownBy(() => send(wishes))).toMatchObject({ status: 400, kind: 'unsupported_parameter' })
    const { sent, body } = send(wishes, { dropParams: true })
    expect(sent.droppedParams).toEqual(['n', 'logit_bias', 'tool_choice'])
    expect(body['tools']).toHaveLength(1)
  })

  it('offers no tools where none may be called', () => {
    expect(send({ tools: [weather], tool_choice: 'none' }).body).not.toHaveProperty('tools')
  })

  it('takes what the deployment sets, unless the caller does', () => {
    const params = { temperature: 0.1, max_tokens: 5, num_ctx: 8192 }
    const { body } = send({ max_completion_tokens: 7 }, { params })
    expect(body['options']).toEqual({ num_predict: 7, temperature: 0.1, num_ctx: 8192 })
  })
})

describe("Ollama's answer", () => {
  const read = (body: unknown) => chat.decode(body, exchange('chat', {}, { provider: 'ollama' }))

  it('becomes a completion with its counts', () => {
    expect(read(answer({ content: 'Hello' }))).toEqual({
      id: 'chatcmpl-abcdefghijklmnopqrstuvwx',
      object: 'chat.completion',
      created: 1_767_323_045,
      model: 'qwen3:4b',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
      usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
    })
  })

  it('tells thinking apart, whether the server does or the model', () => {
    expect(read(answer({ content: '5', thinking: '2+3' })).choices[0]?.message).toMatchObject({
      content: '5',
      reasoning_content: '2+3',
    })
    expect(read(answer({ content: '<think>2+3</think>\n\n5' })).choices[0]?.message).toMatchObject({
      content: '5',
      reasoning_content: '2+3',
    })
  })

  it('has tool calls with ids and text for arguments, and says so at the end', () => {
    const calls = [
      { function: { name: 'weather', arguments: { city: 'Ulm' } } },
      { id: 'own', function: { name: 'now' } },
    ]
    const [choice] = read(answer({ tool_calls: calls })).choices
    expect(choice?.finish_reason).toBe('tool_calls')
    expect(choice?.message).toMatchObject({
      content: null,
      tool_calls: [
        { id: 'call_abcdefghijklmnopqrst0000', function: { name: 'weather', arguments: '{"city":"Ulm"}' } },
        { id: 'own', function: { name: 'now', arguments: '{}' } },
      ],
    })
  })

  it('keeps its own word for the end, and no usage where nothing was counted', () => {
    const { choices, usage } = read(
      answer({ content: '' }, { done_reason: 'load', prompt_eval_count: undefined, eval_count: undefined }),
    )
    expect(choices[0]?.message.provider_specific_fields).toEqual({ native_finish_reason: 'load' })
    expect(usage).toBeUndefined()
    expect(read(answer({ content: 'x' }, { done_reason: 'length' })).choices[0]?.finish_reason).toBe('length')
    expect(read(answer({ content: 'x' }, { prompt_eval_count: undefined })).usage).toMatchObject({ prompt_tokens: 0 })
  })

  it('has log probabilities in the form of OpenAI', () => {
    const logprobs = [{ token: 'Hi', logprob: -0.1, bytes: [72, 105], top_logprobs: [] }]
    expect(read(answer({ content: 'Hi' }, { logprobs })).choices[0]?.logprobs).toEqual({
      content: logprobs,
      refusal: null,
    })
  })

  it('is an error where it says so, or says nothing', () => {
    expect(thrownBy(() => read({ error: 'model runner has stopped' }))).toMatchObject({ kind: 'upstream_error' })
    expect(thrownBy(() => read({ hello: 1 }))).toMatchObject({ kind: 'upstream_invalid' })
    expect(thrownBy(() => read(null))).toMatchObject({ kind: 'upstream_invalid' })
  })

  it('names refusals by their kind', () => {
    expect(ollamaProtocol.failure(404, { error: "model 'x' not found" })).toMatchObject({
      kind: 'upstream_model_not_found',
    })
    expect(ollamaProtocol.failure(400, { error: 'the input length exceeds the context length' })).toMatchObject({
      kind: 'context_window',
    })
  })
})
