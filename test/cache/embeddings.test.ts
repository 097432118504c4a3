import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CacheQuestion } from '../../src/cache/cache-plan.js'
import type { WrittenAnswer } from '../../src/cache/found.js'
import type { EmbeddingRequest, EmbeddingResponse } from '../../src/wire/embeddings.js'
import { type Bench, createBench, embed, fast, groupOf, hitOf, missOf, producerOf } from './cache-fixture.js'
import { settle } from './fake-store.js'

type Question = CacheQuestion<'embeddings'>

const inputsOf = (input: EmbeddingRequest['input']): readonly unknown[] =>
  Array.isArray(input) && typeof input[0] !== 'number' ? input : [input]

/** What a provider answers: vectors that tell what they are of, and a usage of 7 tokens an input, and 3. */
function answerTo({ input, encoding_format }: EmbeddingRequest): EmbeddingResponse {
  const items = inputsOf(input)
  const tokens = items.length * 7 + 3
  return {
    object: 'list',
    data: items.map((item, index) => ({ object: 'embedding', index, embedding: vectorOf(item, encoding_format) })),
    model: 'm1',
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}

const vectorOf = (item: unknown, format: EmbeddingRequest['encoding_format']): string | number[] => {
  const bytes = Buffer.from(JSON.stringify(item))
  return format === 'base64' ? bytes.toString('base64') : [...bytes].map((byte) => byte / 3)
}

interface Served {
  readonly body: EmbeddingResponse
  /** What the provider was asked for; undefined for a hit. */
  readonly asked: EmbeddingRequest['input'] | undefined
  readonly status: string
}

async function serve({ cache }: Bench, question: Question, producer = producerOf()): Promise<Served> {
  const found = await cache.findWhole(question)
  if (found.status === 'hit') return { body: found.answer.body, asked: undefined, status: 'hit' }
  const asked = found.request.input
  const answer = found.keep({ body: answerTo(found.request), written: undefined }, producer)
  found.release()
  await settle()
  return { body: (answer as WrittenAnswer<'embeddings'>).body, asked, status: found.status }
}

const vectorsIn = (body: EmbeddingResponse): unknown[] => body.data.map(({ embedding }) => embedding)

describe('embeddings', () => {
  it('of a batch that is known in part ask for the rest, and come in order', async () => {
    const bench = createBench()
    await serve(bench, embed(['a', 'b']))
    const { body, asked, status } = await serve(bench, embed(['x', 'b', 'y', 'a']))
    expect({ asked, status }).toEqual({ asked: ['x', 'y'], status: 'partial' })
    expect(body.data).toEqual(answerTo(embed(['x', 'b', 'y', 'a']).request).data)
  })

  it('that are all known ask for nothing', async () => {
    const bench = createBench()
    const first = await serve(bench, embed(['a', 'b', 'c']))
    const second = await serve(bench, embed(['a', 'b', 'c']))
    expect(second).toEqual({ body: first.body, asked: undefined, status: 'hit' })
    expect((await serve(bench, embed('b'))).status).toBe('hit')
    expect((await serve(bench, embed(['c', 'a']))).status).toBe('hit')
    expect((await serve(bench, embed(['c', 'z']))).asked).toEqual(['z'])
  })

  it('of a text alone are those of the text in a batch', async () => {
    const bench = createBench()
    await serve(bench, embed('a'))
    expect((await serve(bench, embed(['a', 'b']))).asked).toEqual(['b'])
  })

  it('give the text that they are written as', async () => {
    const bench = createBench()
    await serve(bench, embed(['a', 'b']))
    const { answer } = hitOf(await bench.cache.findWhole(embed(['a', 'b'])))
    expect(JSON.parse(answer.written)).toEqual(answer.body)
  })

  it('take one list of tokens as one input, and several as several', async () => {
    const bench = createBench()
    await serve(bench, embed([1, 2]))
    expect((await serve(bench, embed([1, 2]))).status).toBe('hit')
    expect((await serve(bench, embed([[3], [1, 2]]))).asked).toEqual([[3]])
    expect((await serve(bench, embed(['[1,2]']))).status).toBe('miss')
  })

  it('in base64 and as numbers are kept apart, each exactly', async () => {
    const bench = createBench()
    const asNumbers = await serve(bench, embed(['a']))
    const asText = await serve(bench, embed(['a'], { encoding_format: 'base64' }))
    expect(asText.status).toBe('miss')
    expect(vectorsIn((await serve(bench, embed(['a']))).body)).toEqual(vectorsIn(asNumbers.body))
    const again = await serve(bench, embed(['a'], { encoding_format: 'base64' }))
    expect(again).toMatchObject({ status: 'hit', body: asText.body })
  })

  it('of other dimensions are others', async () => {
    const bench = createBench()
    await serve(bench, embed(['a'], { dimensions: 2 }))
    expect((await serve(bench, embed(['a'], { dimensions: 3 }))).status).toBe('miss')
  })

  it('keep members that only the provider knows', async () => {
    const bench = createBench()
    const miss = missOf(await bench.cache.findWhole(embed(['a'])))
    const body = { ...answerTo(embed(['a']).request), id: 'x', usage: { prompt_tokens: 4, total_tokens: 4, cost: 2 } }
    body.data[0] = { object: 'embedding', index: 0, embedding: [1], own: true }
    miss.keep({ body, written: undefined }, producerOf())
    await settle()
    expect(hitOf(await bench.cache.findWhole(embed(['a']))).answer.body).toEqual(body)
  })

  it('report the usage of the whole request, to the token, however it was put together', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ maxLength: 50 }), { minLength: 1, maxLength: 12 }),
        fc.nat(12),
        async (texts, cut) => {
          const bench = createBench()
          const first = await serve(bench, embed(texts))
          const again = await serve(bench, embed(texts))
          expect(again).toMatchObject({ status: 'hit', body: { usage: first.body.usage } })
          const longer = [...texts.slice(0, cut), `${texts.join('')}-new`, ...texts.slice(cut)]
          const { body, asked } = await serve(bench, embed(longer))
          expect(asked).toHaveLength(1)
          expect(body.usage.prompt_tokens).toBe(first.body.usage.prompt_tokens + 10)
          expect(vectorsIn(body)).toEqual(vectorsIn(answerTo(embed(longer).request)))
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('vectors of different models', () => {
  const other = groupOf('other', { id: 'other-1', model: 'm2' })

  it('never meet in one answer: the whole request is asked again', async () => {
    const bench = createBench()
    await serve(bench, embed(['a']))
    const found = missOf(await bench.cache.findWhole(embed(['a', 'b'])))
    expect(found.request.input).toEqual(['b'])
    const partly = found.keep({ body: answerTo(found.request), written: undefined }, producerOf(other))
    expect(partly).toBeUndefined()
    expect(found.request.input).toEqual(['a', 'b'])
    const whole = { body: answerTo(found.request), written: '{}' }
    expect(found.keep(whole, producerOf(other))).toBe(whole)
    found.release()
    await settle()
    expect((await serve(bench, embed(['a', 'b'], {}, { group: other }))).status).toBe('hit')
    expect((await serve(bench, embed(['a', 'b']))).asked).toEqual(['b'])
  })

  it('that one group serves count as not found beside each other', async () => {
    const bench = createBench()
    const mixed = { name: 'fast', members: [...fast.members, ...groupOf('fast', { id: 'x', model: 'm2' }).members] }
    const [, second] = mixed.members
    if (!second) throw new TypeError('two members')
    await serve(bench, embed(['a'], {}, { group: mixed }), { ...producerOf(), group: mixed })
    await serve(bench, embed(['b'], {}, { group: mixed }), {
      deployment: second.deployment,
      group: mixed,
      billable: true,
    })
    const found = missOf(await bench.cache.findWhole(embed(['a', 'b'], {}, { group: mixed })))
    expect(found.request.input).toEqual(['b'])
  })
})

describe('a lookup of embeddings', () => {
  it('asks the store once, and so does keeping', async () => {
    const bench = createBench()
    await serve(bench, embed(['a', 'b', 'c']))
    expect(bench.store.calls).toMatchObject({ get: 1, set: 1 })
  })

  it('takes a damaged vector as not found', async () => {
    const bench = createBench()
    await serve(bench, embed(['a', 'b']))
    const [first] = bench.store.values.values()
    if (first) first.value = `${first.value.slice(0, -1)}!`
    expect((await serve(bench, embed(['a', 'b']))).asked).toEqual(['a'])
  })

  it('gives an answer of the wrong length to the caller, and keeps nothing of it', async () => {
    const bench = createBench()
    const miss = missOf(await bench.cache.findWhole(embed(['a', 'b'])))
    const short = { body: answerTo(embed(['a']).request), written: undefined }
    expect(miss.keep(short, producerOf())).toBe(short)
    await settle()
    expect(bench.store.values.size).toBe(0)
  })

  it('only from the cache is a 504 when a part is missing', async () => {
    const bench = createBench()
    await serve(bench, embed(['a']))
    const only = embed(['a', 'b'], {}, { cacheControl: 'only-if-cached' })
    await expect(bench.cache.findWhole(only)).rejects.toMatchObject({ status: 504 })
  })

  it('takes no part with no input, or more than 2,048', async () => {
    const bench = createBench()
    const many = Array.from({ length: 2_049 }, (_, at) => `t${at}`)
    expect((await bench.cache.findWhole(embed(many))).status).toBe('bypass')
    expect((await bench.cache.findWhole(embed([]))).status).toBe('bypass')
    expect((await bench.cache.findWhole(embed(many.slice(1)))).status).toBe('miss')
  })
})
