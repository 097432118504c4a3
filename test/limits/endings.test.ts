import { describe, expect, it } from 'vitest'
import { createEndings } from '../../src/limits/endings.js'
import type { CounterStore, Hold } from '../../src/ports/counters.js'
import { createMemoryCounters } from '../../src/stores/memory-counters.js'
import { FakeClock } from '../support/fake-clock.js'
import { faulty, quiet } from './admission-lab.js'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const holdOf = (counter: string): Hold => ({ counter, kind: 'budget', amount: 5, limit: 100 })

/** A store with ten budgets, of each of which one reservation of 5 is running. */
async function running() {
  const clock = new FakeClock()
  const faults = faulty(createMemoryCounters({ clock }))
  const holds = Array.from({ length: 10 }, (_, at) => holdOf(`budget:${at}`))
  await faults.store.seed(
    'all',
    holds.map(({ counter }) => ({ counter, spent: 0, until: 0 })),
  )
  const reservations = await Promise.all(
    holds.map(async (hold, at) => {
      const result = await faults.store.reserve([hold], { id: `call ${at}`, tenant: 'all', ttlMs: 60_000 })
      if (!('granted' in result)) throw new Error('not granted')
      return result.granted
    }),
  )
  const spent = async () =>
    (await faults.store.read('all', holds)).map(({ used, seededUntil }) => seededUntil !== undefined && used)
  return { clock, faults, reservations, spent }
}

describe('endings', () => {
  it('are repeated until the store takes them, the oldest first', async () => {
    const { clock, faults, reservations, spent } = await running()
    const endings = createEndings({ clock, logger })
    const order: string[] = []
    faults.fault = 'down'
    for (const reservation of reservations) {
      endings.end({ store: faults.store, reservation, actual: [3], at: 1, onSettled: () => order.push(reservation.id) })
    }
    for (let passed = 0; passed < 60; passed++) {
      await quiet()
      clock.advance(1_000)
    }
    expect(order).toEqual([])
    faults.fault = 'none'
    await quiet()
    clock.advance(1_000)
    await quiet()
    expect(order).toEqual(reservations.map(({ id }) => id))
    expect(await spent()).toEqual(Array(10).fill(3))
    expect(clock.pending).toBe(0)
  })

  it('give up the oldest of too many that wait: its budget is missing, the others are settled', async () => {
    const { clock, faults, reservations, spent } = await running()
    const endings = createEndings({ clock, logger, maxWaiting: 7 })
    faults.fault = 'down'
    for (const reservation of reservations) {
      endings.end({ store: faults.store, reservation, actual: [3], at: 1 })
      await quiet()
    }
    faults.fault = 'none'
    clock.advance(1_000)
    await quiet()
    expect(await spent()).toEqual([false, false, false, 3, 3, 3, 3, 3, 3, 3])
  })

  it('have budgets forgotten that miss something before they stop', async () => {
    const { faults, clock, reservations, spent } = await running()
    const endings = createEndings({ clock, logger, maxWaiting: 7 })
    faults.fault = 'down'
    for (const reservation of reservations) {
      endings.end({ store: faults.store, reservation, actual: [3], at: 1 })
      await quiet()
    }
    faults.fault = 'none'
    await endings.close()
    expect(await spent()).toEqual([false, false, false, 3, 3, 3, 3, 3, 3, 3])
  })

  it('have thousands of budgets forgotten, a few hundred at a time', async () => {
    const clock = new FakeClock()
    const forgotten = new Set<string>()
    const store: CounterStore = {
      ...faulty(createMemoryCounters({ clock })).store,
      settle: () => Promise.reject(new Error('down')),
      async forget(_, names) {
        if (names.length > 500) throw new Error('did not answer in time')
        for (const name of names) forgotten.add(name)
      },
    }
    const endings = createEndings({ clock, logger, maxWaiting: 0 })
    for (let at = 0; at < 1_200; at += 1) {
      const reservation = { id: `call ${at}`, tenant: 'all', holds: [holdOf(`budget:${at}`)], used: [0] }
      endings.end({ store, reservation, actual: [3], at: 1 })
    }
    await quiet()
    clock.advance(1_000)
    await quiet()
    expect(forgotten.size).toBe(1_200)
    await endings.close()
  })

  it('let a release go that nobody takes: what is held ends by itself', async () => {
    const { clock, faults, reservations, spent } = await running()
    const endings = createEndings({ clock, logger })
    faults.fault = 'down'
    const [reservation] = reservations
    if (!reservation) throw new Error('none')
    endings.end({ store: faults.store, reservation, actual: undefined, at: 0 })
    for (let passed = 0; passed < 200; passed++) {
      await quiet()
      clock.advance(1_000)
    }
    faults.fault = 'none'
    expect(clock.pending).toBe(0)
    expect(await spent()).toEqual(Array(10).fill(0))
  })
})
