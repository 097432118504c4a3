import { describe, expect, it } from 'vitest'
import { completionsOverChat } from '../../src/protocols/completions-bridge.js'
import { Completion, CompletionChunk, type CompletionRequest } from '../../src/wire/completions.js'
import { bodyOf, chunkEvent, codecOf, eventOf, exchangeOf, readAll } from './openai/exchange.js'

const codec = completionsOverChat(codecOf('chat'))
const exchange = (fields: object = {}, dropParams = false) =>
  exchangeOf<'completions'>({ model: 'fast', prompt: 'Say', ...fields } as CompletionRequest, { dropParams })
const token = (text: string) => ({
  token: text,
  logprob: -1,
  bytes: null,
  top_logprobs: [{ token: 'z', logprob: -2, bytes: null }],
})

describe('a text completion over chat', () => {
  it('asks with one user message and the same parameters', () => {
    expect(bodyOf(codec.encode(exchange({ max_tokens: 5, top_k: 2, logprobs: 3 })))).toEqual({
      model: 'acme-large',
      messages: [{ role: 'user', content: 'Say' }],
      max_tokens: 5,
      top_k: 2,
      logprobs: true,
      top_logprobs: 3,
    })
  })

  it('refuses several prompts and tokens, naming prompt', () => {
    for (const prompt of [['a', 'b'], [1, 2], [[1]]]) {
      expect(() => codec.encode(exchange({ prompt }))).toThrow(
        expect.objectContaining({ param: 'prompt', status: 400 }) as Error,
      )
    }
    expect(bodyOf(codec.encode(exchange({ prompt: ['a'] })))).toMatchObject({ messages: [{ content: 'a' }] })
  })

  it('refuses what chat has no word for, unless it may be dropped', () => {
    const fields = { best_of: 2, echo: true, suffix: 'x' }
    expect(() => codec.encode(exchange(fields))).toThrow(/best_of, echo, suffix/)
    const sent = codec.encode(exchange(fields, true))
    expect(Object.keys(bodyOf(sent)).toSorted()).toEqual(['messages', 'model'])
    expect(sent.droppedParams).toEqual(['best_of', 'echo', 'suffix'])
    expect(bodyOf(codec.encode(exchange({ best_of: 1, echo: false, suffix: null })))).not.toHaveProperty('echo')
  })

  it('answers in the older shape, logprobs included', () => {
    const body = {
      ...chunkEvent({}),
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'hi' },
          finish_reason: 'tool_calls',
          logprobs: { content: [token('h'), token('i')] },
        },
      ],
    }
    const answer = codec.decode(body, exchange())
    expect(Completion.safeParse(answer).error).toBeUndefined()
    expect(answer).toMatchObject({
      id: 'cmpl-1',
      object: 'text_completion',
      choices: [
        {
          index: 0,
          text: 'hi',
          finish_reason: 'stop',
          logprobs: {
            tokens: ['h', 'i'],
            token_logprobs: [-1, -1],
            top_logprobs: [{ z: -2 }, { z: -2 }],
            text_offset: [0, 1],
          },
        },
      ],
    })
  })

  it('streams text, also of events that chat would forward', () => {
    const decoder = codec.decodeStream?.(exchange({ stream: true }))
    if (!decoder) throw new Error('no stream')
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
    const events = [
      chunkEvent({ role: 'assistant', content: '' }),
      chunkEvent({ content: 'a' }),
      chunkEvent({ content: 'b' }),
      chunkEvent({ content: 'c' }, {}, { logprobs: { content: [token('c')], refusal: null } }),
      chunkEvent({}, {}, { finish_reason: 'length' }),
      chunkEvent({}, { choices: [], usage }),
      '[DONE]',
    ]
    const chunks = readAll(
      decoder,
      events.map((event) => eventOf(event)),
    )
    for (const chunk of chunks) expect(CompletionChunk.safeParse(chunk).error).toBeUndefined()
    expect(decoder.progress).toBe('terminated')
    expect(chunks.map((chunk) => chunk.choices[0]?.text ?? chunk.usage)).toEqual(['a', 'b', 'c', '', usage])
    expect(chunks[2]?.choices[0]?.logprobs).toMatchObject({ text_offset: [2] })
    expect(chunks[3]?.choices[0]?.finish_reason).toBe('length')
  })

  it('is truncated where chat is', () => {
    const decoder = codec.decodeStream?.(exchange({ stream: true }))
    if (!decoder) throw new Error('no stream')
    expect(() => readAll(decoder, [eventOf(chunkEvent({ content: 'a' }))])).toThrow(/before the answer was complete/)
  })
})
