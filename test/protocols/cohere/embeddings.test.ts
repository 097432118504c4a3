import { describe, expect, it } from 'vitest'
import { cohereProtocol } from '../../../src/protocols/cohere/index.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { codecIn, encode, exchange, thrownBy } from '../further-exchange.js'

const embeddings = codecIn(cohereProtocol, 'embeddings')
const embed = (fields: JsonObject) => encode(embeddings, 'embeddings', fields, { model: 'embed-v4.0' }).body
const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } }

describe('embeddings of Cohere', () => {
  it('say what they are for, since the API demands it', () => {
    expect(embed({ input: 'a', dimensions: 256, encoding_format: 'base64' })).toEqual({
      model: 'embed-v4.0',
      texts: ['a'],
      input_type: 'search_document',
      embedding_types: ['float'],
      output_dimension: 256,
    })
    expect(embed({ input: ['a'], input_type: 'query', truncate: 'END' })).toMatchObject({
      input_type: 'search_query',
      truncate: 'END',
    })
  })

  it('take pictures, alone or mixed with text', () => {
    expect(embed({ input: [picture] })).toMatchObject({ images: ['data:image/png;base64,QUJD'], input_type: 'image' })
    expect(embed({ input: [{ type: 'text', text: 'a' }, picture] })['inputs']).toEqual([
      { content: [{ type: 'text', text: 'a' }] },
      { content: [picture] },
    ])
  })

  it('are refused for tokens', () => {
    expect(thrownBy(() => embed({ input: [1, 2] }))).toMatchObject({ status: 400, param: 'input' })
  })

  it('are read by their kind, in the encoding that was asked for', () => {
    const two = exchange('embeddings', { input: ['a', 'b'] })
    const meta = { billed_units: { input_tokens: 4 } }
    const vectors = [
      [1, 2],
      [3, 4],
    ]
    expect(embeddings.decode({ embeddings: { float: vectors }, meta }, two)).toMatchObject({
      data: [{ embedding: [1, 2] }, { embedding: [3, 4] }],
      usage: { prompt_tokens: 4, total_tokens: 4 },
    })
    expect(embeddings.decode({ embeddings: { int8: vectors } }, two).data).toHaveLength(2)
    const one = exchange('embeddings', { encoding_format: 'base64' })
    expect(embeddings.decode({ embeddings: { float: [[1]] } }, one).data[0]?.embedding).toBe('AACAPw==')
    expect(thrownBy(() => embeddings.decode({ embeddings: { float: [[1]] } }, two))).toMatchObject({
      kind: 'upstream_invalid',
    })
    expect(thrownBy(() => embeddings.decode({ message: 'no' }, two)).message).toBe('no')
  })
})
