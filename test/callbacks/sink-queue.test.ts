import { describe, expect, it } from 'vitest'
import { DeliveryError } from '../../src/callbacks/http.js'
import type { Delivery, Sink } from '../../src/callbacks/sink.js'
import { createSinkQueue } from '../../src/callbacks/sink-queue.js'
import { FakeClock } from '../support/fake-clock.js'
import { createNotebook, sampleRecord } from './lab.js'

const limits = { maxQueued: 100, maxQueuedBytes: 100_000, delayMs: 5_000, deadlineMs: 10_000, maxTries: 4 }
const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** A queue in front of a sink that does as it is told. */
function open(own: Partial<Sink<string>> = {}, deliver: Sink<string>['deliver'] = () => Promise.resolve({})) {
  const clock = new FakeClock()
  const logger = createNotebook()
  const batches: (readonly string[])[] = []
  const sink: Sink<string> = {
    name: 'test',
    batchSize: 10,
    parallel: 1,
    take: ({ id }) => id,
    deliver(items, deadlineMs): Promise<Delivery<string>> {
      batches.push(items)
      return deliver(items, deadlineMs)
    },
    ...own,
  }
  const queue = createSinkQueue(sink, { clock, logger, limits })
  const add = (...ids: readonly string[]): void => ids.forEach((id) => queue.add(sampleRecord({ id }), 100))
  const pass = async (milliseconds: number): Promise<void> => {
    clock.advance(milliseconds)
    await nextTurn()
  }
  return { queue, clock, logger, batches, add, pass }
}

const refuse = (retry: boolean, retryAfterMs?: number) => () =>
  Promise.reject(new DeliveryError('answered 500', { retry, retryAfterMs }))
const numbered = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `r${index}`)

describe('a sink queue', () => {
  it('sends what came together, once enough time has passed', async () => {
    const { add, pass, batches, queue } = open()
    add('a', 'b')
    await pass(4_999)
    expect(batches).toEqual([])
    await pass(1)
    expect(batches).toEqual([['a', 'b']])
    expect(queue.stats).toEqual({ queued: 0, delivered: 2, dropped: 0, failed: 0 })
  })

  it('sends a full batch at once, and the rest in its time', async () => {
    const { add, pass, batches } = open()
    add(...numbered(13))
    await pass(0)
    expect(batches).toEqual([numbered(10)])
    await pass(5_000)
    expect(batches[1]).toEqual(['r10', 'r11', 'r12'])
  })

  it('makes batches of no more bytes than the sink takes', async () => {
    const { add, pass, batches } = open({ batchBytes: 250 })
    add(...numbered(10))
    for (let turn = 0; turn < 10; turn += 1) await pass(5_000)
    expect(batches.map(({ length }) => length)).toEqual([2, 2, 2, 2, 2])
  })

  it('repeats a failed batch after longer and longer pauses, and then goes on as before', async () => {
    let failing = true
    const { add, pass, batches, queue, logger } = open({}, () => (failing ? refuse(true)() : Promise.resolve({})))
    add('a')
    await pass(5_000)
    await pass(5_000)
    expect(batches).toHaveLength(2)
    await pass(4_999)
    expect(batches).toHaveLength(2)
    failing = false
    await pass(1)
    expect(batches).toEqual([['a'], ['a'], ['a']])
    expect(queue.stats).toMatchObject({ delivered: 1, failed: 0, queued: 0 })
    expect(logger.lines.map((line) => line.slice(0, 30))).toEqual([
      'warn A callback takes no recor',
      'info A callback takes records ',
    ])
  })

  it('pauses half a second, then a second, when its batches are full', async () => {
    const { add, pass, batches } = open({}, refuse(true))
    add(...numbered(10))
    await pass(0)
    await pass(499)
    expect(batches).toHaveLength(1)
    await pass(1)
    expect(batches).toHaveLength(2)
    await pass(999)
    expect(batches).toHaveLength(2)
    await pass(1)
    expect(batches).toHaveLength(3)
  })

  it('waits as long as the sink asks', async () => {
    const { add, pass, batches } = open({}, refuse(true, 20_000))
    add(...numbered(10))
    await pass(0)
    await pass(19_999)
    expect(batches).toHaveLength(1)
    await pass(1)
    expect(batches).toHaveLength(2)
  })

  it('gives a record up after its last try, so that one poisoned record stops nobody', async () => {
    const { add, pass, queue } = open({ batchSize: 1 }, ([item]) =>
      item === 'poison' ? refuse(true)() : Promise.resolve({}),
    )
    add('poison', 'a', 'b')
    for (let turn = 0; turn < 20; turn += 1) await pass(31_000)
    expect(queue.stats).toEqual({ queued: 0, delivered: 2, dropped: 0, failed: 1 })
  })

  it('does not repeat what would be refused again', async () => {
    const { add, pass, batches, queue } = open({}, refuse(false))
    add('a')
    for (let turn = 0; turn < 5; turn += 1) await pass(31_000)
    expect(batches).toHaveLength(1)
    expect(queue.stats).toMatchObject({ failed: 1, queued: 0 })
  })

  it('repeats only what the sink gives back', async () => {
    const { add, pass, batches, queue } = open({}, (items) =>
      Promise.resolve(items.length > 1 ? { again: ['b'], refused: 1 } : {}),
    )
    add('a', 'b', 'c')
    await pass(5_000)
    await pass(5_000)
    expect(batches).toEqual([['a', 'b', 'c'], ['b']])
    expect(queue.stats).toEqual({ queued: 0, delivered: 2, dropped: 0, failed: 1 })
  })

  it('drops what it has no room for, by number and by bytes, and counts it', () => {
    const { add, queue, logger } = open()
    add(...numbered(130))
    expect(queue.stats).toMatchObject({ queued: 100, dropped: 30 })
    expect(logger.lines).toHaveLength(1)
    const heavy = open()
    for (let index = 0; index < 5; index += 1) heavy.queue.add(sampleRecord(), 40_000)
    expect(heavy.queue.stats).toMatchObject({ queued: 2, dropped: 3 })
  })

  it('has room again for as much as was sent', async () => {
    const { add, pass, queue } = open()
    add(...numbered(100))
    for (let turn = 0; turn < 12; turn += 1) await pass(5_000)
    add(...numbered(100))
    expect(queue.stats).toMatchObject({ queued: 100, delivered: 100, dropped: 0 })
  })

  it('leaves a delivery that hangs, and tries it again', async () => {
    let calls = 0
    const { add, pass, queue } = open({}, () => {
      calls += 1
      return calls === 1 ? new Promise(() => {}) : Promise.resolve({})
    })
    add('a')
    await pass(5_000)
    await pass(9_999)
    expect(queue.stats).toMatchObject({ queued: 1 })
    await pass(1)
    await pass(5_000)
    expect(calls).toBe(2)
    expect(queue.stats).toMatchObject({ queued: 0, delivered: 1 })
  })

  it('survives a sink that throws while it takes or delivers', async () => {
    const taking = open({
      take() {
        throw new Error('take')
      },
    })
    taking.add('a')
    expect(taking.queue.stats).toMatchObject({ failed: 1, queued: 0 })
    const delivering = open({}, () => {
      throw new Error('deliver')
    })
    delivering.add('a')
    for (let turn = 0; turn < 20; turn += 1) await delivering.pass(31_000)
    expect(delivering.queue.stats).toMatchObject({ failed: 1, queued: 0 })
  })

  it('has as many deliveries under way as the sink takes, and one while it is down', async () => {
    const running: (() => void)[] = []
    const { add, pass, batches } = open(
      { batchSize: 1, parallel: 3 },
      () => new Promise((resolve) => void running.push(() => resolve({}))),
    )
    add(...numbered(5))
    await pass(0)
    expect(batches).toHaveLength(3)
    running[0]?.()
    await nextTurn()
    await pass(0)
    expect(batches).toHaveLength(4)
    const down = open({ batchSize: 1, parallel: 3 }, refuse(true))
    down.add(...numbered(9))
    await down.pass(0)
    expect(down.batches).toHaveLength(3)
    await down.pass(30_000)
    expect(down.batches).toHaveLength(4)
  })

  it('sends what waits when it closes, without the delay', async () => {
    const { add, queue, pass, batches } = open()
    add('a', 'b')
    const closed = queue.close(1_000)
    await pass(0)
    await closed
    expect(batches).toEqual([['a', 'b']])
    expect(queue.stats).toMatchObject({ delivered: 2, dropped: 0 })
  })

  it('closes in time where the sink is down, and counts what is lost', async () => {
    const { add, queue, pass } = open({}, () => new Promise(() => {}))
    add('a', 'b')
    const closed = queue.close(1_000)
    await pass(0)
    await pass(1_000)
    await closed
    expect(queue.stats).toEqual({ queued: 0, delivered: 0, dropped: 2, failed: 0 })
    add('c')
    expect(queue.stats).toMatchObject({ queued: 0, dropped: 3 })
  })

  it('tries again while it closes, as long as there is time', async () => {
    let calls = 0
    const { add, queue, pass } = open({}, () => {
      calls += 1
      return calls < 3 ? refuse(true)() : Promise.resolve({})
    })
    add('a')
    const closed = queue.close(1_000)
    for (let turn = 0; turn < 5; turn += 1) await pass(100)
    await closed
    expect(queue.stats).toMatchObject({ delivered: 1, dropped: 0, failed: 0 })
  })
})
