import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryCounters } from '../../src/stores/memory-counters.js'
import { FakeClock } from '../support/fake-clock.js'
import { Comparison } from './counter-comparison.js'
import { commands } from './counter-commands.js'

describe('counters in memory', () => {
  it('do as the model does, whatever happens in whatever order: nothing is overspent, nothing leaks', async () => {
    await fc.assert(
      fc.asyncProperty(commands({ time: true, scale: 1 }), async (list) => {
        const clock = new FakeClock()
        const comparison = new Comparison(clock, createMemoryCounters({ clock }))
        for (const command of list) {
          const [store, model] = await comparison.run(command)
          expect(store).toBe(model)
          const [found, expected] = await comparison.levels()
          expect(found).toBe(expected)
        }
        clock.advance(1_000)
        const [left] = await comparison.levels()
        expect(left).toMatch(/^\d+\+0 \d+\+0 0\+0 0\+0 0\+0$/)
      }),
      { numRuns: 150 },
    )
  })
})
