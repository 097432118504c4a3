import { describe, expect, it } from 'vitest'
import { createReasoningMemory } from '../../../src/call/reasoning-memory.js'
import { ChatRequest } from '../../../src/wire/chat.js'
import { callItem, decode, encode, exchangeOf, reasoningItem, responseOf } from './exchange.js'

const tools = [{ type: 'function', function: { name: 'f' } }]
const user = { role: 'user', content: 'hi' }
const answer = decode(responseOf([reasoningItem(['Hm.', 'So.']), callItem('a', 'f', '{}')]), { tools })
const sealed = {
  type: 'reasoning',
  id: 'rs_1',
  summary: [
    { type: 'summary_text', text: 'Hm.' },
    { type: 'summary_text', text: 'So.' },
  ],
  encrypted_content: 'gAAAA-sealed',
}

describe('a tool loop', () => {
  it('sends encrypted reasoning back for a client that keeps the whole message', () => {
    const { body } = encode({
      messages: [user, answer.choices[0]?.message, { role: 'tool', tool_call_id: 'a', content: '1' }],
      tools,
    })
    expect(body['input']).toEqual([
      { role: 'user', content: 'hi' },
      sealed,
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'a', output: '1' },
    ])
  })

  it("sends it back for a client that keeps only OpenAI's documented fields", () => {
    const { message } = answer.choices[0] ?? {}
    const { deployment } = exchangeOf()
    const memory = createReasoningMemory()
    if (message) memory.remember(message, 'caller', deployment)
    const kept = { role: 'assistant', content: message?.content, tool_calls: message?.tool_calls }
    const messages = [user, kept, { role: 'tool', tool_call_id: 'a', content: '1' }]
    const restored = memory.restore(ChatRequest.parse({ model: 'fast', messages }), 'caller', deployment)
    expect(encode({ messages: restored.messages, tools }).body['input']).toContainEqual(sealed)
  })
})
