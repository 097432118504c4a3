import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { countInputs, inBatches } from '../../src/protocols/embedding-batches.js'
import { cohereProtocol } from '../../src/protocols/cohere/index.js'
import { ollamaProtocol } from '../../src/protocols/ollama/index.js'
import { openaiProtocol } from '../../src/protocols/openai/index.js'
import type { Codec, Exchange } from '../../src/protocols/protocol.js'
import type { UpstreamRequest } from '../../src/upstream/message.js'
import type { EmbeddingResponse } from '../../src/wire/embeddings.js'
import { isObject, type JsonObject } from '../../src/wire/json.js'
import { codecIn, exchange, thrownBy } from './further-exchange.js'

type Upstream = (sent: JsonObject, call: number) => unknown

const bodyOf = (request: UpstreamRequest): JsonObject => {
  const body: unknown = JSON.parse(String(request.body))
  return isObject(body) ? body : {}
}

/** Drives a codec as a call does: one request after the other, what was kept and the last body to `decode`. */
function run(codec: Codec<'embeddings'>, of: Exchange<'embeddings'>, upstream: Upstream): EmbeddingResponse {
  let body = upstream(bodyOf(codec.encode(of)), 1)
  const kept: unknown[] = []
  for (let answers = 1; ; answers += 1) {
    const follow = codec.next?.(body, of, answers, {})
    if (!follow) return codec.decode(kept.length > 0 ? [...kept, body] : body, of, {})
    kept.push(follow.keep)
    body = upstream(bodyOf(follow.request), answers + 1)
  }
}

/** Gives every text its number as vector, last first as OpenAI may, and counts a token each. */
const numbered: Upstream = ({ input }) => {
  const texts: readonly unknown[] = Array.isArray(input) ? input : [input]
  const data = texts.map((text, index) => ({ object: 'embedding', index, embedding: [Number(text)] }))
  return {
    object: 'list',
    model: 'm',
    data: data.toReversed(),
    usage: { prompt_tokens: texts.length, total_tokens: texts.length, details: { text_tokens: texts.length } },
  }
}

const openai = (most: number): Codec<'embeddings'> =>
  inBatches(codecIn(openaiProtocol({ embeddings: { most } }), 'embeddings'))
const numbers = (count: number): string[] => Array.from({ length: count }, (_, at) => String(at))

describe('inputs beyond what one call takes', () => {
  it('go in several calls, whose vectors keep the order of the inputs', () => {
    const sizes: number[] = []
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 }), (count, most) => {
        sizes.length = 0
        const answer = run(openai(most), exchange('embeddings', { input: numbers(count) }), (sent, call) => {
          sizes.push(Array.isArray(sent['input']) ? sent['input'].length : 1)
          return numbered(sent, call)
        })
        expect(answer.data.map(({ index, embedding }) => [index, embedding])).toEqual(
          numbers(count).map((_, at) => [at, [at]]),
        )
        expect(answer.usage).toEqual({ prompt_tokens: count, total_tokens: count, details: { text_tokens: count } })
        expect(sizes).toHaveLength(Math.ceil(count / most))
        expect(Math.max(...sizes)).toBeLessThanOrEqual(most)
      }),
    )
  })

  it('are left alone where they fit, so that the very body is the answer', () => {
    const body = numbered({ input: ['0'] }, 1)
    expect(run(openai(1), exchange('embeddings', { input: ['0'] }), () => body)).toBe(body)
    const codec = codecIn(ollamaProtocol, 'embeddings')
    expect(inBatches(codec)).toBe(codec)
  })

  it('count one list of tokens as one input', () => {
    expect([countInputs('a'), countInputs([1, 2, 3]), countInputs([[1], [2]]), countInputs(['a', 'b'])]).toEqual([
      1, 1, 2, 2,
    ])
    const sent: unknown[] = []
    const answer = run(openai(1), exchange('embeddings', { input: [[1], [2, 3]] }), ({ input }) => {
      sent.push(input)
      return numbered({ input: ['0'] }, 1)
    })
    expect(sent).toEqual([[[1]], [[2, 3]]])
    expect(answer.data).toHaveLength(2)
  })

  it('come as base64 where that was asked for', () => {
    const of = exchange('embeddings', { input: numbers(3), encoding_format: 'base64' })
    const { data } = run(openai(2), of, numbered)
    const values = data.map(({ embedding }) => Buffer.from(String(embedding), 'base64').readFloatLE(0))
    expect(values).toEqual([0, 1, 2])
  })

  it('fail as one where a later part is an error, or has too few vectors', () => {
    const cohere = inBatches(codecIn(cohereProtocol, 'embeddings'))
    const of = exchange('embeddings', { input: numbers(200) })
    const calls: number[] = []
    const upstream: Upstream = ({ texts }, call) => {
      calls.push(call)
      if (call === 2) return { message: 'too many tokens' }
      return { embeddings: { float: (Array.isArray(texts) ? texts : []).map(() => [1]) } }
    }
    expect(thrownBy(() => run(cohere, of, upstream))).toMatchObject({ message: 'too many tokens' })
    expect(calls).toEqual([1, 2])
    const short: Upstream = (sent, call) => numbered({ input: call === 2 ? ['0'] : sent['input'] }, call)
    const error = thrownBy(() => run(openai(2), exchange('embeddings', { input: numbers(4) }), short))
    expect(error).toBeInstanceOf(GatewayError)
    expect(error).toMatchObject({ kind: 'upstream_invalid', message: expect.stringContaining('1 embeddings for 2') })
  })

  it('are refused before the first call where one of them is wrong, by its place', () => {
    const most = 2
    const codec = inBatches({ ...codecIn(cohereProtocol, 'embeddings'), mostInputs: () => most })
    const of = exchange('embeddings', { input: ['a', 'b', 'c', [1]] })
    expect(thrownBy(() => codec.encode(of))).toMatchObject({ status: 400, param: 'input' })
  })
})
