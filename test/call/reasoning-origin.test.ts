import { describe, expect, it } from 'vitest'
import { createReasoningMemory } from '../../src/call/reasoning-memory.js'
import { keepOwnReasoning, markCompletion, markDelta } from '../../src/call/reasoning-origin.js'
import type { AssistantMessage, ChatCompletion, ChatMessage, ChatRequest } from '../../src/wire/chat.js'
import { deploymentOf } from '../support/deployment.js'

const nobody = (): undefined => undefined
const block = { type: 'thinking' as const, thinking: 'hm', signature: 'c2ln' }
const redacted = { type: 'redacted_thinking' as const, data: 'x' }
const plainCall = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }
const signedCall = {
  ...plainCall,
  id: 'call_2__thought__c2ln',
  provider_specific_fields: { thought_signature: 'c2ln', other: 1 },
}

function completionOf(message: object): ChatCompletion {
  const base = { id: 'x', object: 'chat.completion' as const, created: 1, model: 'm' }
  const whole = { role: 'assistant' as const, content: 'text', ...message }
  return { ...base, choices: [{ index: 0, message: whole, finish_reason: 'stop' }] }
}

function historyOf(assistant: object, ...after: readonly ChatMessage[]): ChatRequest {
  const message: AssistantMessage = { role: 'assistant', content: 'text', ...assistant }
  return { model: 'm', messages: [{ role: 'user', content: 'x' }, message, ...after] }
}

const answered = (message: object, origin: string): object => ({
  ...markCompletion(completionOf(message), origin).choices[0]?.message,
})

describe('markCompletion', () => {
  it('marks blocks, signed calls and signed images with the model they came from, and nothing else', () => {
    const image = { type: 'image_url', thought_signature: 'c2ln' }
    const message = { thinking_blocks: [block, redacted], tool_calls: [plainCall, signedCall], images: [image] }
    expect(answered(message, 'claude-x')).toEqual({
      role: 'assistant',
      content: 'text',
      thinking_blocks: [
        { ...block, origin: 'claude-x' },
        { ...redacted, origin: 'claude-x' },
      ],
      tool_calls: [
        plainCall,
        { ...signedCall, provider_specific_fields: { thought_signature: 'c2ln', other: 1, origin: 'claude-x' } },
      ],
      images: [{ ...image, origin: 'claude-x' }],
    })
  })

  it('gives an answer without signatures back as it is', () => {
    const completion = completionOf({ reasoning_content: 'hm', tool_calls: [plainCall] })
    expect(markCompletion(completion, 'claude-x')).toBe(completion)
  })

  it('marks what a chunk adds', () => {
    const delta = { thinking_blocks: [block] }
    markDelta(delta, 'claude-x')
    expect(delta).toEqual({ thinking_blocks: [{ ...block, origin: 'claude-x' }] })
  })
})

describe('keepOwnReasoning', () => {
  const whole = { reasoning_content: 'hm', thinking_blocks: [block, redacted], tool_calls: [plainCall, signedCall] }
  const results: ChatMessage[] = [
    { role: 'tool', tool_call_id: plainCall.id, content: 'a' },
    { role: 'tool', tool_call_id: signedCall.id, content: 'b' },
  ]

  it('gives the model its own reasoning back exactly as it came', () => {
    const history = historyOf(answered(whole, 'claude-x'), ...results)
    expect(keepOwnReasoning(history, 'claude-x', nobody)).toEqual(historyOf(whole, ...results))
  })

  it('leaves another model’s reasoning out, and keeps text, calls and results', () => {
    const history = historyOf(answered(whole, 'claude-x'), ...results)
    const before = structuredClone(history)
    expect(keepOwnReasoning(history, 'gemini-y', nobody)).toEqual(
      historyOf(
        { tool_calls: [plainCall, { ...plainCall, id: 'call_2', provider_specific_fields: { other: 1 } }] },
        { role: 'tool', tool_call_id: 'call_1', content: 'a' },
        { role: 'tool', tool_call_id: 'call_2', content: 'b' },
      ),
    )
    expect(history).toEqual(before)
  })

  it('leaves out what other gateways and SDKs call reasoning', () => {
    const foreign = { reasoning: 'hm', reasoning_details: [{ type: 'reasoning.encrypted', data: 'x' }] }
    const extra = { ...plainCall, extra_content: { google: { thought_signature: 'c2ln' } } }
    const history = historyOf({ ...foreign, tool_calls: [extra] })
    expect(keepOwnReasoning(history, 'gemini-y', () => 'other')).toEqual(historyOf({ tool_calls: [plainCall] }))
  })

  it('keeps reasoning of which nobody knows where it came from', () => {
    const history = historyOf(whole, ...results)
    expect(keepOwnReasoning(history, 'gemini-y', nobody)).toBe(history)
  })

  it('treats each message for itself', () => {
    const mixed: ChatRequest = {
      model: 'm',
      messages: [
        { role: 'assistant', content: 'a', ...answered({ thinking_blocks: [block] }, 'claude-x') } as ChatMessage,
        { role: 'user', content: 'x' },
        { role: 'assistant', content: 'b', ...answered({ thinking_blocks: [redacted] }, 'gemini-y') } as ChatMessage,
      ],
    }
    const kept = keepOwnReasoning(mixed, 'gemini-y', nobody).messages
    expect(kept[0]).not.toHaveProperty('thinking_blocks')
    expect(kept[2]).toMatchObject({ thinking_blocks: [redacted] })
  })

  it('gives a request without reasoning back as it is', () => {
    const history = historyOf({ tool_calls: [plainCall], reasoning_content: null })
    expect(keepOwnReasoning(history, 'gemini-y', () => 'other')).toBe(history)
  })
})

describe('createReasoningMemory, across models', () => {
  const deepseek = deploymentOf({ provider: 'deepseek', model: 'deepseek-chat' })
  const kimi = deploymentOf({ provider: 'moonshot', model: 'kimi-k2' })

  it('knows whose reasoning text a client sends back, with calls and without', () => {
    for (const tool_calls of [undefined, [plainCall]]) {
      const memory = createReasoningMemory()
      const said = { reasoning_content: 'hm', ...(tool_calls && { tool_calls }) }
      memory.remember(said, 'user-1', deepseek)
      const history = historyOf(said)
      expect(memory.restore(history, 'user-1', deepseek)).toEqual(history)
      expect(memory.restore(history, 'user-1', kimi).messages[1]).not.toHaveProperty('reasoning_content')
      expect(memory.restore(history, 'user-2', kimi)).toEqual(history)
    }
  })

  it('knows whose signed call it is where the client kept only the id', () => {
    const memory = createReasoningMemory()
    memory.remember({ tool_calls: [signedCall] }, 'user-1', deploymentOf({ provider: 'gemini', model: 'gemini-3-pro' }))
    const { provider_specific_fields: _fields, ...kept } = signedCall
    const history = historyOf({ tool_calls: [kept] })
    expect(memory.restore(history, 'user-1', kimi)).toEqual(historyOf({ tool_calls: [{ ...plainCall, id: 'call_2' }] }))
  })

  it('gives the same model at another host its reasoning', () => {
    const memory = createReasoningMemory()
    const onVertex = deploymentOf({ provider: 'vertex_ai', model: 'claude-haiku-4-5@20251001' })
    const history = historyOf({ thinking_blocks: [{ ...block, origin: 'claude-haiku-4-5' }] })
    expect(memory.restore(history, 'user-1', onVertex)).toEqual(historyOf({ thinking_blocks: [block] }))
  })
})
