import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { type StoreState, guardStore } from '../../src/stores/guard-store.js'
import { FakeClock } from '../support/fake-clock.js'

/** A store that answers when the test says so. */
class HandStore {
  readonly #calls: { resolve(value: string): void; reject(error: unknown): void }[] = []
  asked = 0
  watched = 0

  ask(question: string): Promise<string> {
    this.asked++
    return new Promise((resolve, reject) => {
      this.#calls.push({ resolve: (value) => resolve(`${question} ${value}`), reject })
    })
  }

  askAtOnce(): Promise<string> {
    throw new Error('thrown, not rejected')
  }

  watch(): () => void {
    this.watched++
    return () => void this.watched--
  }

  answer(value: string): void {
    for (const call of this.#calls.splice(0)) call.resolve(value)
  }

  /** What is under way never settles. */
  forget(): void {
    this.#calls.length = 0
  }

  fail(error: unknown): void {
    for (const call of this.#calls.splice(0)) call.reject(error)
  }
}

let clock: FakeClock
let store: HandStore
let states: StoreState['state'][]
let guarded: HandStore
const unhandled: unknown[] = []
const note = (reason: unknown): void => void unhandled.push(reason)

beforeEach(() => {
  clock = new FakeClock()
  store = new HandStore()
  states = []
  guarded = guardStore<HandStore>(store, {
    name: 'The store',
    clock,
    synchronous: ['watch'],
    onState: ({ state }) => void states.push(state),
  })
  unhandled.length = 0
  process.on('unhandledRejection', note)
})
afterEach(async () => {
  store.answer('late')
  await turn()
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

/** Has operations fail one after the other by their deadline. */
async function expire(times: number): Promise<void> {
  for (let index = 0; index < times; index++) {
    const asking = guarded.ask('?')
    clock.advance(50)
    await expect(asking).rejects.toThrow('did not answer within 50 ms')
  }
}

describe('a guarded store', () => {
  it('gives what the store gives, and keeps no timer', async () => {
    const asking = guarded.ask('how?')
    store.answer('so')
    expect(await asking).toBe('how? so')
    expect(clock.pending).toBe(0)
  })

  it('waits no longer than the deadline, and drops what comes after it', async () => {
    const asking = guarded.ask('how?')
    clock.advance(49)
    await turn()
    expect(await Promise.race([asking, Promise.resolve('still waiting')])).toBe('still waiting')
    clock.advance(1)
    await expect(asking).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'The store did not answer within 50 ms.',
    })
    store.fail(new Error('too late to matter'))
    await turn()
  })

  it('is patient with a store that answers others, but not for ever', async () => {
    const never = new Promise<string>(() => {})
    const answer = (question: string): Promise<string> => (question === 'slow' ? never : Promise.resolve('quick'))
    const busy = guardStore({ ask: answer }, { name: 'The store', clock, busyMs: 200 })
    let failure: unknown
    busy.ask('slow').catch((error: unknown) => (failure = error))
    for (let elapsed = 0; elapsed < 180; elapsed += 30) {
      expect(await busy.ask('quick')).toBe('quick')
      clock.advance(30)
      await turn()
      expect(failure).toBeUndefined()
    }
    expect(await busy.ask('quick')).toBe('quick')
    clock.advance(20)
    await turn()
    expect(failure).toMatchObject({ kind: 'overloaded', status: 503 })
    expect(await busy.ask('quick')).toBe('quick')
  })

  it('takes a store that is silent for slow, until it has been silent for long or is known to be cut off', async () => {
    let isConnected = true
    const options = { name: 'The store', clock, silenceMs: 200, isConnected: () => isConnected }
    const slow = guardStore({ ask: () => new Promise<string>(() => {}) }, options)
    const failures: unknown[] = []
    const ask = (): void => void slow.ask().catch((error: unknown) => failures.push(error))
    ask()
    for (let elapsed = 0; elapsed < 150; elapsed += 50) {
      clock.advance(50)
      await turn()
      expect(failures).toEqual([])
    }
    clock.advance(50)
    await turn()
    expect(failures).toEqual([expect.objectContaining({ kind: 'unavailable' })])
    isConnected = false
    ask()
    clock.advance(50)
    await turn()
    expect(failures).toHaveLength(2)
  })

  it('takes no store for away that answers now and then, however long one answer takes', async () => {
    const answer = (question: string): Promise<string> =>
      question === 'slow' ? new Promise(() => {}) : Promise.resolve('quick')
    const slow = guardStore({ ask: answer }, { name: 'The store', clock, silenceMs: 200, busyMs: 400 })
    let failure: unknown
    slow.ask('slow').catch((error: unknown) => (failure = error))
    for (let elapsed = 0; elapsed < 400; elapsed += 100) {
      expect(failure).toBeUndefined()
      expect(await slow.ask('quick')).toBe('quick')
      for (const step of [50, 50]) {
        clock.advance(step)
        await turn()
      }
    }
    expect(failure).toMatchObject({ kind: 'overloaded' })
  })

  it('takes an answer that is there when a blocked event loop goes on', async () => {
    const asking = guarded.ask('how?')
    clock.advance(500)
    store.answer('it was only us')
    expect(await asking).toBe('how? it was only us')
  })

  it('rejects with a GatewayError whatever the store rejects with or throws', async () => {
    const asking = guarded.ask('how?')
    const cause = new Error('of a driver')
    store.fail(cause)
    await expect(asking).rejects.toMatchObject({ kind: 'unavailable', cause })
    await expect(guarded.askAtOnce()).rejects.toMatchObject({ cause: { message: 'thrown, not rejected' } })
  })

  it('passes on what the store itself answers with an error, which is no outage', async () => {
    for (let times = 0; times < 10; times++) {
      const asking = guarded.ask('how?')
      const error = new GatewayError('conflict', 'is there already')
      store.fail(error)
      await expect(asking).rejects.toBe(error)
    }
    expect(states).toEqual([])
  })

  it('asks nothing any more after five failures in a row', async () => {
    await expire(5)
    expect(states).toEqual(['down'])
    const before = store.asked
    await expect(guarded.ask('?')).rejects.toMatchObject({ kind: 'unavailable' })
    await expect(guarded.askAtOnce()).rejects.toThrow('left alone')
    expect(store.asked).toBe(before)
    expect(clock.pending).toBe(0)
  })

  it('counts failures in a row only', async () => {
    for (let times = 0; times < 3; times++) {
      await expire(4)
      const asking = guarded.ask('?')
      store.answer('!')
      await asking
    }
    expect(states).toEqual([])
  })

  it('lets one probe through at a time, and the next one 500 ms after its failure', async () => {
    await expire(5)
    clock.advance(500)
    const probe = guarded.ask('?')
    expect(store.asked).toBe(6)
    await expect(guarded.ask('?')).rejects.toThrow('left alone')
    clock.advance(50)
    await expect(probe).rejects.toThrow('did not answer')
    clock.advance(499)
    await expect(guarded.ask('?')).rejects.toThrow('left alone')
    clock.advance(1)
    const next = guarded.ask('?')
    expect(store.asked).toBe(7)
    store.answer('back')
    expect(await next).toBe('? back')
  })

  it('asks again as ever after a probe that was answered', async () => {
    await expire(5)
    clock.advance(500)
    const probe = guarded.ask('?')
    store.answer('back')
    await probe
    expect(states).toEqual(['down', 'up'])
    await expire(4)
    expect(states).toEqual(['down', 'up'])
  })

  it('probes at once when what waited through the outage is answered', async () => {
    await expire(5)
    clock.advance(480)
    const probe = guarded.ask('?')
    await expect(probe).rejects.toThrow('left alone')
    store.answer('the queue is worked off')
    await turn()
    const early = guarded.ask('?')
    store.answer('back')
    expect(await early).toBe('? back')
    expect(states).toEqual(['down', 'up'])
  })

  it('does not probe sooner for answers that are late by less than the time between probes, nor for failures', async () => {
    await expire(5)
    store.answer('slow')
    await turn()
    await expect(guarded.ask('?')).rejects.toThrow('left alone')
    clock.advance(500)
    const probe = guarded.ask('?')
    clock.advance(50)
    await expect(probe).rejects.toThrow('did not answer')
    clock.advance(480)
    store.fail(new Error('the queue is given up'))
    await turn()
    await expect(guarded.ask('?')).rejects.toThrow('left alone')
  })

  it('is not opened or closed by what began before it opened', async () => {
    const early = [guarded.ask('?'), guarded.ask('?')]
    clock.advance(40)
    for (let times = 0; times < 5; times++) await expect(guarded.askAtOnce()).rejects.toThrow('failed')
    expect(states).toEqual(['down'])
    store.answer('a straggler')
    await Promise.all(early)
    await expect(guarded.ask('?')).rejects.toThrow('left alone')
    expect(states).toEqual(['down'])
  })

  it('opens once where many fail together', async () => {
    const asking = Array.from({ length: 50 }, () => guarded.ask('?'))
    clock.advance(50)
    const outcomes = await Promise.allSettled(asking)
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(states).toEqual(['down'])
  })

  it('leaves a hundred operations waiting in a client that queues, and one more every 30 s that it is away', async () => {
    for (let times = 0; times < 1_000; times++) {
      guarded.ask('?').catch(() => {})
      clock.advance(600)
      await turn()
    }
    expect(store.asked).toBeGreaterThanOrEqual(100)
    expect(store.asked).toBeLessThanOrEqual(100 + (1_000 * 600 - 100 * 600) / 30_000)
    store.answer('all at once')
    await turn()
    const asking = guarded.ask('?')
    store.answer('back')
    expect(await asking).toBe('? back')
  })

  it('asks again as ever where a store lost a hundred operations that never settle', async () => {
    const lost = Array.from({ length: 100 }, () => guarded.ask('lost').catch(() => 'rejected'))
    store.forget()
    clock.advance(50)
    await turn()
    expect(new Set(await Promise.all(lost))).toEqual(new Set(['rejected']))
    const askOnce = async (): Promise<string> => {
      const asking = guarded.ask('?').catch((error: unknown) => String(error))
      store.answer('!')
      return asking
    }
    clock.advance(29_000)
    expect(await askOnce()).toContain('left alone')
    clock.advance(1_000)
    expect(await askOnce()).toBe('? !')
    expect(await askOnce()).toBe('? !')
    expect(states).toEqual(['down', 'up'])
  })

  it('passes on what gives its result at once, also while the store is down', async () => {
    await expire(5)
    const end = guarded.watch()
    expect(store.watched).toBe(1)
    end()
    expect(store.watched).toBe(0)
  })

  it('takes stores that are frozen, and leaves out what they leave out', async () => {
    const frozen: { get(): Promise<string>; readonly watch?: () => void } = Object.freeze({ get: async () => 'value' })
    const other = guardStore(frozen, { name: 'Frozen', clock })
    expect(await other.get()).toBe('value')
    expect(other.watch).toBeUndefined()
  })
})
