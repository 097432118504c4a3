import { describe, expect, it } from 'vitest'
import {
  argumentsOf,
  calledNames,
  madeCallId,
  namedTool,
  pastCalls,
  toArgumentsText,
  toolChoiceOf,
  toolsOf,
} from '../../src/protocols/tool-calls.js'
import { ChatRequest } from '../../src/wire/chat.js'

const request = (fields: object) =>
  ChatRequest.parse({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields })

describe('tools of a request', () => {
  it('include the older functions, and the older choice among them', () => {
    const asked = request({ functions: [{ name: 'f', parameters: {} }], function_call: { name: 'f' } })
    expect(toolsOf(asked)).toEqual([{ type: 'function', function: { name: 'f', parameters: {} } }])
    expect(namedTool(toolChoiceOf(asked))).toBe('f')
    expect(toolChoiceOf(request({ function_call: 'auto' }))).toBe('auto')
    expect(toolChoiceOf(request({}))).toBeUndefined()
    expect(namedTool(toolChoiceOf(request({ tool_choice: { type: 'function', function: { name: 'g' } } })))).toBe('g')
    expect(namedTool('required')).toBeUndefined()
  })
})

describe('calls of a conversation', () => {
  it('are read in every form', () => {
    const custom = { id: 'c', type: 'custom', custom: { name: 'sql', input: 'select 1' } }
    const plain = { id: 'd', type: 'function', function: { name: 'f', arguments: '{}' } }
    expect(pastCalls({ role: 'assistant', tool_calls: [custom, plain] })).toEqual([
      { id: 'c', name: 'sql', arguments: '{"input":"select 1"}' },
      { id: 'd', name: 'f', arguments: '{}' },
    ])
    expect(pastCalls({ role: 'assistant', function_call: { name: 'f', arguments: '{}' } })).toEqual([
      { id: '', name: 'f', arguments: '{}' },
    ])
    const { messages } = request({ messages: [{ role: 'assistant', tool_calls: [plain] }] })
    expect(calledNames(messages).get('d')).toBe('f')
  })

  it('have arguments as an object and as text', () => {
    expect([argumentsOf('{"a":1}'), argumentsOf(' '), argumentsOf('null'), argumentsOf('x')]).toEqual([
      { a: 1 },
      {},
      {},
      { input: 'x' },
    ])
    expect([{ a: 1 }, undefined, null, '', 'null', '{"a":1}'].map(toArgumentsText)).toEqual([
      '{"a":1}',
      '{}',
      '{}',
      '{}',
      '{}',
      '{"a":1}',
    ])
  })

  it('get ids of their place, always the same', () => {
    const id = 'abcdefghijklmnopqrstuvwx'
    expect(madeCallId(id, 0, 0)).toBe('call_abcdefghijklmnopqrst0000')
    expect(new Set([madeCallId(id, 0, 1), madeCallId(id, 1, 0), madeCallId(id, 0, 0)]).size).toBe(3)
  })
})
