import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/wire/json.js'
import { encode } from './exchange.js'

const weather = { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }
const call = (id: string, args = '{}', name = 'weather'): JsonObject => ({
  id,
  type: 'function',
  function: { name, arguments: args },
})
const user = (content: unknown): JsonObject => ({ role: 'user', content })
const assistant = (...calls: readonly JsonObject[]): JsonObject => ({
  role: 'assistant',
  content: null,
  tool_calls: calls,
})
const result = (id: string, content: unknown = 'sunny'): JsonObject => ({ role: 'tool', tool_call_id: id, content })

const messagesOf = (...messages: readonly JsonObject[]): unknown =>
  encode({ messages, tools: [weather] }).body['messages']

describe('system messages', () => {
  it('hoists system and developer messages from anywhere, in their order', () => {
    const { body } = encode({
      messages: [
        { role: 'system', content: 'One.' },
        user('Hi'),
        { role: 'developer', content: [{ type: 'text', text: 'Two.', cache_control: { type: 'ephemeral' } }] },
        { role: 'assistant', content: 'Hello' },
        { role: 'system', content: '  ' },
        { role: 'system', content: 'Three.' },
        user('Bye'),
      ],
    })
    expect(body['system']).toEqual([
      { type: 'text', text: 'One.' },
      { type: 'text', text: 'Two.', cache_control: { type: 'ephemeral' } },
      { type: 'text', text: 'Three.' },
    ])
    expect(body['messages']).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'Hello' }] },
      { role: 'user', content: [{ type: 'text', text: 'Bye' }] },
    ])
  })

  it('sends a user turn where there are only system messages', () => {
    const { body } = encode({ messages: [{ role: 'system', content: 'Be brief.' }] })
    expect(body['messages']).toEqual([{ role: 'user', content: [{ type: 'text', text: '.' }] }])
  })

  it('refuses an image in a system message, naming the message', () => {
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
    expect(() => encode({ messages: [user('Hi'), { role: 'system', content: [image] }] })).toThrow(/messages\[1\]/)
  })
})

describe('alternation', () => {
  it('merges neighbours of one role', () => {
    expect(
      messagesOf(
        user('a'),
        user([{ type: 'text', text: 'b' }]),
        { role: 'assistant', content: 'c' },
        { role: 'assistant', content: 'd' },
        user('e'),
      ),
    ).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'c' },
          { type: 'text', text: 'd' },
        ],
      },
      { role: 'user', content: [{ type: 'text', text: 'e' }] },
    ])
  })

  it('starts with a user turn where the history starts with the assistant', () => {
    expect(messagesOf({ role: 'assistant', content: 'Welcome!' }, user('Hi'))).toMatchObject([
      { role: 'user', content: [{ text: '.' }] },
      { role: 'assistant' },
      { role: 'user' },
    ])
  })

  it('leaves empty texts out and never sends an empty turn', () => {
    expect(messagesOf(user(''), { role: 'assistant', content: '' }, user([{ type: 'text', text: ' \n' }]))).toEqual([
      { role: 'user', content: [{ type: 'text', text: '.' }] },
    ])
  })

  it('trims a prefill, and refuses it where the model continues no assistant message', () => {
    const messages = [user('A poem'), { role: 'assistant', content: 'Roses are \n' }]
    expect(encode({ messages }).body['messages']).toMatchObject([{}, { content: [{ text: 'Roses are' }] }])
    expect(() => encode({ messages }, { model: 'claude-opus-4-7' })).toThrow(/messages\[|must end with a user/)
    const override = { model: 'claude-sonnet-4-5', capabilities: { assistantPrefill: false } }
    expect(() => encode({ messages }, override)).toThrow(/must end with a user/)
  })
})

describe('tool calls and their results', () => {
  it('puts parallel results into one user message, results first, in their order', () => {
    expect(
      messagesOf(user('?'), assistant(call('a'), call('b')), result('b', 'B'), result('a', 'A'), user('Thanks')),
    ).toEqual([
      { role: 'user', content: [{ type: 'text', text: '?' }] },
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'a', name: 'weather', input: {} },
          { type: 'tool_use', id: 'b', name: 'weather', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'b', content: 'B' },
          { type: 'tool_result', tool_use_id: 'a', content: 'A' },
          { type: 'text', text: 'Thanks' },
        ],
      },
    ])
  })

  it('puts results first also where the user spoke between call and result', () => {
    expect(messagesOf(user('?'), assistant(call('a')), user('Hurry'), result('a'))).toMatchObject([
      {},
      {},
      {
        content: [
          { type: 'tool_result', tool_use_id: 'a' },
          { type: 'text', text: 'Hurry' },
        ],
      },
    ])
  })

  it('answers a call that nobody answered', () => {
    const answered = { type: 'tool_result', tool_use_id: 'b', is_error: true }
    expect(messagesOf(user('?'), assistant(call('a'), call('b')), result('a'))).toMatchObject([
      {},
      {},
      { content: [{}, answered] },
    ])
    expect(messagesOf(user('?'), assistant(call('b')))).toMatchObject([{}, {}, { role: 'user', content: [answered] }])
    expect(messagesOf(user('?'), assistant(call('b')), user('Well?'))).toMatchObject([
      {},
      {},
      { content: [answered, {}] },
    ])
  })

  it('answers what is open before it tells of a result that answers no call', () => {
    const messages = [user('?'), assistant(call('a'), call('b')), result('a'), result('lost')]
    expect(messagesOf(...messages)).toMatchObject([
      {},
      {},
      { content: [{ tool_use_id: 'a' }, { tool_use_id: 'b', is_error: true }, { type: 'text' }] },
    ])
  })

  it('turns a result that answers no call into text', () => {
    expect(
      messagesOf(user('?'), result('lost', 'rain'), { role: 'assistant', content: 'Ok' }, user('!')),
    ).toMatchObject([
      {
        content: [
          { type: 'text', text: 'Result of the tool call lost: rain' },
          { type: 'text', text: '?' },
        ],
      },
      {},
      {},
    ])
  })

  it.each(['', '  '])('sends arguments %j as an empty object', (args) => {
    expect(messagesOf(user('?'), assistant(call('a', args)), result('a'))).toMatchObject([
      {},
      { content: [{ input: {} }] },
      {},
    ])
  })

  it.each(['{"a":', '[1]', '"x"'])('refuses arguments %s, naming the message', (args) => {
    expect(() => messagesOf(user('?'), assistant(call('a', args)), result('a'))).toThrow(
      expect.objectContaining({ status: 400, param: 'messages[1].tool_calls[0].function.arguments' }),
    )
  })

  it('keeps ids of one conversation apart although a client repeats them', () => {
    expect(
      messagesOf(user('?'), assistant(call('c')), result('c', '1'), assistant(call('c')), result('c', '2')),
    ).toMatchObject([
      {},
      { content: [{ id: 'c' }] },
      { content: [{ tool_use_id: 'c', content: '1' }] },
      { content: [{ id: 'c_2' }] },
      { content: [{ tool_use_id: 'c_2', content: '2' }] },
    ])
  })

  it('makes foreign ids fit, the same way in call and result', () => {
    const id = `call:${'x'.repeat(80)}`
    const messages = messagesOf(
      user('?'),
      assistant(call(id), call('a.b'), call('a:b')),
      result(id),
      result('a:b'),
      result('a.b'),
    )
    const [, asked, answered] = JSON.parse(JSON.stringify(messages))
    const ids = asked.content.map((block: JsonObject) => block['id'])
    expect(new Set(ids).size).toBe(3)
    expect(answered.content.map((block: JsonObject) => block['tool_use_id'])).toEqual([ids[0], ids[2], ids[1]])
  })

  it('sends an empty result without content, and parts as blocks', () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }
    expect(
      messagesOf(
        user('?'),
        assistant(call('a'), call('b')),
        result('a', ''),
        result('b', [{ type: 'text', text: 'see' }, image]),
      ),
    ).toMatchObject([
      {},
      {},
      { content: [{ type: 'tool_result', tool_use_id: 'a' }, { content: [{ text: 'see' }, { type: 'image' }] }] },
    ])
  })

  it('translates the legacy function_call and its result', () => {
    expect(
      messagesOf(
        user('?'),
        { role: 'assistant', content: null, function_call: { name: 'weather', arguments: '{"c":1}' } },
        { role: 'function', name: 'weather', content: 'sunny' },
      ),
    ).toEqual([
      { role: 'user', content: [{ type: 'text', text: '?' }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'function_call_1', name: 'weather', input: { c: 1 } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'function_call_1', content: 'sunny' }] },
    ])
  })

  it('puts text before calls where assistant messages are merged', () => {
    expect(
      messagesOf(
        user('?'),
        assistant(call('a')),
        { ...assistant(call('b')), content: 'And' },
        result('a'),
        result('b'),
      ),
    ).toMatchObject([{}, { content: [{ type: 'text' }, { id: 'a' }, { id: 'b' }] }, {}])
  })

  it('defines the tools of the history where the request brings none, and lets none be called', () => {
    const { body } = encode({ messages: [user('?'), assistant(call('a')), result('a', '')] })
    expect(body['tools']).toEqual([{ name: 'weather', input_schema: { type: 'object', properties: {} } }])
    expect(body['tool_choice']).toEqual({ type: 'none' })
  })
})

describe('thinking in the history', () => {
  const thought = { type: 'thinking', thinking: 'Let me see… \n', signature: 'sig+/=' }
  const redacted = { type: 'redacted_thinking', data: 'b3BhcXVl' }

  it('sends signed and redacted thinking back first and unchanged', () => {
    const messages = [
      user('?'),
      { ...assistant(call('a')), content: 'I look.', thinking_blocks: [thought, redacted] },
      result('a'),
    ]
    const { body } = encode({ messages, tools: [weather], thinking: { type: 'enabled', budget_tokens: 2000 } })
    expect(body['messages']).toMatchObject([
      {},
      { content: [thought, redacted, { type: 'text' }, { type: 'tool_use' }] },
      {},
    ])
    expect(body['thinking']).toEqual({ type: 'enabled', budget_tokens: 2000 })
  })

  it('puts the thinking of merged messages first, but leaves blocks within content where they stand', () => {
    const ran = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'bash_code_execution', input: {} }
    const output = { type: 'bash_code_execution_tool_result', tool_use_id: 'srvtoolu_1', content: {} }
    const content = [ran, output, redacted, { type: 'text', text: 'b' }]
    const second = { role: 'assistant', content, thinking_blocks: [thought] }
    expect(messagesOf(user('?'), { role: 'assistant', content: 'a' }, second, user('!'))).toMatchObject([
      {},
      { content: [thought, { text: 'a' }, ...content] },
      {},
    ])
  })

  it('drops thinking without a signature, which another model wrote', () => {
    const blocks = [
      { type: 'thinking', thinking: 'foreign' },
      { ...thought, signature: '' },
    ]
    expect(
      messagesOf(user('?'), { role: 'assistant', content: 'Hi', thinking_blocks: blocks }, user('!')),
    ).toMatchObject([{}, { content: [{ type: 'text', text: 'Hi' }] }, {}])
  })

  it('switches manual thinking off in a tool loop whose thinking is not known, and says so', () => {
    const messages = [user('?'), assistant(call('a')), result('a')]
    const { body, upstream } = encode({ messages, tools: [weather], reasoning_effort: 'high' })
    expect(body['thinking']).toEqual({ type: 'disabled' })
    expect(upstream.droppedParams).toEqual(['reasoning_effort'])
  })

  it('keeps thinking on where the loop began with thinking and its later steps have none', () => {
    const messages = [
      user('?'),
      { ...assistant(call('a')), thinking_blocks: [thought] },
      result('a'),
      assistant(call('b')),
      result('b'),
    ]
    const { body, upstream } = encode({ messages, tools: [weather], reasoning_effort: 'low' })
    expect(body['thinking']).toEqual({ type: 'enabled', budget_tokens: 1024 })
    expect(upstream.droppedParams).toEqual([])
  })

  it('keeps thinking on after a plain answer, and adaptive thinking always', () => {
    const plain = [user('?'), { role: 'assistant', content: 'Hi' }, user('!')]
    expect(encode({ messages: plain, reasoning_effort: 'low' }).body['thinking']).toMatchObject({ type: 'enabled' })
    const loop = [user('?'), assistant(call('a')), result('a')]
    const { body } = encode(
      { messages: loop, tools: [weather], reasoning_effort: 'low' },
      { model: 'claude-sonnet-4-6' },
    )
    expect(body['thinking']).toEqual({ type: 'adaptive' })
  })
})

describe('tools that the servers of Claude ran', () => {
  const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } }
  const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] }

  it('sends them back with their results, before the text', () => {
    const fields = { server_tool_calls: [search, { ...search, id: 'srvtoolu_2' }], web_search_results: [found] }
    expect(
      messagesOf(user('?'), { role: 'assistant', content: 'Found.', provider_specific_fields: fields }, user('!')),
    ).toMatchObject([{}, { content: [search, found, { type: 'text' }] }, {}])
  })

  it('never asks the caller for the result of such a call', () => {
    const calls = [{ ...call('srvtoolu_9'), function: { name: 'web_search', arguments: '{}' } }]
    expect(messagesOf(user('?'), { role: 'assistant', content: 'Ok', tool_calls: calls }, user('!'))).toMatchObject([
      {},
      { content: [{ type: 'text', text: 'Ok' }] },
      {},
    ])
  })
})
