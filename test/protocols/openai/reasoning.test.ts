import { describe, expect, it } from 'vitest'
import type { ReasoningControl } from '../../../src/protocols/openai/quirks.js'
import { encodeChat } from './exchange.js'

const send = (control: ReasoningControl | undefined, fields: Record<string, unknown>) => {
  const { messages: _messages, model: _model, ...rest } = encodeChat(fields, control ? { reasoning: control } : {}).body
  return rest
}

const budget = { thinking: { type: 'enabled', budget_tokens: 6000 } }
const off = { thinking: { type: 'disabled' } }
const high = { reasoning_effort: 'high' }
const none = { reasoning_effort: 'none' }

describe('reasoning', () => {
  const rows: [ReasoningControl | undefined, Record<string, unknown>, Record<string, unknown>][] = [
    [undefined, high, high],
    [undefined, budget, { reasoning_effort: 'medium' }],
    ['reasoning_effort', off, { reasoning_effort: 'none' }],
    ['reasoning_effort', { thinking: { type: 'enabled' } }, { reasoning_effort: 'medium' }],
    ['reasoning_effort', { thinking: { type: 'enabled', budget_tokens: 12_000 } }, high],
    ['reasoning_effort', { thinking: { type: 'enabled', budget_tokens: 1_024 } }, { reasoning_effort: 'minimal' }],
    ['reasoning_object', high, { reasoning: { effort: 'high' } }],
    ['reasoning_object', budget, { reasoning: { max_tokens: 6000 } }],
    ['reasoning_object', none, { reasoning: { enabled: false } }],
    ['thinking_type', high, { thinking: { type: 'enabled' } }],
    ['thinking_type', none, { thinking: { type: 'disabled' } }],
    [
      'thinking_type',
      { thinking: { type: 'auto', clear_thinking: false } },
      { thinking: { type: 'auto', clear_thinking: false } },
    ],
    ['thinking_type_and_effort', high, { thinking: { type: 'enabled' }, reasoning_effort: 'high' }],
    ['thinking_type_and_effort', off, { thinking: { type: 'disabled' } }],
    ['thinking_budget', budget, budget],
    ['thinking_budget', high, { thinking: { type: 'enabled', budget_tokens: 4096 } }],
    ['enable_thinking', budget, { enable_thinking: true, thinking_budget: 6000 }],
    ['enable_thinking', none, { enable_thinking: false }],
    ['chat_template', high, { chat_template_kwargs: { enable_thinking: true } }],
    ['none', none, {}],
  ]

  it.each(rows)('is asked for by %s: %j becomes %j', (control, asked, sent) => {
    expect(send(control, asked)).toEqual(sent)
  })

  it('is refused by a provider that has no word for it', () => {
    expect(() => send('none', high)).toThrow(/reasoning_effort/)
    expect(() => send('none', budget)).toThrow(/thinking/)
  })

  it('leaves the provider’s own fields alone', () => {
    expect(send('enable_thinking', { ...high, enable_thinking: false })).toEqual({ enable_thinking: false })
    expect(send('chat_template', { ...high, chat_template_kwargs: { a: 1 } })).toEqual({
      chat_template_kwargs: { a: 1, enable_thinking: true },
    })
  })

  it('names efforts as the provider does', () => {
    const quirks = { reasoning: 'thinking_type_and_effort', efforts: { medium: 'high', xhigh: 'max' } } as const
    expect(encodeChat({ reasoning_effort: 'xhigh' }, quirks).body).toMatchObject({ reasoning_effort: 'max' })
    expect(encodeChat({ reasoning_effort: 'low' }, quirks).body).toMatchObject({ reasoning_effort: 'low' })
  })

  it('passes an allow-list that does not name it where the provider has a control', () => {
    const quirks = { reasoning: 'thinking_type', supported: ['temperature'] } as const
    expect(encodeChat(high, quirks).body).toMatchObject({ thinking: { type: 'enabled' } })
  })
})
