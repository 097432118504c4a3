import { describe, expect, it } from 'vitest'
import type { CacheQuestion } from '../../src/cache/cache-plan.js'
import type { StreamPiece } from '../../src/cache/stream-text.js'
import type { Caller } from '../../src/ports.js'
import { anyCaller } from '../support/deployment.js'
import {
  type Bench,
  chat,
  completionOf,
  createBench,
  fast,
  groupOf,
  hitOf,
  missOf,
  piecesOf,
  producerOf,
} from './cache-fixture.js'
import { settle } from './fake-store.js'

type Question = CacheQuestion<'chat'>

/** Answers a question that must miss. */
async function answer({ cache }: Bench, question: Question, content: string, producer = producerOf()): Promise<void> {
  const miss = missOf(await cache.findWhole(question))
  miss.keep({ body: completionOf(content), written: undefined }, producer)
  miss.release()
  await settle()
}

async function contentOf({ cache }: Bench, question: Question): Promise<string | null | undefined> {
  const found = await cache.findWhole(question)
  if (found.status === 'hit') return found.answer.body.choices[0]?.message.content
  found.release()
  return undefined
}

async function stream(
  { cache }: Bench,
  question: Question,
  pieces: StreamPiece[],
  producer = producerOf(),
): Promise<void> {
  const miss = missOf(await cache.findStream(question))
  for (const piece of pieces) miss.collect([piece])
  miss.complete(producer)
  miss.release()
  await settle()
}

async function replayOf({ cache }: Bench, question: Question): Promise<StreamPiece[] | undefined> {
  const found = await cache.findStream(question)
  if (found.status !== 'hit') {
    found.release()
    return undefined
  }
  const pieces: StreamPiece[] = []
  for await (const batch of found.parts) pieces.push(...batch)
  return pieces
}

describe('a repeated request', () => {
  it.each([
    ['text', '{ "id": "x",\n "choices": [] }'],
    ['bytes', Buffer.from('{ "id": "é🎉", "choices": [] }')],
  ])('gets the very %s that was answered first', async (_, written) => {
    const bench = createBench()
    const miss = missOf(await bench.cache.findWhole(chat()))
    const given = { body: completionOf('ignored'), written }
    expect(miss.keep(given, producerOf())).toBe(given)
    miss.release()
    await settle()
    const hit = hitOf(await bench.cache.findWhole(chat()))
    expect(hit.answer.written).toBe(String(written))
    expect(hit.answer.body).toEqual(JSON.parse(String(written)))
  })

  it('tells the key, the age, the usage, and who answered', async () => {
    const bench = createBench()
    const miss = missOf(await bench.cache.findWhole(chat()))
    await answer(bench, chat(), 'a')
    bench.clock.advance(2_500)
    const hit = hitOf(await bench.cache.findWhole(chat()))
    expect(hit).toMatchObject({ key: miss.key, ageMs: 2_500 })
    expect(hit.source).toMatchObject({ deployment: 'fast-1', modelName: 'fast', provider: 'openai', model: 'm1' })
    expect(hit.source.usage).toEqual({ prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 })
  })

  it('of another caller does not get it', async () => {
    const bench = createBench()
    await answer(bench, chat(), 'a')
    const other: Caller = { ...anyCaller, id: 'user-2' }
    expect(await contentOf(bench, chat({}, { caller: other }))).toBeUndefined()
    expect(await contentOf(bench, chat())).toBe('a')
  })

  it('asks anew after 60 seconds, or after the time that host or request have set', async () => {
    const [byDefault, byHost, byRequest] = [createBench(), createBench({ ttlMs: 5_000 }), createBench({ ttlMs: 5_000 })]
    for (const [bench, question, ttlMs] of [
      [byDefault, chat(), 60_000],
      [byHost, chat(), 5_000],
      [byRequest, chat({ cache: { ttl: 90 } }), 90_000],
    ] as const) {
      await answer(bench, question, 'a')
      bench.clock.advance(ttlMs - 1)
      expect(await contentOf(bench, question)).toBe('a')
      bench.clock.advance(1)
      expect(await contentOf(bench, question)).toBeUndefined()
    }
  })

  it('is not answered from a store that forgets to forget', async () => {
    const bench = createBench()
    await answer(bench, chat(), 'a')
    for (const held of bench.store.values.values()) held.expires = Infinity
    bench.clock.advance(60_001)
    expect(await contentOf(bench, chat())).toBeUndefined()
  })

  it.each(['chat', 'completions', 'images'] as const)('is one of the same operation: %s', async (operation) => {
    const bench = createBench({ operations: [operation] })
    const found = await bench.cache.findWhole(chat())
    expect(found.status).toBe(operation === 'chat' ? 'miss' : 'bypass')
    const images = { ...chat(), operation: 'images', request: { model: 'fast', prompt: 'a' } } as const
    const image = await bench.cache.findWhole(images)
    expect(image.status).toBe(operation === 'images' ? 'miss' : 'bypass')
  })
})

describe('the wishes of a request', () => {
  it('no-cache asks anew, and the new answer is kept', async () => {
    const bench = createBench()
    await answer(bench, chat(), 'old')
    await answer(bench, chat({}, { cacheControl: 'no-cache' }), 'new')
    expect(await contentOf(bench, chat())).toBe('new')
  })

  it('no-store keeps nothing, and may be answered from the cache', async () => {
    const bench = createBench()
    await answer(bench, chat({ cache: { 'no-store': true } }), 'secret')
    expect(bench.store.values.size).toBe(0)
    await answer(bench, chat(), 'open')
    expect(await contentOf(bench, chat({}, { cacheControl: 'no-store' }))).toBe('open')
  })

  it('s-maxage takes only what is younger', async () => {
    const bench = createBench()
    await answer(bench, chat(), 'a')
    bench.clock.advance(10_000)
    expect(await contentOf(bench, chat({ cache: { 's-maxage': 11 } }))).toBe('a')
    expect(await contentOf(bench, chat({ cache: { 's-maxage': 10 } }))).toBeUndefined()
    expect(await contentOf(bench, chat({}, { cacheControl: 'max-age=0' }))).toBeUndefined()
  })

  it('only-if-cached is a 504 where there is nothing', async () => {
    const bench = createBench()
    const only = chat({}, { cacheControl: 'only-if-cached' })
    const refused = expect.objectContaining({ status: 504, code: 'not_cached' })
    await expect(bench.cache.findWhole(only)).rejects.toEqual(refused)
    await expect(bench.cache.findStream(only)).rejects.toEqual(refused)
    await expect(createBench({ mode: 'default_off' }).cache.findWhole(only)).rejects.toEqual(refused)
    await answer(bench, chat(), 'a')
    expect(await contentOf(bench, only)).toBe('a')
  })

  it('a namespace has answers of its own', async () => {
    const bench = createBench()
    await answer(bench, chat({ cache: { namespace: 'n' } }), 'a')
    expect(await contentOf(bench, chat())).toBeUndefined()
    expect(await contentOf(bench, chat({ cache: { namespace: 'n' } }))).toBe('a')
  })

  it('use-cache is needed where the cache is off by default', async () => {
    const bench = createBench({ mode: 'default_off' })
    await answer(bench, chat(), 'a')
    expect(bench.store.calls).toEqual({ get: 0, set: 0, setIfAbsent: 0, delete: 0 })
    await answer(bench, chat({ cache: { 'use-cache': true } }), 'b')
    expect(await contentOf(bench, chat({ caching: true }))).toBe('b')
  })

  it('caching: false takes no part', async () => {
    const bench = createBench()
    await answer(bench, chat(), 'a')
    expect((await bench.cache.findWhole(chat({ caching: false }))).status).toBe('bypass')
  })
})

describe('an answer of another group', () => {
  const slow = groupOf('slow', { id: 'slow-1', model: 'm2' })

  it('is kept for that group, not for the one that was asked for', async () => {
    const bench = createBench()
    await answer(bench, chat(), 'fallback', producerOf(slow))
    expect(await contentOf(bench, chat())).toBeUndefined()
    expect(await contentOf(bench, chat({}, { group: slow }))).toBe('fallback')
    await stream(bench, chat(), piecesOf('fallback'), producerOf(slow))
    expect(await replayOf(bench, chat())).toBeUndefined()
    expect(await replayOf(bench, chat({}, { group: slow }))).toHaveLength(piecesOf('fallback').length)
  })

  it('is not found once the group has become something else', async () => {
    const bench = createBench()
    await answer(bench, chat(), 'a')
    expect(await contentOf(bench, chat({}, { group: groupOf('fast', { model: 'm9' }) }))).toBeUndefined()
  })
})

describe('an answer that a caller’s own credentials paid for', () => {
  it('is shared with nobody', async () => {
    const bench = createBench({ scope: 'global' })
    await answer(bench, chat(), 'a', producerOf(fast, false))
    await stream(bench, chat(), piecesOf('a'), producerOf(fast, false))
    expect(bench.store.values.size).toBe(0)
  })

  it('is kept for the caller', async () => {
    const bench = createBench()
    await answer(bench, chat(), 'a', producerOf(fast, false))
    expect(await contentOf(bench, chat())).toBe('a')
  })
})

describe('a stream', () => {
  const streamed = chat({ stream: true })

  it('is replayed piece by piece, with finish reason and usage', async () => {
    const bench = createBench()
    const pieces = piecesOf('Hel', 'lo é🎉', '')
    await stream(bench, streamed, pieces)
    const replayed = (await replayOf(bench, streamed)) ?? []
    expect(replayed.map(({ chunk, forward }) => chunk ?? forward?.data)).toEqual(
      pieces.map(({ chunk, forward }) => chunk ?? forward?.data),
    )
    const hit = hitOf(await bench.cache.findStream(streamed))
    expect(hit.source).toMatchObject({ deployment: 'fast-1', usage: { completion_tokens: 3 } })
  })

  it('replays forwarded events with the bytes of an event', async () => {
    const bench = createBench()
    await stream(bench, streamed, piecesOf('é'))
    const hit = hitOf(await bench.cache.findStream(streamed))
    let forwarded = 0
    for await (const batch of hit.parts) {
      for (const { forward } of batch) {
        if (!forward) continue
        forwarded += 1
        expect(Buffer.from(forward.frame).toString()).toBe(`data: ${forward.data}\n\n`)
      }
    }
    expect(forwarded).toBeGreaterThan(0)
  })

  it('of many pieces comes in batches, and may be left early', async () => {
    const bench = createBench()
    await stream(bench, streamed, piecesOf(...Array.from({ length: 200 }, (_, at) => `t${at}`)))
    const sizes: number[] = []
    for await (const batch of hitOf(await bench.cache.findStream(streamed)).parts) sizes.push(batch.length)
    expect(sizes).toEqual([64, 64, 64, 11])
    for await (const batch of hitOf(await bench.cache.findStream(streamed)).parts) {
      expect(batch.length).toBe(64)
      break
    }
  })

  it('keeps JSON that was written over several lines', async () => {
    const bench = createBench()
    await stream(bench, streamed, [{ chunk: undefined, forward: { data: '{\n"choices":[]}' } }, ...piecesOf('a')])
    expect((await replayOf(bench, streamed))?.[0]?.forward?.data).toBe('{"choices":[]}')
  })

  it('that was cut is not kept', async () => {
    const bench = createBench()
    const miss = missOf(await bench.cache.findStream(streamed))
    miss.collect(piecesOf('a'))
    miss.release()
    await settle()
    expect(bench.store.calls.set).toBe(0)
  })

  it('that the store has damaged is not replayed at all', async () => {
    const bench = createBench()
    await stream(bench, streamed, piecesOf('abc', 'def'))
    for (const held of bench.store.values.values()) held.value = held.value.replace('"def"', '"d"ef')
    expect(await replayOf(bench, streamed)).toBeUndefined()
  })

  it('leaves out pieces that hold nothing', async () => {
    const bench = createBench()
    await stream(bench, streamed, [{ chunk: undefined, forward: undefined }, ...piecesOf('a')])
    expect(await replayOf(bench, streamed)).toHaveLength(4)
  })

  it('without a finish reason is not kept, whatever is said about it', async () => {
    const bench = createBench()
    await stream(bench, streamed, piecesOf('a').slice(0, 2))
    expect(bench.store.calls.set).toBe(0)
  })

  it('and a whole answer are kept apart', async () => {
    const bench = createBench()
    await stream(bench, chat(), piecesOf('a'))
    expect(await contentOf(bench, chat())).toBeUndefined()
  })

  it('above the largest size is no longer collected, and not kept', async () => {
    const bench = createBench({ maxEntryBytes: 2_000 })
    await stream(bench, streamed, piecesOf('a'.repeat(1_900)))
    expect(bench.store.calls.set).toBe(0)
    await stream(bench, streamed, piecesOf('a'.repeat(100)))
    expect(bench.store.calls.set).toBe(1)
  })

  it('is not collected beyond what all streams together may hold, which frees itself', async () => {
    const bench = createBench({ maxBytes: 2_000, maxEntryBytes: 1_500 })
    for (const seed of [1, 2, 3]) {
      const first = missOf(await bench.cache.findStream(chat({ stream: true, seed })))
      first.collect(piecesOf('a'.repeat(700)))
      await stream(bench, chat({ stream: true, seed: -seed }), piecesOf('b'.repeat(700)))
      first.complete(producerOf())
      first.release()
      first.release()
      await settle()
      expect(bench.store.calls.set).toBe(seed)
    }
  })
})

describe('what is not kept', () => {
  it('is an answer above the largest size', async () => {
    const bench = createBench({ maxEntryBytes: 1_000 })
    await answer(bench, chat(), 'a'.repeat(1_000))
    expect(bench.store.values.size).toBe(0)
    await answer(bench, chat(), 'a'.repeat(100))
    expect(bench.store.values.size).toBe(1)
  })

  it('is an answer whose bytes are no text', async () => {
    const bench = createBench()
    const miss = missOf(await bench.cache.findWhole(chat()))
    miss.keep({ body: completionOf('a'), written: Buffer.from([0x7b, 0xff, 0x7d]) }, producerOf())
    miss.release()
    await settle()
    expect(bench.store.values.size).toBe(0)
  })

  it('is a call that failed', async () => {
    const bench = createBench()
    missOf(await bench.cache.findWhole(chat())).release()
    await settle()
    expect(bench.store.calls.set).toBe(0)
  })
})

describe('a store', () => {
  it('that is down makes every request a miss, and fails none', async () => {
    const bench = createBench({ coalesce: true })
    bench.store.failure = new Error('down')
    await answer(bench, chat(), 'a')
    await stream(bench, chat({ stream: true }), piecesOf('a'))
    await answer(bench, chat(), 'b')
    bench.store.failure = undefined
    await answer(bench, chat(), 'c')
    expect(await contentOf(bench, chat())).toBe('c')
  })

  it.each([
    ['nothing of ours', () => 'garbage'],
    ['JSON of somebody else', () => '{"timestamp":1,"response":"{}"}\n{}'],
    ['an entry that is cut short', (value: string) => value.slice(0, -1)],
    ['an entry with more behind it', (value: string) => `${value} `],
    ['an empty value', () => ''],
    ['an entry whose text is no JSON', (value: string) => `${value.slice(0, -1)}x`],
    ['an entry of another key', (value: string) => value.replace(/"key":"[0-9a-f]{4}/, '"key":"0000')],
    ['an entry of another kind', (value: string) => value.replace('"kind":"whole"', '"kind":"stream"')],
  ])('that holds %s makes a miss', async (_, damage) => {
    const bench = createBench()
    await answer(bench, chat(), 'a')
    for (const held of bench.store.values.values()) held.value = damage(held.value)
    expect(await contentOf(bench, chat())).toBeUndefined()
    await answer(bench, chat(), 'b')
    expect(await contentOf(bench, chat())).toBe('b')
  })

  it('is asked once for a lookup, and once to keep', async () => {
    const bench = createBench()
    await answer(bench, chat(), 'a')
    expect(bench.store.calls).toEqual({ get: 1, set: 1, setIfAbsent: 0, delete: 0 })
  })
})
