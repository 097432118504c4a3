import { describe, expect, it } from 'vitest'
import { refusals } from './strict-rules.js'

const plain = { model: 'gpt-5.5', store: false, input: [{ role: 'user', content: 'hi' }] }

describe('the rules of the real API', () => {
  it('let a plain request pass', () => {
    expect(refusals(plain)).toEqual([])
  })

  it.each([
    ['a chat member', { messages: [] }],
    ['a small limit', { max_output_tokens: 5 }],
    ['no input', { input: [] }],
    ['a tool role', { input: [{ role: 'tool', content: 'x' }] }],
    ['chat parts', { input: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] }],
    ['input parts of the assistant', { input: [{ role: 'assistant', content: [{ type: 'input_text', text: 'x' }] }] }],
    ['a call without output', { input: [{ type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' }] }],
    ['an output without call', { input: [{ type: 'function_call_output', call_id: 'a', output: '' }] }],
    ['reasoning at the end', { input: [{ type: 'reasoning', summary: [], encrypted_content: 'x' }] }],
    [
      'reasoning that nobody stores',
      {
        input: [
          { type: 'reasoning', id: 'rs_1', summary: [] },
          { role: 'assistant', content: 'x' },
        ],
      },
    ],
    ['a nested tool', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['a tool without strict', { tools: [{ type: 'function', name: 'f' }] }],
    [
      'an open strict schema',
      { tools: [{ type: 'function', name: 'f', strict: true, parameters: { type: 'object' } }] },
    ],
    [
      'a nested choice',
      { tools: [{ type: 'web_search' }], tool_choice: { type: 'function', function: { name: 'f' } } },
    ],
    ['a schema without a name', { text: { format: { type: 'json_schema', schema: {} } } }],
    ['temperature while reasoning', { model: 'gpt-5', temperature: 0.2 }],
    ['encrypted reasoning of a model without', { model: 'gpt-4.1', include: ['reasoning.encrypted_content'] }],
    ['a null', { temperature: null }],
  ])('refuse %s', (_name, members) => {
    expect(refusals({ ...plain, ...members })).not.toEqual([])
  })
})
