import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import { cohereProtocol } from '../../../src/protocols/cohere/index.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { codecIn, encode, exchange, thrownBy } from '../further-exchange.js'
import { brokenRules } from './strict-rules.js'

const chat = codecIn(cohereProtocol, 'chat')

function send(fields: JsonObject, changes: Partial<Deployment> = {}) {
  const { sent, body } = encode(chat, 'chat', fields, { provider: 'cohere', model: 'command-a-03-2025', ...changes })
  expect(brokenRules(body)).toEqual([])
  return { sent, body }
}

const tool = (name: string, more: JsonObject = {}) => ({ type: 'function', function: { name, ...more } })
const strictParameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const call = (id: string, name: string, text: string) => ({ id, type: 'function', function: { name, arguments: text } })

describe('a chat with Cohere', () => {
  it('names parameters its own way', () => {
    const { sent, body } = send({
      max_completion_tokens: 9,
      temperature: 0.2,
      top_p: 0.5,
      top_k: 3,
      stop: 'END',
      seed: 7,
      logprobs: true,
      frequency_penalty: 0.5,
      safety_mode: 'OFF',
      documents: [{ id: 'a', data: { text: 'b' } }],
      user: 'someone',
      metadata: { a: 'b' },
    })
    expect(sent.path).toBe('/v2/chat')
    expect(body).toEqual({
      model: 'command-a-03-2025',
      messages: [{ role: 'user', content: 'hi' }],
      stream: false,
      max_tokens: 9,
      temperature: 0.2,
      p: 0.5,
      k: 3,
      stop_sequences: ['END'],
      seed: 7,
      logprobs: true,
      frequency_penalty: 0.5,
      safety_mode: 'OFF',
      documents: [{ id: 'a', data: { text: 'b' } }],
    })
  })

  it('refuses what the API cannot do, or leaves it out and says so', () => {
    const wishes = { n: 2, frequency_penalty: -1, parallel_tool_calls: false, reasoning_effort: 'low' }
    expect(thrownBy(() => send(wishes)).message).toMatch(/n, parallel_tool_calls, frequency_penalty, reasoning_effort/)
    expect(send(wishes, { dropParams: true }).sent.droppedParams).toEqual([
      'n',
      'parallel_tool_calls',
      'frequency_penalty',
      'reasoning_effort',
    ])
  })

  it('measures thinking in tokens, for models that think', () => {
    const thinkingOf = (fields: JsonObject, model = 'command-a-reasoning-08-2025') =>
      send(fields, { model }).body['thinking']
    expect(thinkingOf({ reasoning_effort: 'low' })).toEqual({ type: 'enabled', token_budget: 1024 })
    expect(thinkingOf({ reasoning_effort: 'high' })).toEqual({ type: 'enabled' })
    expect(thinkingOf({ reasoning_effort: 'none' })).toEqual({ type: 'disabled' })
    expect(thinkingOf({ thinking: { type: 'enabled', budget_tokens: 2000 } })).toEqual({
      type: 'enabled',
      token_budget: 2000,
    })
    expect(thinkingOf({})).toBeUndefined()
    expect(thinkingOf({ reasoning_effort: 'none' }, 'command-r-plus')).toBeUndefined()
  })

  it('sends a tool loop, the plan of a model that does not think beside its calls', () => {
    const messages = [
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'I look it up.',
        tool_calls: [call('c1', 'weather', ''), call('c2', 'now', '{}')],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'sunny' },
      { role: 'tool', tool_call_id: 'c2', content: [{ type: 'text', text: '12:00' }] },
    ]
    const tools = [tool('weather', { parameters: strictParameters, strict: true }), tool('now')]
    const plain = send({ messages, tools }).body
    expect(plain['messages']).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        tool_plan: 'I look it up.',
        tool_calls: [call('c1', 'weather', '{}'), call('c2', 'now', '{}')],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'sunny' },
      { role: 'tool', tool_call_id: 'c2', content: [{ type: 'text', text: '12:00' }] },
    ])
    expect(plain).not.toHaveProperty('strict_tools')
    const thinking = send({ messages, tools }, { model: 'command-a-reasoning-08-2025' }).body
    expect(JSON.stringify(thinking)).toContain('"content":[{"type":"thinking","thinking":"I look it up."}]')
  })

  it('is strict where every tool can be', () => {
    const strict = tool('weather', { parameters: strictParameters, strict: true })
    expect(send({ tools: [strict] }).body['strict_tools']).toBe(true)
    expect(send({ tools: [strict, tool('now', { strict: true })] }).body).not.toHaveProperty('strict_tools')
  })

  it('offers only the tool that must be called', () => {
    const tools = [tool('weather'), tool('now')]
    const named = send({ tools, tool_choice: { type: 'function', function: { name: 'now' } } }).body
    expect(named['tool_choice']).toBe('REQUIRED')
    expect(named['tools']).toEqual([
      { type: 'function', function: { name: 'now', parameters: { type: 'object', properties: {} } } },
    ])
    expect(send({ tools, tool_choice: 'none' }).body['tool_choice']).toBe('NONE')
    expect(send({ tools, tool_choice: 'auto' }).body).not.toHaveProperty('tool_choice')
    const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [tool('now')] } }
    expect(send({ tools, tool_choice: allowed }).body).toMatchObject({ tool_choice: 'REQUIRED', tools: [{}] })
  })

  it('takes the older functions', () => {
    const { body } = send({
      functions: [{ name: 'now', parameters: { type: 'object' } }],
      function_call: { name: 'now' },
      messages: [
        { role: 'assistant', content: null, function_call: { name: 'now', arguments: '{}' } },
        { role: 'function', name: 'now', content: '12:00' },
      ],
    })
    expect(body['tool_choice']).toBe('REQUIRED')
    expect(body['messages']).toMatchObject([{ tool_calls: [{ id: 'now_0' }] }, { role: 'tool', tool_call_id: 'now_0' }])
  })

  it('asks for a schema, and beside tools for a call that stands for it', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }
    const format = { type: 'json_schema', json_schema: { name: 'x', schema } }
    expect(send({ response_format: format }).body['response_format']).toEqual({
      type: 'json_object',
      json_schema: schema,
    })
    const { body } = send({ response_format: format, tools: [tool('now')] })
    expect(body).toMatchObject({
      tool_choice: 'REQUIRED',
      tools: [{ function: { name: 'now' } }, { function: { name: 'json_tool_call', parameters: schema } }],
    })
  })

  it('refuses parts that Cohere has no form for', () => {
    const messages = [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: '', format: 'wav' } }] }]
    expect(thrownBy(() => send({ messages }))).toMatchObject({ status: 400, param: 'messages[0].content[0]' })
  })
})

describe("Cohere's answer", () => {
  const read = (body: unknown, fields: JsonObject = {}) =>
    chat.decode(body, exchange('chat', fields, { provider: 'cohere', model: 'command-a-03-2025' }))
  const answer = (message: JsonObject, more: JsonObject = {}) => ({
    id: 'a1',
    finish_reason: 'COMPLETE',
    message: { role: 'assistant', ...message },
    usage: {
      billed_units: { input_tokens: 3, output_tokens: 4 },
      tokens: { input_tokens: 70, output_tokens: 9, reasoning_tokens: 5 },
      cached_tokens: 32,
    },
    ...more,
  })

  it('becomes a completion; tokens count everything', () => {
    const content = [
      { type: 'thinking', thinking: 'Hm.' },
      { type: 'text', text: 'Hello' },
    ]
    expect(read(answer({ content }))).toMatchObject({
      id: 'a1',
      choices: [{ message: { content: 'Hello', reasoning_content: 'Hm.', refusal: null }, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: 70,
        completion_tokens: 9,
        total_tokens: 79,
        prompt_tokens_details: { cached_tokens: 32 },
        completion_tokens_details: { reasoning_tokens: 5 },
      },
    })
  })

  it('keeps text beside tool calls, and reads no arguments as an empty object', () => {
    const body = answer(
      {
        content: [{ type: 'text', text: 'One moment.' }],
        tool_plan: 'I will look.',
        tool_calls: [call('c1', 'now', 'null')],
      },
      { finish_reason: 'TOOL_CALL' },
    )
    expect(read(body).choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'One moment.',
        reasoning_content: 'I will look.',
        tool_calls: [{ id: 'c1', function: { name: 'now', arguments: '{}' } }],
      },
    })
  })

  it('turns the stand-in for a schema back into content', () => {
    const fields = { response_format: { type: 'json_object' }, tools: [tool('now')] }
    const body = answer({ tool_calls: [call('c1', 'json_tool_call', '{"a":1}')] }, { finish_reason: 'TOOL_CALL' })
    const [choice] = read(body, fields).choices
    expect(choice).toMatchObject({ finish_reason: 'stop', message: { content: '{"a":1}' } })
    expect(choice?.message).not.toHaveProperty('tool_calls')
  })

  it('annotates passages whose source has an address, and keeps every citation', () => {
    const source = { type: 'document', id: 'd', document: { url: 'https://example.com/a', title: 'A' } }
    const citations = [
      { start: 0, end: 5, text: 'Hello', sources: [source], content_index: 1 },
      { start: 0, end: 2, text: 'He', sources: [{ type: 'tool', tool_output: { roll: '1' } }] },
    ]
    const content = [
      { type: 'text', text: 'So. ' },
      { type: 'text', text: 'Hello' },
    ]
    const message = read(answer({ content, citations })).choices[0]?.message
    expect(message?.annotations).toEqual([
      {
        type: 'url_citation',
        url_citation: { start_index: 4, end_index: 9, url: 'https://example.com/a', title: 'A' },
      },
    ])
    expect(message?.provider_specific_fields).toMatchObject({ citations })
  })

  it('is an error where it ended with one', () => {
    const failed = { finish_reason: 'ERROR', error: 'invalid tool generation', error_type: 'INVALID_TOOL_GENERATION' }
    expect(thrownBy(() => read(answer({}, failed)))).toMatchObject({
      kind: 'upstream_error',
      message: 'invalid tool generation',
      code: 'INVALID_TOOL_GENERATION',
    })
    expect(thrownBy(() => read({ message: 'no such thing' })).message).toBe('no such thing')
    expect(thrownBy(() => read([]))).toMatchObject({ kind: 'upstream_invalid' })
    expect(read(answer({ content: [] }, { finish_reason: 'ERROR_LIMIT' })).choices[0]?.finish_reason).toBe('length')
    expect(read(answer({ content: [] }, { finish_reason: 'ERROR_TOXIC' })).choices[0]?.finish_reason).toBe(
      'content_filter',
    )
  })

  it('names refusals by their kind', () => {
    expect(cohereProtocol.failure(400, { error_type: 'TOO_MANY_TOKENS', message: 'size' })).toMatchObject({
      kind: 'context_window',
    })
    expect(cohereProtocol.failure(498, { message: 'blocked' })).toMatchObject({ kind: 'content_policy' })
    expect(cohereProtocol.failure(401, { message: 'invalid api token' })).toMatchObject({
      kind: 'upstream_authentication',
      message: 'invalid api token',
    })
  })
})
