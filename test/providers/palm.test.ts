import { describe, expect, it } from 'vitest'
import { palm } from '../../src/providers/palm.js'
import { resolveTarget } from '../../src/providers/target.js'
import { codecIn, encode, exchange, thrownBy } from '../protocols/further-exchange.js'
import { deploymentOf } from './deployments.js'

const chat = codecIn(palm.protocol, 'chat')
const embeddings = codecIn(palm.protocol, 'embeddings')
const messages = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hello' },
  { role: 'assistant', content: 'Hi' },
  { role: 'user', content: 'Bye' },
]

describe('PaLM', () => {
  it("is gone from Google's address, and lives on at others", () => {
    expect(thrownBy(() => resolveTarget(palm, deploymentOf({ provider: 'palm' })))).toMatchObject({
      status: 410,
      message: expect.stringContaining('gemini/') as unknown,
    })
    const elsewhere = deploymentOf({ provider: 'palm', baseUrl: 'http://palm.internal/v1beta3' })
    expect(resolveTarget(palm, elsewhere).origin).toBe('http://palm.internal')
  })

  it('talks with chat models and completes text with the others', () => {
    const spoken = encode(chat, 'chat', { messages, temperature: 0.5, n: 2 }, { model: 'chat-bison-001' })
    expect(spoken.sent.path).toBe('/models/chat-bison-001:generateMessage')
    expect(spoken.body).toEqual({
      prompt: {
        context: 'Be brief.',
        messages: [
          { author: '0', content: 'Hello' },
          { author: '1', content: 'Hi' },
          { author: '0', content: 'Bye' },
        ],
      },
      temperature: 0.5,
      candidateCount: 2,
    })
    const text = encode(chat, 'chat', { max_tokens: 5, stop: 'END', top_p: 0.5 }, { model: 'text-bison-001' })
    expect(text.sent.path).toBe('/models/text-bison-001:generateText')
    expect(text.body).toEqual({ prompt: { text: 'hi' }, maxOutputTokens: 5, stopSequences: ['END'], topP: 0.5 })
    const tooMuch = { max_tokens: 5, tools: [{ type: 'function', function: { name: 'f' } }] }
    expect(thrownBy(() => encode(chat, 'chat', tooMuch, { model: 'chat-bison-001' })).message).toMatch(
      /max_tokens, tools/,
    )
  })

  it('answers candidates, counted from 0, or that it refused', () => {
    const of = exchange('chat', {}, { model: 'text-bison-001' })
    expect(chat.decode({ candidates: [{ output: 'a' }, { content: 'b' }] }, of).choices).toMatchObject([
      { index: 0, message: { content: 'a' }, finish_reason: 'stop' },
      { index: 1, message: { content: 'b' } },
    ])
    expect(chat.decode({ filters: [{ reason: 'SAFETY' }] }, of).choices[0]).toMatchObject({
      message: { content: null },
      finish_reason: 'content_filter',
    })
    expect(thrownBy(() => chat.decode({}, of))).toMatchObject({ kind: 'upstream_invalid' })
  })

  it('embeds one text or many', () => {
    const embed = (input: unknown) => encode(embeddings, 'embeddings', { input }, { model: 'embedding-gecko-001' })
    expect(embed('a')).toMatchObject({ sent: { path: '/models/embedding-gecko-001:embedText' }, body: { text: 'a' } })
    expect(embed(['a', 'b'])).toMatchObject({
      sent: { path: '/models/embedding-gecko-001:batchEmbedText' },
      body: { texts: ['a', 'b'] },
    })
    const of = exchange('embeddings')
    expect(embeddings.decode({ embedding: { value: [1, 2] } }, of).data[0]?.embedding).toEqual([1, 2])
  })
})
