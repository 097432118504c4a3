import { describe, expect, it } from 'vitest'
import type { Hold } from '../../src/ports/counters.js'
import { createMemoryCounters } from '../../src/stores/memory-counters.js'
import { counterStoreContract } from '../../src/testing/contracts/counter-store.js'
import { describeContract } from '../../src/testing/index.js'
import { FakeClock } from '../support/fake-clock.js'

describeContract({ describe, it }, counterStoreContract, () => {
  const clock = new FakeClock()
  clock.advance(Date.now() - clock.now())
  return {
    store: createMemoryCounters({ clock }),
    pass: (milliseconds) => clock.advance(milliseconds),
  }
})

const minute = 60_000

function create(maxCounters: number) {
  const clock = new FakeClock()
  const store = createMemoryCounters({ clock, maxCounters })
  let ids = 0
  const reserve = (hold: Hold, ttlMs = minute) => store.reserve([hold], { id: `call ${ids++}`, tenant: 'a', ttlMs })
  return { clock, store, reserve }
}

const rateOf = (counter: string): Hold => ({ counter, kind: 'rate', amount: 1, limit: 5, windowMs: minute })
const leaseOf = (counter: string): Hold => ({ counter, kind: 'lease', amount: 1, limit: 5 })

describe('counters in memory that are bounded', () => {
  it('makes room of counters that no longer matter', async () => {
    const { clock, store, reserve } = create(2_000)
    for (let at = 0; at < 20_000; at++) {
      expect(await reserve(rateOf(`rpm:${at}`))).toHaveProperty('granted')
      clock.advance(40)
    }
    const [level] = await store.read('a', [rateOf('rpm:19999')])
    expect(level?.used).toBe(1)
  })

  it('never drops a rate in its window, a slot in use or a budget whose window goes on: it takes no more instead', async () => {
    const { clock, store, reserve } = create(30)
    const endsAt = clock.now() + 3 * minute
    const budgets = Array.from({ length: 10 }, (_, at) => ({ counter: `budget:${at}`, spent: at, until: 0, endsAt }))
    await store.seed('a', budgets)
    for (let at = 0; at < 10; at++) await reserve(rateOf(`rpm:${at}`))
    const slots = await Promise.all(
      Array.from({ length: 10 }, (_, at) => reserve(leaseOf(`parallel:${at}`), 5 * minute)),
    )
    await expect(reserve(rateOf('one more'))).rejects.toMatchObject({ kind: 'unavailable' })
    expect(await reserve(rateOf('rpm:0'))).toHaveProperty('granted')

    clock.advance(minute + 1)
    for (let at = 0; at < 10; at++) expect(await reserve(rateOf(`later:${at}`), 1)).toHaveProperty('granted')
    const read = budgets.map(({ counter }): Hold => ({ counter, kind: 'budget', amount: 0, limit: 0 }))
    expect((await store.read('a', read)).map(({ used }) => used)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])

    clock.advance(2 * minute)
    for (let at = 0; at < 20; at++) expect(await reserve(rateOf(`last:${at}`), 1)).toHaveProperty('granted')
    await expect(reserve(rateOf('one more'))).rejects.toMatchObject({ kind: 'unavailable' })
    const held = await store.read(
      'a',
      slots.map((_, at) => leaseOf(`parallel:${at}`)),
    )
    expect(held.map((level) => level.held)).toEqual(Array(10).fill(1))
  })

  it('frees a window of many requests as it slides', async () => {
    const { clock, store } = create(100)
    const hold: Hold = { counter: 'rpm', kind: 'rate', amount: 1, limit: 5_000, windowMs: 5_000 }
    let granted = 0
    for (let at = 0; at < 30_000; at++) {
      const result = await store.reserve([hold], { id: `call ${at}`, tenant: 'a', ttlMs: 1 })
      if ('granted' in result) granted++
      if (at % 2) clock.advance(1)
    }
    // Two requests each millisecond for 15 s, of which 5,000 are let in every 5 s.
    expect(granted).toBe(15_000)
  })
})
