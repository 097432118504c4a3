import { afterEach, describe, expect, it, vi } from 'vitest'
import { createNextTurn } from '../../src/http/next-turn.js'

describe('the next turn of the event loop', () => {
  afterEach(() => vi.useRealTimers())

  it('comes also where the tests of a host stop the clock', async () => {
    const nextTurn = createNextTurn()
    vi.useFakeTimers()
    await nextTurn()
    vi.useRealTimers()
    await nextTurn()
  })

  it('comes after all that the present one has to do, once for all who wait', async () => {
    const nextTurn = createNextTurn()
    const order: string[] = []
    const waits = [nextTurn(), nextTurn()]
    void waits[0]?.then(() => order.push('next'))
    process.nextTick(() => order.push('tick'))
    await Promise.resolve().then(() => order.push('microtask'))
    expect(waits[0]).toBe(waits[1])
    await waits[1]
    expect(order).toEqual(['microtask', 'tick', 'next'])
  })

  it('is another one for whoever waits later', async () => {
    const nextTurn = createNextTurn()
    const first = nextTurn()
    await first
    const second = nextTurn()
    expect(second).not.toBe(first)
    await second
  })
})
