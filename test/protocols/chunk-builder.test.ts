import { describe, expect, it } from 'vitest'
import { createChunkBuilder } from '../../src/protocols/chunk-builder.js'
import { ChatChunk } from '../../src/wire/chat.js'

const build = () => createChunkBuilder({ id: 'i', created: 5, model: 'm' })

describe('built chunks', () => {
  it('carry the role once per choice, on its first one', () => {
    const chunks = build()
    expect(chunks.content(0, 'a').chunk?.choices[0]?.delta).toEqual({ role: 'assistant', content: 'a' })
    expect(chunks.content(0, 'b').chunk?.choices[0]?.delta).toEqual({ content: 'b' })
    expect(chunks.reasoning(1, 'c').chunk?.choices[0]).toMatchObject({
      index: 1,
      delta: { role: 'assistant', reasoning_content: 'c' },
    })
    expect(build().finish(0, 'stop').chunk?.choices[0]).toEqual({
      index: 0,
      delta: { role: 'assistant' },
      finish_reason: 'stop',
    })
  })

  it('carry the identity that is known by then', () => {
    const chunks = build()
    expect(chunks.content(0, 'a').chunk).toMatchObject({
      id: 'i',
      created: 5,
      model: 'm',
      object: 'chat.completion.chunk',
    })
    chunks.identify({ id: 'theirs' })
    expect(chunks.content(0, 'b').chunk).toMatchObject({ id: 'theirs', model: 'm' })
  })

  it('announce a tool call, then add to it', () => {
    const chunks = build()
    const [call, more] = [chunks.toolCall(0, 1, 'c', 'f', { extra: 1 }), chunks.toolArguments(0, 1, '{}')]
    expect(call.chunk?.choices[0]?.delta.tool_calls).toEqual([
      { index: 1, id: 'c', type: 'function', function: { name: 'f', arguments: '' }, extra: 1 },
    ])
    expect(more.chunk?.choices[0]?.delta).toEqual({ tool_calls: [{ index: 1, function: { arguments: '{}' } }] })
  })

  it('end with a reason, the provider’s own word beside it, and usage', () => {
    const chunks = build()
    chunks.content(0, 'a')
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
    const ends = [chunks.finish(0, 'length', 'MAX_TOKENS').chunk, chunks.usage(usage).chunk]
    expect(ends).toMatchObject([
      {
        choices: [
          { finish_reason: 'length', delta: { provider_specific_fields: { native_finish_reason: 'MAX_TOKENS' } } },
        ],
      },
      { choices: [], usage },
    ])
    for (const chunk of ends) expect(ChatChunk.safeParse(chunk).error).toBeUndefined()
  })
})
