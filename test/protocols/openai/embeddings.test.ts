import { describe, expect, it } from 'vitest'
import { fromBase64Vector, toBase64Vector } from '../../../src/protocols/embedding-encoding.js'
import type { Quirks } from '../../../src/protocols/openai/quirks.js'
import type { EmbeddingRequest } from '../../../src/wire/embeddings.js'
import { expectValid } from '../../oracle/openai-schema.js'
import { bodyOf, codecOf, deepFreeze, exchangeOf } from './exchange.js'

const request: EmbeddingRequest = { model: 'fast', input: 'hi' }
const vector = [0.5, -1, 0.25]
const usage = { prompt_tokens: 1, total_tokens: 1 }
const item = (index: number, embedding: unknown = vector) => ({ object: 'embedding', index, embedding })
const answer = (...data: unknown[]) => ({ object: 'list', model: 'm', data, usage })

const encode = (fields: object, quirks: Quirks = {}, dropParams = false) => {
  const sent = codecOf('embeddings', quirks).encode(exchangeOf<'embeddings'>({ ...request, ...fields }, { dropParams }))
  return { ...sent, body: bodyOf(sent) }
}
const decode = (body: unknown, fields: object = {}) =>
  codecOf('embeddings').decode(deepFreeze(body), exchangeOf<'embeddings'>({ ...request, ...fields }))

describe('an embedding request', () => {
  it('carries text, lists and tokens, and never a null', () => {
    for (const input of ['a', ['a', 'b'], [1, 2], [[1], [2]]])
      expect(encode({ input }).body).toEqual({ model: 'acme-large', input })
    const { body } = encode({ encoding_format: null, dimensions: null, input_type: 'query' })
    expect(body).toEqual({ model: 'acme-large', input: 'hi', input_type: 'query' })
    expect(encode({ encoding_format: 'base64', dimensions: 3 }).body).toMatchObject({
      encoding_format: 'base64',
      dimensions: 3,
    })
  })

  it('follows the provider’s quirks', () => {
    expect(encode({ encoding_format: 'base64' }, { embeddings: { base64: false } }).body).not.toHaveProperty(
      'encoding_format',
    )
    expect(encode({ dimensions: 3 }, { embeddings: { dimensions: 'output_dimension' } }).body).toMatchObject({
      output_dimension: 3,
    })
    expect(() => encode({ dimensions: 3 }, { embeddings: { dimensions: false } })).toThrow(/dimensions/)
    expect(encode({ dimensions: 3 }, { embeddings: { dimensions: false } }, true).droppedParams).toEqual(['dimensions'])
    expect(() => encode({ user: 'u' }, { embeddings: { unsupported: ['user'] } })).toThrow(/user/)
    expect(() => encode({ input: [1, 2] }, { embeddings: { tokens: false } })).toThrow(/tokens/)
    expect(encode({ user: 'u' }, { unsupported: ['user'] }).body).toMatchObject({ user: 'u' })
  })
})

// Case 42.
describe('embeddings', () => {
  it('are given back as the object they are', () => {
    const floats = answer(item(0))
    expect(decode(floats)).toBe(floats)
    const encoded = answer(item(0, toBase64Vector(vector)))
    expect(decode(encoded, { encoding_format: 'base64' })).toBe(encoded)
  })

  it('come in the encoding that was asked for, whichever the provider gave', () => {
    const made = decode(answer(item(0)), { encoding_format: 'base64' }).data[0]?.embedding
    expect(made).toBe('AAAAPwAAgL8AAIA+')
    expect(fromBase64Vector(String(made))).toEqual(vector)
    expect(decode(answer(item(0, 'AAAAPwAAgL8AAIA+'))).data[0]?.embedding).toEqual(vector)
    expectValid('CreateEmbeddingResponse', decode(answer(item(0, 'AAAAPwAAgL8AAIA+'))))
  })

  it('are in the order of the input, one for each', () => {
    const two = decode(answer(item(1, [1]), item(0, [0])), { input: ['a', 'b'] })
    expect(two.data.map(({ embedding }) => embedding)).toEqual([[0], [1]])
    expect(() => decode(answer(item(0)), { input: ['a', 'b'] })).toThrow(/1 embeddings for 2 inputs/)
    expect(() => decode(answer(item(0), item(1)), { input: [1, 2] })).toThrow(/2 embeddings for 1 inputs/)
    expect(() => decode({ object: 'list' })).toThrow(/0 embeddings/)
  })

  it('are as wide as was asked, or the parameter was not honoured', () => {
    expect(decode(answer(item(0)), { dimensions: 3 }).data).toHaveLength(1)
    expect(() => decode(answer(item(0)), { dimensions: 2 })).toThrow(/dimensions/)
    expect(() => decode(answer(item(0, ['x'])))).toThrow(/no vector/)
  })

  it('have usage and names even where the provider gave none', () => {
    expect(decode({ data: [{ embedding: vector }] })).toEqual({
      object: 'list',
      model: 'acme-large',
      data: [item(0)],
      usage: { prompt_tokens: 0, total_tokens: 0 },
    })
    expect(decode({ ...answer(item(0)), usage: { total_tokens: 4 } }).usage).toEqual({
      prompt_tokens: 4,
      total_tokens: 4,
    })
    expect(() => decode({ error: { code: 429, message: 'slow' } })).toThrow('slow')
  })
})
