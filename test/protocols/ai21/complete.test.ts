import { describe, expect, it } from 'vitest'
import { ai21Protocol } from '../../../src/protocols/ai21/index.js'
import { codecIn, encode, exchange, thrownBy } from '../further-exchange.js'

const completions = codecIn(ai21Protocol, 'completions')
const chat = codecIn(ai21Protocol, 'chat')

describe("a J2 model's completion", () => {
  it('has the model in the path and names of its own', () => {
    const fields = { prompt: 'Once', max_tokens: 5, presence_penalty: 1, n: 2, stop: 'x', temperature: 0.7 }
    const { sent, body } = encode(completions, 'completions', fields, { model: 'j2-ultra' })
    expect(sent.path).toBe('/j2-ultra/complete')
    expect(body).toEqual({
      prompt: 'Once',
      maxTokens: 5,
      presencePenalty: { scale: 1 },
      numResults: 2,
      stopSequences: ['x'],
      temperature: 0.7,
    })
    expect(thrownBy(() => encode(completions, 'completions', { seed: 1 })).message).toMatch(/seed/)
  })

  it('counts the tokens that it lists', () => {
    const answer = {
      id: 'abc',
      prompt: { text: 'Once', tokens: [{}, {}] },
      completions: [{ data: { text: ' upon', tokens: [{}] }, finishReason: { reason: 'length' } }],
    }
    expect(chat.decode(answer, exchange('chat'))).toMatchObject({
      id: 'chatcmpl-abc',
      choices: [{ message: { content: ' upon' }, finish_reason: 'length' }],
      usage: { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 },
    })
    expect(thrownBy(() => chat.decode({ detail: 'no such model' }, exchange('chat'))).message).toBe('no such model')
  })
})
