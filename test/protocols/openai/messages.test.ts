import { describe, expect, it } from 'vitest'
import type { ChatMessage } from '../../../src/wire/chat.js'
import type { Quirks } from '../../../src/protocols/openai/quirks.js'
import { encodeChat } from './exchange.js'

const send = (message: unknown, messages: Quirks['messages'] = {}, quirks: Quirks = {}): unknown => {
  const { body } = encodeChat({ messages: [message as ChatMessage] }, { ...quirks, messages })
  const list = body['messages'] as unknown[]
  return list.length === 1 ? list[0] : list
}

const call = (id: string, text = '{}') => ({ id, type: 'function', function: { name: 'f', arguments: text } })

describe('messages', () => {
  it('have images as objects, without the members that only we read', () => {
    const parts = [
      { type: 'image_url', image_url: 'https://x/y.png' },
      { type: 'image_url', image_url: { url: 'https://x/z.png', detail: 'low', format: 'image/png' } },
      { type: 'file', file: { file_data: 'data:,', filename: 'a', format: 'application/pdf' } },
    ]
    expect(send({ role: 'user', content: parts })).toEqual({
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'https://x/y.png' } },
        { type: 'image_url', image_url: { url: 'https://x/z.png', detail: 'low' } },
        { type: 'file', file: { file_data: 'data:,', filename: 'a' } },
      ],
    })
  })

  it('keep parts of unknown type and unknown members', () => {
    const message = { role: 'user', content: [{ type: 'video_url', video_url: { url: 'x' } }], weight: 1 }
    expect(send(message)).toEqual(message)
  })

  it('are one string where the provider takes no lists, unless there is more than text in them', () => {
    const text = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ]
    expect(send({ role: 'user', content: text }, { flattenText: true })).toEqual({ role: 'user', content: 'ab' })
    const mixed = [...text, { type: 'image_url', image_url: { url: 'x' } }]
    expect(send({ role: 'user', content: mixed }, { flattenText: true })).toEqual({ role: 'user', content: mixed })
  })

  it('give tool results as strings where they must be', () => {
    const result = (content: unknown) => ({ role: 'tool', tool_call_id: 'c', content })
    expect(send(result([{ type: 'text', text: 'a' }]), { toolContentString: true })).toEqual(result('a'))
    const image = [{ type: 'image_url', image_url: { url: 'x' } }]
    expect(send(result(image), { toolContentString: true })).toEqual(result(JSON.stringify(image)))
  })

  it('lose names where they are refused', () => {
    expect(send({ role: 'user', content: 'x', name: 'n' }, { dropName: 'always' })).toEqual({
      role: 'user',
      content: 'x',
    })
    const result = { role: 'tool', tool_call_id: 'c', content: 'x', name: 'f' }
    expect(send(result, { dropName: 'except_tool' })).toEqual(result)
    expect(send({ ...result, name: '' }, { dropName: 'except_tool' })).not.toHaveProperty('name')
  })

  it('know instructions by the role that the provider knows', () => {
    const instruction = { role: 'developer', content: 'x' }
    expect(send(instruction)).toEqual({ role: 'system', content: 'x' })
    expect(send(instruction, { developerRole: true })).toEqual(instruction)
    expect(send(instruction, {}, { modelRules: true })).toEqual(instruction)
  })

  it('keep cache marks only where they are understood', () => {
    const control = { type: 'ephemeral' }
    const message = {
      role: 'user',
      content: [{ type: 'text', text: 'a', cache_control: control }],
      cache_control: control,
    }
    expect(send(message)).toEqual({ role: 'user', content: [{ type: 'text', text: 'a' }] })
    expect(send(message, { keepCacheControl: /acme/ })).toEqual(message)
    expect(send(message, { keepCacheControl: /claude/ })).not.toHaveProperty('cache_control')
  })

  it('carry the cache mark on their last part where only parts have one', () => {
    const control = { type: 'ephemeral' }
    const quirks = { keepCacheControl: /./, cacheControlOnParts: true }
    expect(send({ role: 'user', content: 'a', cache_control: control }, quirks)).toEqual({
      role: 'user',
      content: [{ type: 'text', text: 'a', cache_control: control }],
    })
    const parts = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
    ]
    expect(send({ role: 'user', content: parts, cache_control: control }, quirks)).toEqual({
      role: 'user',
      content: [parts[0], { ...parts[1], cache_control: control }],
    })
  })
})

describe('assistant messages', () => {
  const called = { role: 'assistant', content: null, tool_calls: [call('c1')] }

  it('leave reasoning at home unless the provider wants it back', () => {
    const message = {
      role: 'assistant',
      content: 'a',
      reasoning_content: 'r',
      thinking_blocks: [],
      provider_specific_fields: {},
    }
    expect(send(message)).toEqual({ role: 'assistant', content: 'a' })
    expect(send(message, { reasoningContent: 'as_given' })).toEqual({
      role: 'assistant',
      content: 'a',
      reasoning_content: 'r',
    })
  })

  // Case 36: DeepSeek and Kimi refuse a history without it.
  it('bring reasoning back on every turn, or on those with tool calls, also for clients that dropped it', () => {
    expect(send({ role: 'assistant', content: 'a' }, { reasoningContent: 'always' })).toMatchObject({
      reasoning_content: '',
    })
    expect(send({ ...called, reasoning_content: 'r' }, { reasoningContent: 'always' })).toMatchObject({
      reasoning_content: 'r',
    })
    expect(send(called, { reasoningContent: 'tool_calls' })).toMatchObject({ reasoning_content: ' ' })
    const plain = { role: 'assistant', content: 'a', reasoning_content: 'r' }
    expect(send(plain, { reasoningContent: 'tool_calls' })).not.toHaveProperty('reasoning_content')
  })

  it('have no nulls where they are refused, and are left out where empty ones are', () => {
    expect(send({ ...called, refusal: null }, { dropNulls: true })).toEqual({
      role: 'assistant',
      tool_calls: [call('c1')],
    })
    const messages = [{ role: 'assistant', content: '' }, called] as ChatMessage[]
    expect(encodeChat({ messages }, { messages: { dropEmptyAssistant: true } }).body['messages']).toEqual([called])
  })

  it('have arguments that are JSON', () => {
    expect(send({ ...called, tool_calls: [call('c1', '')] })).toEqual(called)
  })

  it('keep a provider’s own members of tool calls, unless it refuses them', () => {
    const signed = { ...call('c1'), extra_content: { google: { thought_signature: 's' } }, index: 0 }
    expect(send({ ...called, tool_calls: [signed] })).toEqual({ ...called, tool_calls: [signed] })
    expect(send({ ...called, tool_calls: [signed] }, { plainToolCalls: true })).toEqual(called)
  })

  // Case 40.
  it('name tool calls with nine alphanumerics where they must, the same in call and result', () => {
    const messages = [
      { ...called, tool_calls: [call('call_abc'), call('AbCdEfGh1')] },
      { role: 'tool', tool_call_id: 'call_abc', content: 'x' },
      { role: 'tool', tool_call_id: 'AbCdEfGh1', content: 'y' },
    ] as ChatMessage[]
    const { body } = encodeChat({ messages }, { messages: { shortToolCallIds: true } })
    const [assistant, first, second] = body['messages'] as [
      ChatMessage & { tool_calls: { id: string }[] },
      ChatMessage,
      ChatMessage,
    ]
    const [long, short] = assistant.tool_calls
    expect(long?.id).toMatch(/^[A-Za-z0-9]{9}$/)
    expect(first).toMatchObject({ tool_call_id: long?.id })
    expect(short?.id).toBe('AbCdEfGh1')
    expect(second).toMatchObject({ tool_call_id: 'AbCdEfGh1' })
  })
})
