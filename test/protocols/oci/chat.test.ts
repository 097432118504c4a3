import { describe, expect, it } from 'vitest'
import { ociProtocol } from '../../../src/protocols/oci/index.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import { gather } from '../openai/exchange.js'
import { codecIn, encode, exchange, stream, thrownBy } from '../further-exchange.js'
import { violations } from './strict-rules.js'

const chat = codecIn(ociProtocol, 'chat')
const settings = { compartmentId: 'ocid1.compartment.x' }
const generic = { model: 'meta.llama-3.3-70b-instruct', settings }
const cohere = { model: 'cohere.command-r-plus', settings }

function chatRequest(fields: JsonObject, changes: object = generic): JsonObject {
  const { body } = encode(chat, 'chat', fields, changes)
  expect(violations(body)).toEqual([])
  const inner = body['chatRequest']
  if (!isObject(inner)) throw new Error('no chatRequest')
  return inner
}

const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', description: 'Where' }, days: { type: ['integer', 'null'] } },
      required: ['city'],
    },
  },
}
const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }
const loop = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Weather in Rome?' },
  { role: 'assistant', content: '', tool_calls: [call] },
  { role: 'tool', tool_call_id: 'call_1', content: '{"sky":"blue"}' },
]

describe('a request', () => {
  it('names compartment and model, or an endpoint of its own', () => {
    const { sent, body } = encode(chat, 'chat', {}, generic)
    expect(sent.path).toBe('/20231130/actions/chat')
    expect(body).toMatchObject({
      compartmentId: 'ocid1.compartment.x',
      servingMode: { servingType: 'ON_DEMAND', modelId: 'meta.llama-3.3-70b-instruct' },
    })
    const dedicated = encode(chat, 'chat', {}, { ...generic, settings: { ...settings, endpointId: 'ocid1.e' } })
    expect(dedicated.body['servingMode']).toEqual({ servingType: 'DEDICATED', endpointId: 'ocid1.e' })
    expect(thrownBy(() => encode(chat, 'chat', {}, { model: 'm' })).message).toMatch(/compartmentId/)
  })

  it('has a format of its own for every family', () => {
    expect(chatRequest({ max_tokens: 5, stop: 'x' })).toMatchObject({ apiFormat: 'GENERIC', maxTokens: 5, stop: ['x'] })
    expect(chatRequest({ max_tokens: 5 }, { ...generic, model: 'openai.gpt-5' })).toMatchObject({
      maxCompletionTokens: 5,
    })
    expect(chatRequest({ max_tokens: 5, stop: 'x' }, cohere)).toMatchObject({
      apiFormat: 'COHERE',
      maxTokens: 5,
      stopSequences: ['x'],
      message: 'hi',
    })
  })

  it('refuses what the family cannot do', () => {
    expect(thrownBy(() => chatRequest({ n: 2, logit_bias: { 1: 2 } }, cohere)).message).toMatch(/logit_bias/)
  })

  it('tells a tool loop in the generic format', () => {
    const format = { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' }, strict: true } }
    const fields = { messages: loop, tools: [weather], tool_choice: 'required', response_format: format }
    expect(chatRequest(fields)).toMatchObject({
      messages: [
        { role: 'SYSTEM', content: [{ type: 'TEXT', text: 'Be brief.' }] },
        { role: 'USER' },
        { role: 'ASSISTANT', toolCalls: [{ id: 'call_1', type: 'FUNCTION', name: 'weather' }] },
        { role: 'TOOL', toolCallId: 'call_1', content: [{ type: 'TEXT', text: '{"sky":"blue"}' }] },
      ],
      tools: [{ type: 'FUNCTION', name: 'weather', parameters: weather.function.parameters }],
      toolChoice: { type: 'REQUIRED' },
      responseFormat: { type: 'JSON_SCHEMA', jsonSchema: { name: 'a', isStrict: true } },
    })
  })

  it("tells a tool loop in Cohere's older format", () => {
    expect(chatRequest({ messages: loop, tools: [weather] }, cohere)).toMatchObject({
      message: '',
      preambleOverride: 'Be brief.',
      chatHistory: [
        { role: 'USER', message: 'Weather in Rome?' },
        { role: 'CHATBOT', toolCalls: [{ name: 'weather', parameters: { city: 'Rome' } }] },
      ],
      toolResults: [{ call: { name: 'weather', parameters: { city: 'Rome' } }, outputs: [{ sky: 'blue' }] }],
      tools: [
        {
          name: 'weather',
          parameterDefinitions: {
            city: { type: 'str', description: 'Where', isRequired: true },
            days: { type: 'int', isRequired: false },
          },
        },
      ],
    })
    const later = chatRequest(
      { messages: [...loop, { role: 'assistant', content: 'Blue.' }, { role: 'user', content: 'Thanks' }] },
      cohere,
    )
    expect(later).toMatchObject({ message: 'Thanks' })
    expect(later['chatHistory']).toMatchObject([
      { role: 'USER' },
      { role: 'CHATBOT' },
      { role: 'TOOL' },
      { role: 'CHATBOT' },
    ])
  })
})

describe('an answer', () => {
  it('of the generic format has all its parts', () => {
    const content = [
      { type: 'TEXT', text: 'Hel' },
      { type: 'TEXT', text: 'lo' },
    ]
    const choice = { index: 0, message: { role: 'ASSISTANT', content }, finishReason: 'stop' }
    const usage = { promptTokens: 3, completionTokens: 2, totalTokens: 5 }
    const chatResponse = { apiFormat: 'GENERIC', choices: [choice], usage, timeCreated: '2026-01-01T00:00:00Z' }
    expect(chat.decode({ modelId: 'meta.m', chatResponse }, exchange('chat'))).toMatchObject({
      created: 1_767_225_600,
      model: 'meta.m',
      choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    })
  })

  it("of Cohere's format has calls without ids", () => {
    const chatResponse = {
      apiFormat: 'COHERE',
      text: '',
      toolCalls: [{ name: 'weather', parameters: { city: 'Rome' } }],
      finishReason: 'COMPLETE',
    }
    const { choices } = chat.decode({ chatResponse }, exchange('chat'))
    expect(choices[0]).toMatchObject({
      message: { content: null, tool_calls: [{ function: { name: 'weather', arguments: '{"city":"Rome"}' } }] },
      finish_reason: 'tool_calls',
    })
    expect(choices[0]?.message.tool_calls?.[0]?.id).toMatch(/^call_/)
  })

  it('that is an error says so', () => {
    const error = thrownBy(() => chat.decode({ code: 'InternalServerError', message: 'Broken' }, exchange('chat')))
    expect(error).toMatchObject({ kind: 'upstream_error', message: 'Broken' })
  })
})

describe('a stream', () => {
  it('of the generic format adds up to text, calls and usage', () => {
    const events = [
      { index: 0, message: { role: 'ASSISTANT', content: [{ type: 'TEXT', text: 'Let me' }] } },
      { index: 0, message: { toolCalls: [{ type: 'FUNCTION', id: 'a', name: 'weather', arguments: '' }] } },
      { index: 0, message: { toolCalls: [{ type: 'FUNCTION', arguments: '{"city":' }] } },
      { index: 0, message: { toolCalls: [{ type: 'FUNCTION', id: 'a', arguments: '"Rome"}' }] } },
      { index: 0, finishReason: 'tool_calls' },
      { usage: { promptTokens: 3, completionTokens: 2, totalTokens: 5 } },
    ]
    const chunks = stream(chat, exchange('chat', { stream: true }), events)
    expect(gather(chunks).get(0)).toMatchObject({
      roles: 1,
      content: 'Let me',
      calls: [{ id: 'a', name: 'weather', arguments: '{"city":"Rome"}' }],
      finishes: ['tool_calls'],
    })
    expect(chunks.at(-1)?.usage?.total_tokens).toBe(5)
  })

  it("of Cohere's format leaves out what its last event repeats", () => {
    const calls = [{ name: 'weather', parameters: { city: 'Rome' } }]
    const events = [
      { apiFormat: 'COHERE', text: 'Hel' },
      { apiFormat: 'COHERE', text: 'lo' },
      { apiFormat: 'COHERE', toolCalls: calls },
      { apiFormat: 'COHERE', text: 'Hello', toolCalls: calls, finishReason: 'COMPLETE' },
    ]
    const { content, calls: called, finishes } = gather(stream(chat, exchange('chat'), events)).get(0) ?? {}
    expect(content).toBe('Hello')
    expect(called).toHaveLength(1)
    expect(finishes).toEqual(['tool_calls'])
  })

  it('without a finish reason is cut off, and an error in it is thrown', () => {
    const text = { index: 0, message: { content: [{ type: 'TEXT', text: 'H' }] } }
    expect(thrownBy(() => stream(chat, exchange('chat'), [text])).kind).toBe('stream_truncated')
    expect(thrownBy(() => stream(chat, exchange('chat'), [text, { code: '429', message: 'Slow down' }]))).toMatchObject(
      {
        kind: 'rate_limited',
        message: 'Slow down',
      },
    )
  })
})

describe('embeddings', () => {
  it('are asked for and read', () => {
    const codec = codecIn(ociProtocol, 'embeddings')
    const fields = { input: ['a'], input_type: 'search_document' }
    const { sent, body } = encode(codec, 'embeddings', fields, { model: 'cohere.embed-v4', settings })
    expect(sent.path).toBe('/20231130/actions/embedText')
    expect(body).toMatchObject({
      inputs: ['a'],
      inputType: 'SEARCH_DOCUMENT',
      servingMode: { modelId: 'cohere.embed-v4' },
    })
    expect(codec.decode({ embeddings: [[1, 2]] }, exchange('embeddings', fields)).data[0]?.embedding).toEqual([1, 2])
  })
})
