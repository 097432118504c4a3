import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/wire/json.js'
import { refusals } from './strict-rules.js'

const hello = { role: 'user', content: [{ type: 'text', text: 'Hi' }] }
const good = { model: 'claude-sonnet-4-5', max_tokens: 2000, messages: [hello] }
const use = { type: 'tool_use', id: 'a', name: 'f', input: {} }
const tools = [{ name: 'f', input_schema: { type: 'object' } }]
const answer = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a' }] }
const asked = (...content: readonly JsonObject[]): JsonObject => ({ role: 'assistant', content })

describe('the mock of the API', () => {
  it('takes a good request', () => {
    expect(refusals(good)).toEqual([])
    expect(refusals({ ...good, tools, messages: [hello, asked(use), answer] })).toEqual([])
  })

  const thinking = { type: 'enabled', budget_tokens: 1024 }
  const cases: readonly (readonly [string, JsonObject])[] = [
    ['no max_tokens', { max_tokens: undefined }],
    ['an unknown member', { seed: 1 }],
    ['an assistant first', { messages: [asked({ type: 'text', text: 'x' }), hello] }],
    ['two of one role', { messages: [hello, hello] }],
    ['an empty text', { messages: [{ role: 'user', content: [{ type: 'text', text: ' ' }] }] }],
    ['an empty message', { messages: [{ role: 'user', content: [] }] }],
    ['a prefill that ends in white space', { messages: [hello, asked({ type: 'text', text: 'x ' })] }],
    ['a call without an answer', { tools, messages: [hello, asked(use), hello] }],
    ['an answer without a call', { tools, messages: [answer] }],
    [
      'a text before an answer',
      { tools, messages: [hello, asked(use), { role: 'user', content: [...hello.content, ...answer.content] }] },
    ],
    ['tool blocks without tools', { messages: [hello, asked(use), answer] }],
    [
      'a bad id',
      {
        tools,
        messages: [
          hello,
          asked({ ...use, id: 'a.b' }),
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a.b' }] },
        ],
      },
    ],
    ['a bad tool name', { tools: [{ ...tools[0], name: 'a.b' }] }],
    ['a tool without a schema', { tools: [{ name: 'f' }] }],
    ['a tool choice without tools', { tool_choice: { type: 'auto' } }],
    ['an unsigned thought', { messages: [hello, asked({ type: 'thinking', thinking: 'x' }), hello] }],
    ['a loop without its thinking', { thinking, tools, messages: [hello, asked(use), answer] }],
    ['a forced tool beside thinking', { thinking, tools, tool_choice: { type: 'any' } }],
    ['a temperature beside thinking', { thinking, temperature: 0.5 }],
    ['a budget above max_tokens', { thinking: { type: 'enabled', budget_tokens: 2000 } }],
    ['temperature and top_p', { temperature: 0.5, top_p: 0.5 }],
    ['a budget for a model without budgets', { model: 'claude-opus-4-7', thinking }],
    ['no thinking for a model that always thinks', { model: 'claude-opus-5-5', thinking: { type: 'disabled' } }],
    ['an open schema', { output_config: { format: { type: 'json_schema', schema: { type: 'object' } } } }],
    [
      'five cache marks',
      { system: ['1', '2', '3', '4', '5'].map((text) => ({ type: 'text', text, cache_control: {} })) },
    ],
  ]
  it.each(cases)('refuses %s', (_, change) => {
    expect(refusals({ ...good, ...change })).not.toEqual([])
  })
})
