import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRunningCalls } from '../../src/call/running-calls.js'
import { GatewayError } from '../../src/errors.js'
import { CallSignal } from '../../src/upstream/call-signal.js'
import { systemClock } from '../../src/clock.js'

const closed = new GatewayError('unavailable', 'The gateway was closed.')

describe('running calls', () => {
  it('are those that entered and did not leave, in whatever order they do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(7), { maxLength: 40 }), async (turns) => {
        const running = createRunningCalls(systemClock)
        const signals = Array.from({ length: 8 }, () => new CallSignal(systemClock, 0))
        const inside = new Set<CallSignal>()
        for (const turn of turns) {
          const signal = signals[turn]
          if (!signal) continue
          if (inside.delete(signal)) running.leave(signal)
          else {
            inside.add(signal)
            running.enter(signal)
          }
          expect(running.size).toBe(inside.size)
        }
        await running.drain(0, closed)
        expect(signals.filter((signal) => signal.ended === closed)).toEqual(signals.filter((one) => inside.has(one)))
      }),
    )
  })

  it('leave once, and end as many as there are when ending makes them leave', async () => {
    const running = createRunningCalls(systemClock)
    const signals = Array.from({ length: 3 }, (): CallSignal => {
      const signal: CallSignal = new CallSignal(systemClock, 0, () => running.leave(signal))
      running.enter(signal)
      return signal
    })
    const [first] = signals
    if (first) {
      running.leave(first)
      running.leave(first)
    }
    expect(running.size).toBe(2)
    await running.drain(0, closed)
    expect(running.size).toBe(0)
    expect(signals.map(({ ended }) => ended)).toEqual([undefined, closed, closed])
  })
})
