import { expect, it } from 'vitest'
import { ReasoningCollector } from '../../src/call/reasoning-memory.js'
import type { ChatChunk, ChatDelta } from '../../src/index.js'

const chunkOf = (delta: ChatDelta): ChatChunk => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: null }],
})

it('keeps nothing of a stream that reasons without end', () => {
  const collector = new ReasoningCollector()
  const text = 'x'.repeat(1024 * 1024)
  collector.add(chunkOf({ reasoning_content: text, tool_calls: [{ index: 0, id: 'a' }] }))
  expect(collector.message).toMatchObject({ reasoning_content: text, tool_calls: [{ id: 'a' }] })
  for (let step = 0; step < 8; step += 1) collector.add(chunkOf({ reasoning_content: text }))
  const block = { type: 'thinking' as const, thinking: text }
  for (let step = 0; step < 8; step += 1) collector.add(chunkOf({ thinking_blocks: [block] }))
  expect(collector.message).toEqual({ tool_calls: [], thinking_blocks: [], reasoning_content: '' })
})
