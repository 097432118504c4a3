import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import { geminiProtocol } from '../../../src/protocols/gemini/index.js'
import { EmbeddingRequest } from '../../../src/wire/embeddings.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { expectValid } from '../../oracle/openai-schema.js'
import { exchangeOf, thrownBy } from './fixtures.js'

function codec() {
  const { embeddings } = geminiProtocol.codecs
  if (!embeddings) throw new Error('no codec of embeddings')
  return embeddings
}

const exchange = (fields: JsonObject, changes: Partial<Deployment> = {}) =>
  exchangeOf<'embeddings'>(EmbeddingRequest.parse({ model: 'group', ...fields }), {
    model: 'gemini-embedding-001',
    ...changes,
  })

function encode(fields: JsonObject, changes: Partial<Deployment> = {}) {
  const { path, body, droppedParams } = codec().encode(exchange(fields, changes))
  const parsed: unknown = JSON.parse(String(body))
  return { path, body: parsed, droppedParams }
}

const model = 'models/gemini-embedding-001'

describe('a request for embeddings', () => {
  it('is one batch, for one input or many', () => {
    const { path, body } = encode({ input: 'a', encoding_format: 'base64', user: 'u' })
    expect(path).toBe('/v1beta/models/gemini-embedding-001:batchEmbedContents')
    expect(body).toEqual({ requests: [{ model, content: { parts: [{ text: 'a' }] } }] })
    expect(encode({ input: ['a', 'b'] }).body).toMatchObject({
      requests: [{}, { content: { parts: [{ text: 'b' }] } }],
    })
  })

  it('passes width and task with every input', () => {
    const { body } = encode({ input: ['a', 'b'], dimensions: 256, input_type: 'search_query', title: 'T' })
    const shared = { model, outputDimensionality: 256, taskType: 'RETRIEVAL_QUERY', title: 'T' }
    expect(body).toMatchObject({ requests: [shared, shared] })
    expect(encode({ input: 'a', task_type: 'CLUSTERING' }).body).toMatchObject({
      requests: [{ taskType: 'CLUSTERING' }],
    })
  })

  it('takes content parts', () => {
    const input = [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }]
    expect(encode({ input }).body).toMatchObject({
      requests: [{ content: { parts: [{ inlineData: { data: 'AAAA' } }] } }],
    })
    expect(thrownBy(() => encode({ input: [{ a: 1 }] }))).toMatchObject({ status: 400, param: 'input[0]' })
  })

  it('refuses tokens', () => {
    for (const input of [
      [1, 2],
      [[1], [2]],
    ]) {
      expect(thrownBy(() => encode({ input }))).toMatchObject({ kind: 'invalid_request', param: 'input[0]' })
    }
  })
})

describe('an answer with embeddings', () => {
  it('keeps the order, and counts nothing where Gemini does not', () => {
    const answer = codec().decode(
      { embeddings: [{ values: [1, 0.5] }, { values: [2, 3] }] },
      exchange({ input: ['a', 'b'] }),
    )
    expectValid('CreateEmbeddingResponse', answer)
    expect(answer).toEqual({
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [1, 0.5] },
        { object: 'embedding', index: 1, embedding: [2, 3] },
      ],
      model: 'gemini-embedding-001',
      usage: { prompt_tokens: 0, total_tokens: 0 },
    })
  })

  it('is base64 of little-endian float32 where that was asked for, and counts what Gemini counts', () => {
    const body = { embeddings: [{ values: [1, 0.5] }], usageMetadata: { promptTokenCount: 8 } }
    const answer = codec().decode(body, exchange({ input: 'a', encoding_format: 'base64' }))
    expect(answer.data[0]?.embedding).toBe(Buffer.from(new Float32Array([1, 0.5]).buffer).toString('base64'))
    expect(answer.usage).toEqual({ prompt_tokens: 8, total_tokens: 8 })
  })

  it('is refused where vectors are missing, and an error where it holds one', () => {
    for (const body of [{}, null, { embeddings: [{ values: [1] }] }, { embeddings: [{ values: ['x'] }, {}] }]) {
      expect(thrownBy(() => codec().decode(body, exchange({ input: ['a', 'b'] })))).toMatchObject({
        kind: 'upstream_invalid',
      })
    }
    const error = { code: 404, message: 'gone', status: 'NOT_FOUND' }
    expect(thrownBy(() => codec().decode({ error }, exchange({ input: 'a' })))).toMatchObject({
      kind: 'upstream_not_found',
    })
  })
})
