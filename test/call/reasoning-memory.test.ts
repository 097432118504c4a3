import { describe, expect, it } from 'vitest'
import { ReasoningCollector, createReasoningMemory } from '../../src/call/reasoning-memory.js'
import type { ChatRequest } from '../../src/wire/chat.js'
import { deploymentOf } from '../support/deployment.js'

const block = { type: 'thinking' as const, thinking: 'hm', signature: 'sig' }
const toolCall = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }
const request: ChatRequest = {
  model: 'm',
  messages: [
    { role: 'user', content: 'x' },
    { role: 'assistant', content: null, tool_calls: [toolCall] },
    { role: 'tool', tool_call_id: 'call_1', content: 'y' },
  ],
}
const deployment = deploymentOf({ provider: 'anthropic', model: 'claude' })

describe('createReasoningMemory', () => {
  it('puts reasoning back where a client that keeps only documented fields lost it', () => {
    const memory = createReasoningMemory()
    memory.remember({ tool_calls: [toolCall], thinking_blocks: [block], reasoning_content: 'hm' }, 'user-1', deployment)
    const restored = memory.restore(request, 'user-1', deployment)
    expect(restored.messages[1]).toEqual({ ...request.messages[1], thinking_blocks: [block], reasoning_content: 'hm' })
    expect(request.messages[1]).not.toHaveProperty('thinking_blocks')
  })

  it.each([
    ['another caller', 'user-2', deployment],
    ['another model', 'user-1', deploymentOf({ provider: 'anthropic', model: 'other' })],
    ['another provider', 'user-1', deploymentOf({ provider: 'gemini', model: 'claude' })],
  ])('gives nothing to %s', (_, callerId, other) => {
    const memory = createReasoningMemory()
    memory.remember({ tool_calls: [toolCall], thinking_blocks: [block] }, 'user-1', deployment)
    expect(memory.restore(request, callerId, other)).toEqual(request)
  })

  it('does not touch a message that brings its own reasoning, and gives the same object back', () => {
    const memory = createReasoningMemory()
    expect(memory.restore(request, 'user-1', deployment)).toBe(request)
    memory.remember({ tool_calls: [toolCall], thinking_blocks: [block] }, 'user-1', deployment)
    const own: ChatRequest = {
      model: 'm',
      messages: [{ role: 'assistant', tool_calls: [toolCall], reasoning_content: 'own' }],
    }
    expect(memory.restore(own, 'user-1', deployment)).toBe(own)
  })

  it('keeps nothing of answers without reasoning', () => {
    const memory = createReasoningMemory()
    memory.remember({ tool_calls: [toolCall], thinking_blocks: [], reasoning_content: '' }, 'user-1', deployment)
    expect(memory.restore(request, 'user-1', deployment)).toBe(request)
  })
})

describe('ReasoningCollector', () => {
  it('gathers from chunks what a whole message would hold', () => {
    const collector = new ReasoningCollector()
    const deltas = [
      { reasoning_content: 'h' },
      { reasoning_content: 'm' },
      { thinking_blocks: [block] },
      { tool_calls: [{ index: 0, id: 'call_1', function: { name: 'f', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{}' } }] },
    ]
    for (const delta of deltas) {
      collector.add({
        id: '',
        object: 'chat.completion.chunk',
        created: 0,
        model: '',
        choices: [{ index: 0, delta, finish_reason: null }],
      })
    }
    expect(collector.message).toEqual({
      tool_calls: [{ id: 'call_1' }],
      thinking_blocks: [block],
      reasoning_content: 'hm',
    })
  })
})
