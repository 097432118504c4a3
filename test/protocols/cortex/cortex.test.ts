import { describe, expect, it } from 'vitest'
import { cortexChat } from '../../../src/protocols/cortex/index.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { encode, event, exchange, thrownBy } from '../further-exchange.js'

const tools = [
  {
    type: 'function',
    function: { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } },
  },
]
const ask = (fields: JsonObject, changes = {}) => encode(cortexChat, 'chat', fields, changes)

function read(events: readonly unknown[], ends = true) {
  const decoder = cortexChat.decodeStream?.(exchange('chat', { stream: true }))
  if (!decoder) throw new Error('no stream')
  const parts = [...events.flatMap((one) => decoder.push(event(one))), ...(ends ? decoder.end() : [])]
  const choices = parts.flatMap(({ chunk }) => chunk?.choices ?? [])
  return {
    text: choices.map(({ delta }) => delta.content ?? '').join(''),
    calls: choices.flatMap(({ delta }) => delta.tool_calls ?? []),
    finish: choices.flatMap(({ finish_reason: reason }) => reason ?? []),
    usage: parts.findLast(({ chunk }) => chunk?.usage)?.chunk?.usage,
  }
}

const delta = (value: JsonObject, usage: JsonObject = {}) => ({
  id: 'c1',
  model: 'm',
  choices: [{ delta: value }],
  usage,
})

describe('a request', () => {
  it('has its parameters, functions and schema in the words of the API', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' } } }
    const { sent, body } = ask({
      max_completion_tokens: 9,
      temperature: 0.2,
      tools,
      tool_choice: { type: 'function', function: { name: 'look' } },
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema } },
      guardrails_of_snowflake: { enabled: true },
    })
    expect(sent.path).toBe('/cortex/inference:complete')
    expect(body).toMatchObject({
      messages: [{ role: 'user', content: 'hi' }],
      stream: false,
      max_tokens: 9,
      temperature: 0.2,
      tools: [
        {
          tool_spec: {
            type: 'generic',
            name: 'look',
            description: 'Looks.',
            input_schema: { type: 'object', properties: {} },
          },
        },
      ],
      tool_choice: { type: 'tool', name: ['look'] },
      response_format: { type: 'json', schema },
      guardrails_of_snowflake: { enabled: true },
    })
  })

  it.each([
    ['auto', 'auto'],
    ['required', 'any'],
    ['none', 'none'],
  ])('says of the choice %s: %s', (choice, type) => {
    expect(ask({ tools, tool_choice: choice }).body['tool_choice']).toEqual({ type })
  })

  it('gives calls and their results back, results that follow each other in one message', () => {
    const call = (id: string) => ({ id, type: 'function', function: { name: 'look', arguments: '{"at":1}' } })
    const { body } = ask({
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'Look.' }] },
        { role: 'assistant', content: 'So:', tool_calls: [call('a'), call('b')] },
        { role: 'tool', tool_call_id: 'a', content: 'one' },
        { role: 'tool', tool_call_id: 'b', content: 'two' },
      ],
    })
    const use = (id: string) => ({ type: 'tool_use', tool_use: { tool_use_id: id, name: 'look', input: { at: 1 } } })
    const result = (id: string, text: string) => ({
      type: 'tool_results',
      tool_results: { tool_use_id: id, name: 'look', content: [{ type: 'text', text }] },
    })
    expect(body['messages']).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Look.' },
      { role: 'assistant', content: 'So:', content_list: [{ type: 'text', text: 'So:' }, use('a'), use('b')] },
      { role: 'user', content_list: [result('a', 'one'), result('b', 'two')] },
    ])
  })

  it('is refused by name where the API cannot honour it', () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } }
    expect(thrownBy(() => ask({ messages: [{ role: 'user', content: [image] }] })).param).toBe('messages[0].content[0]')
    expect(thrownBy(() => ask({ seed: 1 })).message).toMatch(/seed/)
    expect(thrownBy(() => ask({ tools: [{ type: 'web_search' }] })).message).toMatch(/tools\[0\]/)
    const lost = ask({ seed: 1, parallel_tool_calls: false, tools }, { dropParams: true }).sent.droppedParams
    expect(lost).toEqual(['seed', 'parallel_tool_calls'])
  })
})

describe('an answer', () => {
  it('is read with its calls and its tokens', () => {
    const answer = cortexChat.decode(
      {
        id: 'c1',
        model: 'claude',
        choices: [
          {
            message: {
              content: '',
              content_list: [
                { type: 'text', text: 'So:' },
                { type: 'tool_use', tool_use: { tool_use_id: 't1', name: 'look', input: { at: 1 } } },
              ],
            },
          },
        ],
        usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
      },
      exchange('chat'),
    )
    expect(answer).toMatchObject({
      id: 'c1',
      choices: [
        {
          message: { content: 'So:', tool_calls: [{ id: 't1', function: { name: 'look', arguments: '{"at":1}' } }] },
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    })
    const oldest = cortexChat.decode({ choices: [{ messages: 'Hi.' }] }, exchange('chat'))
    expect(oldest.choices).toMatchObject([{ message: { content: 'Hi.' }, finish_reason: 'stop' }])
    expect(oldest.usage).toBeUndefined()
  })

  it('is an error where it holds one, or nothing', () => {
    expect(thrownBy(() => cortexChat.decode({ message: 'no quota' }, exchange('chat'))).message).toBe('no quota')
    expect(thrownBy(() => cortexChat.decode({}, exchange('chat')))).toMatchObject({ kind: 'upstream_invalid' })
  })
})

describe('a stream', () => {
  it('is text, then calls whose input comes in pieces', () => {
    const { text, calls, finish, usage } = read([
      delta({ type: 'text', content: 'Gr', content_list: [{ type: 'text', text: 'Gr' }], text: 'Gr' }),
      delta({ type: 'text', content: 'üße', text: 'üße' }),
      delta({ type: 'tool_use', tool_use_id: 't1', name: 'look', content_list: [{ tool_use_id: 't1', name: 'look' }] }),
      delta({ type: 'tool_use', input: '', content_list: [{ input: '' }] }),
      delta({ type: 'tool_use', input: '{"at"', content_list: [{ input: '{"at"' }] }),
      delta({ type: 'tool_use', content_list: [{ type: 'tool_use', input: ':1}' }] }),
      delta({ type: 'tool_use', tool_use_id: 't2', name: 'rest' }),
      delta({ type: 'text', content: '' }, { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }),
    ])
    expect(text).toBe('Grüße')
    expect(calls.map(({ index, id, function: called }) => [index, id, called?.name, called?.arguments])).toEqual([
      [0, 't1', 'look', ''],
      [0, undefined, undefined, '{"at"'],
      [0, undefined, undefined, ':1}'],
      [1, 't2', 'rest', ''],
      [1, undefined, undefined, '{}'],
    ])
    expect(finish).toEqual(['tool_calls'])
    expect(usage).toEqual({ prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 })
  })

  it('ends with the reason that it brings, else with its end', () => {
    expect(read([{ choices: [{ delta: { content: 'a' }, finish_reason: 'length' }] }]).finish).toEqual(['length'])
    expect(read([delta({ content: 'a' }), '[DONE]']).finish).toEqual(['stop'])
  })

  it('is an error where it holds one, and cut off where nothing came', () => {
    expect(thrownBy(() => read([delta({ content: 'a' }), { message: 'no quota', code: '390' }])).message).toBe(
      'no quota',
    )
    expect(thrownBy(() => read([]))).toMatchObject({ kind: 'stream_truncated' })
  })
})
