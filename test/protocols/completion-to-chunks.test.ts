import { describe, expect, it } from 'vitest'
import { completionToChunks } from '../../src/protocols/completion-to-chunks.js'
import { ChatChunk, type ChatCompletion } from '../../src/wire/chat.js'
import { deepFreeze, gather } from './openai/exchange.js'

describe('a whole answer as a stream', () => {
  it('has role, content and calls, then a finish reason per choice, then usage', () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
    const answer: ChatCompletion = deepFreeze({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 5,
      model: 'm',
      citations: ['https://x'],
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'hi',
            refusal: null,
            reasoning_content: 'r',
            tool_calls: [call, call],
          },
          finish_reason: 'tool_calls',
          logprobs: null,
        },
        {
          index: 1,
          message: { role: 'assistant', content: null, refusal: 'no' },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
      usage,
    } as ChatCompletion)
    const chunks = completionToChunks(answer)
    for (const chunk of chunks) expect(ChatChunk.safeParse(chunk).error).toBeUndefined()
    const choices = gather(chunks)
    const called = { id: 'c', name: 'f', arguments: '{"a":1}' }
    expect(choices.get(0)).toEqual({
      roles: 1,
      content: 'hi',
      reasoning: 'r',
      refusal: '',
      calls: [called, called],
      finishes: ['tool_calls'],
    })
    expect(choices.get(1)).toMatchObject({ roles: 1, content: '', refusal: 'no', finishes: ['stop'] })
    expect(chunks.at(-1)).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 5,
      model: 'm',
      citations: ['https://x'],
      choices: [],
      usage,
    })
  })
})
