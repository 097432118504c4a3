import { describe, expect, it } from 'vitest'
import type { CacheQuestion } from '../../src/cache/cache-plan.js'
import type { StreamHit, StreamMiss, WholeHit, WholeMiss } from '../../src/cache/found.js'
import type { StreamPiece } from '../../src/cache/stream-text.js'
import {
  type Bench,
  chat,
  completionOf,
  createBench,
  embed,
  hitOf,
  missOf,
  piecesOf,
  producerOf,
} from './cache-fixture.js'
import { createGate, settle } from './fake-store.js'

type Found = WholeHit<'chat'> | WholeMiss<'chat'>

/** A lookup, and what has come of it so far. */
class Lookup<T> {
  found: T | undefined
  error: unknown

  constructor(promise: Promise<T>) {
    promise.then(
      (found) => (this.found = found),
      (error: unknown) => (this.error = error),
    )
  }
}

async function lookUp(bench: Bench, ...questions: CacheQuestion<'chat'>[]): Promise<Lookup<Found>[]> {
  const lookups = questions.map((question) => new Lookup(bench.cache.findWhole(question)))
  await settle()
  return lookups
}

const given = (content: string): { body: ReturnType<typeof completionOf>; written: undefined } => ({
  body: completionOf(content),
  written: undefined,
})

function waiting<T extends { status: string }>(lookups: readonly Lookup<T>[]): Lookup<T>[] {
  return lookups.filter(({ found, error }) => !found && !error)
}

function leadersOf(lookups: readonly Lookup<Found>[]): WholeMiss<'chat'>[] {
  return lookups.flatMap(({ found }) => (found && found.status !== 'hit' ? [found] : []))
}

describe('identical requests at the same time', () => {
  it('are all asked where nobody said otherwise', async () => {
    expect(leadersOf(await lookUp(createBench(), chat(), chat(), chat()))).toHaveLength(3)
  })

  it('are answered by one call, and one look into the store', async () => {
    const bench = createBench({ coalesce: true })
    const lookups = await lookUp(bench, ...Array.from({ length: 20 }, () => chat()))
    const [leader, ...others] = leadersOf(lookups)
    expect(others).toEqual([])
    expect(waiting(lookups)).toHaveLength(19)
    leader?.keep(given('one'), producerOf())
    leader?.release()
    await settle()
    const hits = lookups.flatMap(({ found }) => (found?.status === 'hit' ? [found] : []))
    expect(hits).toHaveLength(19)
    expect(new Set(hits.map(({ answer }) => answer.written))).toEqual(new Set([JSON.stringify(completionOf('one'))]))
    expect(bench.store.calls).toMatchObject({ get: 1, set: 1 })
  })

  it('are answered from the store together', async () => {
    const bench = createBench({ coalesce: true })
    const miss = missOf(await bench.cache.findWhole(chat()))
    miss.keep(given('kept'), producerOf())
    miss.release()
    await settle()
    const lookups = await lookUp(bench, chat(), chat(), chat())
    expect(lookups.map(({ found }) => found?.status)).toEqual(['hit', 'hit', 'hit'])
    expect(bench.store.calls.get).toBe(2)
  })

  it('find the answer also while it is still being kept', async () => {
    const bench = createBench({ coalesce: true })
    const miss = missOf(await bench.cache.findWhole(chat()))
    const gate = createGate()
    bench.store.gates = { set: gate.closed }
    miss.keep(given('a'), producerOf())
    miss.release()
    const [during] = await lookUp(bench, chat())
    expect(during?.found?.status).toBe('hit')
    gate.open()
    bench.store.gates = {}
    await settle()
    const [after] = await lookUp(bench, chat())
    expect(after?.found?.status).toBe('hit')
  })

  it('of different callers, or with another field, do not wait for each other', async () => {
    const bench = createBench({ coalesce: true })
    const other = chat({}, { caller: { id: 'user-2', role: 'member', models: 'all', scopes: [] } })
    expect(leadersOf(await lookUp(bench, chat(), other, chat({ seed: 1 })))).toHaveLength(3)
  })

  it('that want no answer from the cache, or none in it, are asked on their own', async () => {
    const bench = createBench({ coalesce: true })
    const apart = [
      chat({ cache: { 'no-cache': true } }),
      chat({ cache: { 'no-store': true } }),
      chat({ cache: { ttl: 0 } }),
    ]
    expect(leadersOf(await lookUp(bench, chat(), ...apart))).toHaveLength(4)
  })

  it('are answered by one call also while the store is down', async () => {
    const bench = createBench({ coalesce: true })
    bench.store.failure = new Error('down')
    const lookups = await lookUp(bench, chat(), chat())
    const [leader, ...others] = leadersOf(lookups)
    expect(others).toEqual([])
    leader?.keep(given('a'), producerOf())
    await settle()
    expect(waiting(lookups)).toEqual([])
  })
})

describe('a first request that fails or leaves', () => {
  it('hands over to one of those that wait, never to all at once', async () => {
    const bench = createBench({ coalesce: true })
    const lookups = await lookUp(bench, ...Array.from({ length: 5 }, () => chat()))
    for (let failed = 0; failed < 4; failed += 1) {
      const leaders = leadersOf(lookups)
      expect(leaders).toHaveLength(failed + 1)
      leaders.at(-1)?.release()
      leaders.at(-1)?.release()
      await settle()
    }
    const last = leadersOf(lookups).at(-1)
    last?.keep(given('at last'), producerOf())
    last?.release()
    await settle()
    const [later] = await lookUp(bench, chat())
    expect(later?.found?.status).toBe('hit')
  })

  it('does not disturb the call that took over', async () => {
    const bench = createBench({ coalesce: true })
    const lookups = await lookUp(bench, chat(), chat(), chat())
    const [first] = leadersOf(lookups)
    first?.release()
    await settle()
    // Released again, as a finally does; the second call is under way by now.
    first?.release()
    lookups.push(...(await lookUp(bench, chat())))
    expect(leadersOf(lookups)).toHaveLength(2)
    expect(waiting(lookups)).toHaveLength(2)
  })
})

describe('a request that waits', () => {
  it('may leave, and the call goes on for the others', async () => {
    const bench = createBench({ coalesce: true })
    const leaving = new AbortController()
    const lookups = await lookUp(bench, chat(), chat({}, { signal: leaving.signal }), chat())
    leaving.abort()
    await settle()
    expect(lookups[1]?.error).toMatchObject({ kind: 'client_closed' })
    const [leader] = leadersOf(lookups)
    leader?.keep(given('a'), producerOf())
    await settle()
    expect(lookups[2]?.found?.status).toBe('hit')
    expect(bench.clock.pending).toBe(0)
  })

  it('that had left before does not wait at all', async () => {
    const bench = createBench({ coalesce: true })
    const lookups = await lookUp(bench, chat(), chat({}, { signal: AbortSignal.abort() }))
    expect(lookups[1]?.error).toMatchObject({ kind: 'client_closed' })
    expect(bench.clock.pending).toBe(0)
  })

  it('goes on alone when it has waited long enough', async () => {
    const bench = createBench({ coalesce: true, coalesceWaitMs: 1_000 })
    const lookups = await lookUp(bench, chat(), chat())
    bench.clock.advance(999)
    await settle()
    expect(waiting(lookups)).toHaveLength(1)
    bench.clock.advance(1)
    await settle()
    expect(leadersOf(lookups)).toHaveLength(2)
  })

  it('does not wait for a call that nobody ended', async () => {
    const bench = createBench({ coalesce: true, coalesceWaitMs: 1_000 })
    await lookUp(bench, chat())
    bench.clock.advance(1_001)
    const [later] = await lookUp(bench, chat())
    expect(later?.found?.status).toBe('miss')
  })

  it('takes no answer that is too old for it', async () => {
    const bench = createBench({ coalesce: true })
    const miss = missOf(await bench.cache.findWhole(chat()))
    miss.keep(given('a'), producerOf())
    miss.release()
    await settle()
    bench.clock.advance(10_000)
    const lookups = await lookUp(bench, chat(), chat({ cache: { 's-maxage': 5 } }))
    expect(lookups.map(({ found }) => found?.status)).toEqual(['hit', 'miss'])
  })
})

describe('identical streams at the same time', () => {
  const question = chat({ stream: true })
  const open = async (bench: Bench): Promise<Lookup<StreamHit<'chat'> | StreamMiss>[]> => {
    const lookups = [1, 2, 3].map(() => new Lookup(bench.cache.findStream(question)))
    await settle()
    return lookups
  }

  it('get the whole stream when it is complete', async () => {
    const bench = createBench({ coalesce: true })
    const lookups = await open(bench)
    const leader = missOf(lookups[0]?.found)
    expect(waiting(lookups)).toHaveLength(2)
    const pieces = piecesOf('a', 'b')
    leader.collect(pieces)
    await settle()
    expect(waiting(lookups)).toHaveLength(2)
    leader.complete(producerOf())
    leader.release()
    await settle()
    for (const { found } of lookups.slice(1)) {
      const replayed: StreamPiece[] = []
      for await (const batch of hitOf(found).parts) replayed.push(...batch)
      expect(replayed).toHaveLength(pieces.length)
    }
  })

  it('hand over when the first one is cut', async () => {
    const bench = createBench({ coalesce: true })
    const lookups = await open(bench)
    const leader = missOf(lookups[0]?.found)
    leader.collect(piecesOf('a').slice(0, 2))
    leader.release()
    await settle()
    expect(lookups[1]?.found?.status).toBe('miss')
    expect(waiting(lookups)).toHaveLength(1)
  })

  it('go on alone at once when the first one gets too large to be shared', async () => {
    const bench = createBench({ coalesce: true, maxEntryBytes: 1_000 })
    const lookups = await open(bench)
    const leader = missOf(lookups[0]?.found)
    leader.collect(piecesOf('a'.repeat(2_000)))
    await settle()
    expect(lookups.map(({ found }) => found?.status)).toEqual(['miss', 'miss', 'miss'])
  })
})

describe('identical embeddings at the same time', () => {
  it('are answered by one call, put together with what was known', async () => {
    const bench = createBench({ coalesce: true })
    const answer = (texts: string[]): Parameters<WholeMiss<'embeddings'>['keep']>[0] => ({
      body: {
        object: 'list',
        data: texts.map((text, index) => ({ object: 'embedding', index, embedding: [text.charCodeAt(0)] })),
        model: 'm1',
        usage: { prompt_tokens: texts.length, total_tokens: texts.length },
      },
      written: undefined,
    })
    const first = missOf(await bench.cache.findWhole(embed(['a'])))
    first.keep(answer(['a']), producerOf())
    first.release()
    await settle()
    const lookups = [1, 2].map(() => new Lookup(bench.cache.findWhole(embed(['a', 'b']))))
    await settle()
    const leader = missOf(lookups[0]?.found)
    expect(leader).toMatchObject({ status: 'partial', request: { input: ['b'] } })
    leader.keep(answer(['b']), producerOf())
    leader.release()
    await settle()
    const { body } = hitOf(lookups[1]?.found).answer
    expect(body.data.map(({ embedding }) => embedding)).toEqual([[97], [98]])
    expect(body.usage.total_tokens).toBe(2)
  })
})
