import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import type { CacheEntry, CacheStore } from '../../src/ports/cache-store.js'
import { createMemoryCache } from '../../src/stores/memory-cache.js'
import { type TieredCache, type TieredCacheOptions, createTieredCache } from '../../src/stores/tiered-cache.js'
import { cacheStoreContract, describeContract } from '../../src/testing/index.js'
import { FakeClock } from '../support/fake-clock.js'

const ttlMs = 60_000

/** A shared cache that writes down what it is asked, fails when told to, and waits where there is a gate. */
class SharedCache implements CacheStore {
  readonly values = new Map<string, string>()
  readonly asked: (readonly string[])[] = []
  failure: Error | undefined
  gate: Promise<void> | undefined

  async get(keys: readonly string[]): Promise<readonly (string | null)[]> {
    this.asked.push(keys)
    const values = keys.map((key) => this.values.get(key) ?? null)
    await this.gate
    if (this.failure) throw this.failure
    return values
  }
  async set(entries: readonly CacheEntry[]): Promise<void> {
    if (this.failure) throw this.failure
    for (const { key, value } of entries) this.values.set(key, value)
  }
  async setIfAbsent({ key, value }: CacheEntry): Promise<boolean> {
    if (this.failure) throw this.failure
    if (this.values.has(key)) return false
    this.values.set(key, value)
    return true
  }
  async delete(keys: readonly string[]): Promise<void> {
    if (this.failure) throw this.failure
    for (const key of keys) this.values.delete(key)
  }
}

let clock: FakeClock
let memory: CacheStore
let shared: SharedCache
let warnings: object[]
let cache: TieredCache

const build = (options: Partial<TieredCacheOptions> = {}): TieredCache => {
  const logger = { warn: (fields: object) => void warnings.push(fields) }
  return createTieredCache(memory, shared, { logger, clock, ...options })
}
const closeGate = (): (() => void) => {
  let open = (): void => {}
  shared.gate = new Promise((resolve) => (open = resolve))
  return open
}

beforeEach(() => {
  clock = new FakeClock()
  memory = createMemoryCache({ clock })
  shared = new SharedCache()
  warnings = []
  cache = build()
})

describeContract({ describe, it }, cacheStoreContract, () => {
  const time = new FakeClock()
  const [near, far] = [createMemoryCache({ clock: time }), createMemoryCache({ clock: time })]
  const logger = { warn: () => {} }
  return {
    store: createTieredCache(near, far, { logger, clock: time }),
    now: () => time.now(),
    pass: (milliseconds) => time.advance(milliseconds),
  }
})

describe('reading from two tiers', () => {
  it('does not ask the shared tier for what is in memory', async () => {
    await memory.set([{ key: 'a', value: 'near', ttlMs }])
    expect(await cache.get(['a'])).toEqual(['near'])
    expect(shared.asked).toEqual([])
  })

  it('asks the shared tier once, for what memory does not have', async () => {
    await memory.set([{ key: 'a', value: 'near', ttlMs }])
    shared.values.set('b', 'far').set('d', 'far too')
    expect(await cache.get(['a', 'b', 'c', 'd'])).toEqual(['near', 'far', null, 'far too'])
    expect(shared.asked).toEqual([['b', 'c', 'd']])
  })

  it('keeps what the shared tier has in memory, and nothing for what it does not have', async () => {
    const written: (readonly CacheEntry[])[] = []
    const inner = memory
    memory = { ...inner, set: (entries) => (written.push(entries), inner.set(entries)) }
    cache = build({ backFillMs: 3_000 })
    shared.values.set('b', 'far')
    await cache.get(['a', 'b'])
    expect(written).toEqual([[{ key: 'b', value: 'far', ttlMs: 3_000 }]])
    expect(await cache.get(['b'])).toEqual(['far'])
    expect(shared.asked).toHaveLength(1)
  })

  it.each([
    ['null', null],
    ['a list of nulls', [null, null]],
  ])('writes nothing to memory where the shared tier answers %s', async (_, answer) => {
    let writes = 0
    memory = { ...memory, set: async () => void writes++ }
    shared.get = async () => answer as (string | null)[]
    cache = build()
    expect(await cache.get(['a', 'b'])).toEqual([null, null])
    expect(writes).toBe(0)
    expect(warnings).toEqual([])
  })

  it('asks for misses once, and then not for ten seconds', async () => {
    for (let times = 0; times < 5; times++) expect(await cache.get(['a', 'b'])).toEqual([null, null])
    expect(shared.asked).toEqual([['a', 'b']])
    shared.values.set('a', 'of another process')
    clock.advance(9_999)
    expect(await cache.get(['a'])).toEqual([null])
    clock.advance(1)
    expect(await cache.get(['a'])).toEqual(['of another process'])
    expect(shared.asked).toEqual([['a', 'b'], ['a']])
  })

  it('asks only for the misses that are due', async () => {
    await cache.get(['a'])
    clock.advance(6_000)
    await cache.get(['a', 'b'])
    clock.advance(4_000)
    await cache.get(['a', 'b'])
    expect(shared.asked).toEqual([['a'], ['b'], ['a']])
  })

  it('asks again for a value that memory lost, however soon', async () => {
    shared.values.set('a', 'far')
    await cache.get(['a'])
    await memory.delete(['a'])
    expect(await cache.get(['a'])).toEqual(['far'])
  })

  it('always asks for keys that have to be fresh, whatever memory has', async () => {
    await cache.get(['a', 'b'])
    shared.values.set('a', 'new').set('b', 'new')
    expect(await cache.get(['a', 'b'], new Set(['a']))).toEqual(['new', null])
    shared.values.set('a', 'newer')
    expect(await cache.get(['a'])).toEqual(['new'])
    expect(await cache.get(['a'], new Set(['a']))).toEqual(['newer'])
    expect(await cache.get(['a'])).toEqual(['newer'])
    shared.values.delete('a')
    expect(await cache.get(['a'], new Set(['a']))).toEqual([null])
  })

  it('answers a key at each of its places, and asks for it once', async () => {
    shared.values.set('a', 'far')
    expect(await cache.get(['a', 'b', 'a', 'b', 'a'])).toEqual(['far', null, 'far', null, 'far'])
    expect(shared.asked).toEqual([['a', 'b']])
  })

  it('remembers as many misses as it may, and forgets the oldest for a new one', async () => {
    cache = build({ maxThrottled: 2 })
    for (const key of ['a', 'b', 'c']) await cache.get([key])
    await cache.get(['c'])
    await cache.get(['b'])
    expect(shared.asked).toEqual([['a'], ['b'], ['c']])
    await cache.get(['a'])
    expect(shared.asked).toEqual([['a'], ['b'], ['c'], ['a']])
  })

  it('forgets no other miss for one that it remembers already', async () => {
    cache = build({ maxThrottled: 2 })
    await cache.get(['a'])
    await cache.get(['b'])
    for (let times = 0; times < 3; times++) await cache.get(['b'], new Set(['b']))
    shared.asked.length = 0
    await cache.get(['a', 'b'])
    expect(shared.asked).toEqual([])
  })

  it('asks once for all who come while the answer is under way, and gives it to all', async () => {
    shared.values.set('a', 'far')
    const open = closeGate()
    const asking = Array.from({ length: 20 }, () => cache.get(['a', 'b']))
    await Promise.resolve()
    const mixed = cache.get(['b', 'c', 'a'])
    open()
    for (const answer of await Promise.all(asking)) expect(answer).toEqual(['far', null])
    expect(await mixed).toEqual([null, null, 'far'])
    expect(shared.asked).toEqual([['a', 'b'], ['c']])
  })

  it('asks once for what is under way also where it remembers fewer misses than that', async () => {
    cache = build({ maxThrottled: 1 })
    shared.values.set('a', 'far')
    const open = closeGate()
    const asking = [cache.get(['a', 'b', 'c']), cache.get(['c', 'b', 'a'])]
    open()
    expect(await Promise.all(asking)).toEqual([
      ['far', null, null],
      [null, null, 'far'],
    ])
    expect(shared.asked).toEqual([['a', 'b', 'c']])
  })

  it('gives what memory has where the shared tier fails, and asks again at once', async () => {
    await memory.set([{ key: 'a', value: 'near', ttlMs }])
    shared.failure = new Error('away')
    expect(await cache.get(['a', 'b'])).toEqual(['near', null])
    expect(await cache.get(['a'], new Set(['a']))).toEqual(['near'])
    expect(warnings).toEqual([{ error: shared.failure }])
    shared.failure = undefined
    shared.values.set('b', 'far')
    expect(await cache.get(['b'])).toEqual(['far'])
  })

  it('goes on throttling the misses of before where a fresh read of them fails', async () => {
    await cache.get(['a'])
    clock.advance(5_000)
    shared.failure = new Error('away')
    await cache.get(['a'], new Set(['a']))
    shared.failure = undefined
    shared.asked.length = 0
    await cache.get(['a'])
    expect(shared.asked).toEqual([])
    clock.advance(5_000)
    await cache.get(['a'])
    expect(shared.asked).toEqual([['a']])
  })

  it('fails for nobody who waited for a request that failed', async () => {
    const open = closeGate()
    shared.failure = new Error('away')
    const asking = [cache.get(['a']), cache.get(['a']), cache.get(['b', 'a'])]
    open()
    expect(await Promise.all(asking)).toEqual([[null], [null], [null, null]])
  })

  it('warns once in ten seconds', async () => {
    shared.failure = new Error('away')
    for (let times = 0; times < 50; times++) await cache.get([String(times)])
    expect(warnings).toHaveLength(1)
    clock.advance(10_000)
    await cache.get(['x'])
    expect(warnings).toHaveLength(2)
  })
})

describe('writing to two tiers', () => {
  it('writes to both', async () => {
    await cache.set([{ key: 'a', value: '1', ttlMs }])
    expect(await memory.get(['a'])).toEqual(['1'])
    expect(shared.values.get('a')).toBe('1')
  })

  it('keeps in memory what the shared tier does not take, and says so', async () => {
    shared.failure = new Error('away')
    await cache.set([{ key: 'a', value: '1', ttlMs }])
    expect(await cache.setIfAbsent({ key: 'b', value: '2', ttlMs })).toBe(true)
    expect(await cache.setIfAbsent({ key: 'b', value: '3', ttlMs })).toBe(false)
    expect(await cache.get(['a', 'b'])).toEqual(['1', '2'])
    expect(warnings).toHaveLength(1)
  })

  it('finds at once what another process was first to write', async () => {
    await cache.get(['a'])
    shared.values.set('a', 'of another process')
    expect(await cache.setIfAbsent({ key: 'a', value: 'ours', ttlMs })).toBe(false)
    expect(await cache.get(['a'])).toEqual(['of another process'])
  })

  it('deletes from memory also where the shared tier fails, and rejects then', async () => {
    await cache.set([{ key: 'a', value: '1', ttlMs }])
    shared.failure = new Error('away')
    await expect(cache.delete(['a'])).rejects.toThrow('away')
    expect(await memory.get(['a'])).toEqual([null])
  })

  it('does not bring back from an older answer what was deleted meanwhile', async () => {
    shared.values.set('a', 'old')
    const open = closeGate()
    const asking = cache.get(['a'])
    await Promise.resolve()
    await cache.delete(['a'])
    open()
    await asking
    expect(await cache.get(['a'])).toEqual([null])
  })

  it('does not replace by an older answer what was set meanwhile', async () => {
    shared.values.set('a', 'old')
    const open = closeGate()
    const asking = cache.get(['a'])
    await Promise.resolve()
    await cache.set([{ key: 'a', value: 'new', ttlMs }])
    open()
    await asking
    expect(await cache.get(['a'])).toEqual(['new'])
  })
})

it('answers any batch as the shared tier alone would, with at most one request for each', async () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd')
  const step = fc.oneof(
    fc.record({ read: fc.array(key, { maxLength: 6 }), fresh: fc.array(key, { maxLength: 2 }) }),
    fc.record({ write: key, value: fc.string() }),
    fc.record({ remove: key }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const [near, far] = [createMemoryCache({ clock }), new SharedCache()]
      const tiers = createTieredCache(near, far, { clock, logger: { warn: () => expect.unreachable() } })
      for (const action of steps) {
        if ('write' in action) await tiers.set([{ key: action.write, value: action.value, ttlMs }])
        if ('remove' in action) await tiers.delete([action.remove])
        if (!('read' in action)) continue
        const before = far.asked.length
        const answer = await tiers.get(action.read, new Set(action.fresh))
        expect(far.asked.length - before).toBeLessThanOrEqual(1)
        expect(answer).toEqual(action.read.map((name) => far.values.get(name) ?? null))
      }
    }),
  )
})
