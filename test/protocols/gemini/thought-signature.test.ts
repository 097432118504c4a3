import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/wire/json.js'
import { assemble, decodeChat, decodeStream, encodeChat, flatten, responseOf } from './fixtures.js'

const signature = 'EjQKMgERTTIPrc5KneNuRiF2FnQoqsYr9UPxgwmFKUENBTGem6JcOwb6ATiiKM4RCpobNdac'
const sentinel = 'skip_thought_signature_validator'
const model = 'gemini-3.1-pro-preview'
const user = { role: 'user', content: 'go' }
const turn = [
  { functionCall: { id: 'fc1', name: 'sun', args: { city: 'Oslo' } }, thoughtSignature: signature },
  { functionCall: { id: 'fc2', name: 'rain', args: {} } },
]

/** What a plain OpenAI client keeps of a tool call. */
const plainCall = ({ id, name, arguments: text }: { id: string; name: string; arguments: string }) => ({
  id,
  type: 'function',
  function: { name, arguments: text },
})

function secondRequest(calls: readonly JsonObject[], deployed = model) {
  const results = calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'x' }))
  const messages = [user, { role: 'assistant', content: null, tool_calls: calls }, ...results]
  return encodeChat({ messages }, { model: deployed }).body['contents']
}

const signed = [
  { role: 'user' },
  {
    role: 'model',
    parts: [
      { functionCall: { id: 'fc1', name: 'sun' }, thoughtSignature: signature },
      { functionCall: { id: 'fc2', name: 'rain' } },
    ],
  },
  {
    role: 'user',
    parts: [{ functionResponse: { id: 'fc1', name: 'sun' } }, { functionResponse: { id: 'fc2', name: 'rain' } }],
  },
]

describe('a signature on a function call (case 16, B6)', () => {
  it('survives a client that keeps only documented fields, whole and streamed', () => {
    const whole = flatten(decodeChat(responseOf(turn)))
    const streamed = assemble(decodeStream(turn.map((part) => responseOf([part]))))
    expect(streamed).toEqual(whole)
    for (const { calls } of [whole, streamed]) {
      expect(calls.map(({ id }) => id)).toEqual([`fc1__thought__${signature}`, 'fc2'])
      expect(secondRequest(calls.map(plainCall))).toMatchObject(signed)
    }
  })

  it('survives a client that cuts ids, in provider_specific_fields', () => {
    const [first, second] = flatten(decodeChat(responseOf(turn))).calls
    if (!first || !second) throw new Error('two calls were due')
    for (const length of [40, 64]) {
      const cut = {
        ...plainCall(first),
        id: first.id.slice(0, length),
        provider_specific_fields: { thought_signature: signature },
      }
      expect(secondRequest([cut, plainCall(second)])).toMatchObject(signed)
    }
  })

  it('is replaced where a client cut it off', () => {
    const id = `call_${'a'.repeat(24)}__thought__${signature}`
    for (const length of [40, 64]) {
      expect(secondRequest([plainCall({ id: id.slice(0, length), name: 'sun', arguments: '{}' })])).toMatchObject([
        {},
        { parts: [{ functionCall: { id: `call_${'a'.repeat(24)}` }, thoughtSignature: sentinel }] },
        {},
      ])
    }
  })

  it("is read from Google's own OpenAI-style field", () => {
    const call = {
      ...plainCall({ id: 'a', name: 'sun', arguments: '{}' }),
      extra_content: { google: { thought_signature: signature } },
    }
    expect(secondRequest([call])).toMatchObject([{}, { parts: [{ thoughtSignature: signature }] }, {}])
  })

  it('is made up on the first call of each step of a foreign history, where the model demands one', () => {
    const calls = ['a', 'b'].map((id) => plainCall({ id, name: 'sun', arguments: '{}' }))
    expect(secondRequest(calls)).toMatchObject([{}, { parts: [{ thoughtSignature: sentinel }, {}] }, {}])
    expect(JSON.stringify(secondRequest(calls)).split(sentinel)).toHaveLength(2)
    expect(JSON.stringify(secondRequest(calls, 'gemini-2.5-pro'))).not.toContain('thoughtSignature')
  })

  it('is never sent to a model without signatures, or if it is none', () => {
    const own = plainCall({ id: `a__thought__${signature}`, name: 'sun', arguments: '{}' })
    expect(JSON.stringify(secondRequest([own], 'gemma-4-31b-it'))).not.toContain('thoughtSignature')
    const odd = plainCall({ id: 'a__thought__not base64!', name: 'sun', arguments: '{}' })
    expect(secondRequest([odd])).toMatchObject([
      {},
      { parts: [{ functionCall: { id: 'a' }, thoughtSignature: sentinel }] },
      {},
    ])
  })
})

describe('a signature on text or thoughts', () => {
  it('travels in thinking_blocks and returns to the same kind of part', () => {
    const parts = [
      { text: 'hmm', thought: true, thoughtSignature: 'AAAA' },
      { text: 'Yes.', thoughtSignature: signature },
    ]
    const { message } = decodeChat(responseOf(parts)).choices[0] ?? {}
    expect(message).toMatchObject({
      content: 'Yes.',
      reasoning_content: 'hmm',
      thinking_blocks: [
        { type: 'thinking', thinking: 'hmm', signature: 'AAAA' },
        { type: 'thinking', thinking: '', signature },
      ],
    })
    const { body } = encodeChat({ messages: [user, message, user] }, { model })
    expect(body['contents']).toMatchObject([{}, { role: 'model', parts }, {}])
  })

  it('of another model family is never sent', () => {
    const thinking_blocks = [
      { type: 'thinking', thinking: 'foreign', signature },
      { type: 'redacted_thinking', data: signature },
    ]
    const { body } = encodeChat(
      { messages: [user, { role: 'assistant', content: 'ok', thinking_blocks }, user] },
      { model },
    )
    expect(body['contents']).toMatchObject([{}, { parts: [{ text: 'foreign', thought: true }, { text: 'ok' }] }, {}])
    expect(JSON.stringify(body)).not.toContain(signature)
  })
})

describe('an id that Gemini did not give', () => {
  it('is made from the attempt and the place, the same each time', () => {
    const parts = [{ functionCall: { name: 'a' } }, { functionCall: { name: 'b', args: null } }]
    const { calls } = flatten(decodeChat(responseOf(parts)))
    expect(calls.map(({ id }) => id)).toEqual(['call_Abcdefghijkl012345670000', 'call_Abcdefghijkl012345670001'])
    expect(calls.map(({ arguments: text }) => text)).toEqual(['{}', '{}'])
    expect(assemble(decodeStream(parts.map((part) => responseOf([part])))).calls).toEqual(calls)
  })
})
