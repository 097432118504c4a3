import { describe, expect, it } from 'vitest'
import { createMemoryCache } from '../../src/stores/memory-cache.js'
import { cacheStoreContract, describeContract } from '../../src/testing/index.js'
import { FakeClock } from '../support/fake-clock.js'

describeContract({ describe, it }, cacheStoreContract, () => {
  const clock = new FakeClock()
  return {
    store: createMemoryCache({ clock }),
    now: () => clock.now(),
    pass: (milliseconds) => clock.advance(milliseconds),
  }
})

describe('the cache in memory', () => {
  const ttlMs = 60_000

  it('lets the least recently used go once there are too many', async () => {
    const cache = createMemoryCache({ clock: new FakeClock(), maxEntries: 2 })
    await cache.set(['a', 'b'].map((key) => ({ key, value: key, ttlMs })))
    await cache.get(['a'])
    await cache.set([{ key: 'c', value: 'c', ttlMs }])
    expect(await cache.get(['a', 'b', 'c'])).toEqual(['a', null, 'c'])
  })

  it('lets the least recently used go once they are too large together', async () => {
    const cache = createMemoryCache({ clock: new FakeClock(), maxBytes: 10_000 })
    for (const key of ['a', 'b', 'c']) await cache.set([{ key, value: key.repeat(2_000), ttlMs }])
    expect((await cache.get(['a', 'b', 'c'])).map((value) => value?.length ?? null)).toEqual([null, 2_000, 2_000])
  })

  it('does not keep what is larger than all it may have, and forgets what it had under that key', async () => {
    const cache = createMemoryCache({ clock: new FakeClock(), maxBytes: 10_000 })
    await cache.set([{ key: 'a', value: 'old', ttlMs }])
    await cache.set([{ key: 'b', value: 'other', ttlMs }])
    await cache.set([{ key: 'a', value: 'x'.repeat(6_000), ttlMs }])
    expect(await cache.get(['a', 'b'])).toEqual([null, 'other'])
  })

  it('forgets to the millisecond, and starts no timers for it', async () => {
    const clock = new FakeClock()
    const cache = createMemoryCache({ clock })
    await cache.set([{ key: 'a', value: '1', ttlMs: 100 }])
    clock.advance(100)
    expect(await cache.get(['a'])).toEqual(['1'])
    clock.advance(1)
    expect(await cache.get(['a'])).toEqual([null])
    expect(clock.pending).toBe(0)
  })
})
