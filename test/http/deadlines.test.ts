import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { Deadlines } from '../../src/http/deadlines.js'
import type { Clock } from '../../src/ports.js'
import { FakeClock } from '../support/fake-clock.js'

const late = (): GatewayError => new GatewayError('unavailable', 'late')

describe('deadlines', () => {
  it('give what is no promise at once, and set no timer for it', () => {
    const clock = new FakeClock()
    expect(new Deadlines(clock, 100, late).bound(7)).toBe(7)
    expect(clock.pending).toBe(0)
  })

  it('pass on what was waited for, also of promises that are not ours', async () => {
    const deadlines = new Deadlines(new FakeClock(), 100, late)
    await expect(deadlines.bound(Promise.resolve('in time'))).resolves.toBe('in time')
    await expect(deadlines.bound(Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    // Of another realm: no `instanceof Promise` is true of it.
    const foreign = runInNewContext("Promise.resolve('foreign')") as Promise<string>
    await expect(deadlines.bound(foreign)).resolves.toBe('foreign')
  })

  it('end every wait that lasts too long, and no other, whatever begins and ends when', async () => {
    const tens = (most: number) => fc.nat(most).map((count) => count * 10)
    const turn = fc.record({ after: tens(6), lasts: tens(22) })
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 12 }), async (turns) => {
        const clock = new FakeClock()
        const pass = async (milliseconds: number): Promise<void> => {
          for (let passed = 0; passed < milliseconds; passed += 5) {
            clock.advance(5)
            await new Promise(setImmediate)
          }
        }
        const deadlines = new Deadlines(clock, 105, late)
        const ends: Promise<string>[] = []
        for (const { after, lasts } of turns) {
          await pass(after)
          const work = new Promise<string>((resolve) => clock.setTimeout(() => resolve('in time'), lasts))
          ends.push(Promise.resolve(deadlines.bound(work)).catch((error: GatewayError) => error.message))
        }
        await pass(400)
        expect(await Promise.all(ends)).toEqual(turns.map(({ lasts }) => (lasts < 105 ? 'in time' : 'late')))
      }),
      { numRuns: 30 },
    )
  })

  it.each([-3_600_000, -70_000, -5_000, 5_000, 70_000, 3_600_000])(
    'end waits neither before their time nor long after it where the clock is set by %i ms',
    async (shift) => {
      const clock = new FakeClock()
      let ahead = 0
      const host: Clock = {
        now: () => clock.now() + ahead,
        setTimeout: (callback, milliseconds) => clock.setTimeout(callback, milliseconds),
      }
      const deadlines = new Deadlines(host, 10_000, late)
      const begun = clock.now()
      const lasted: number[] = []
      const wait = (): void =>
        void Promise.resolve(deadlines.bound(new Promise(() => {}))).catch(() => lasted.push(clock.now()))
      const pass = async (milliseconds: number): Promise<void> => {
        for (let passed = 0; passed < milliseconds; passed += 500) {
          clock.advance(500)
          await new Promise(setImmediate)
        }
      }
      let answer = (): void => {}
      void Promise.resolve(deadlines.bound(new Promise<void>((resolve) => (answer = resolve)))).catch(() => {})
      wait()
      await pass(6_000)
      wait()
      ahead = shift
      await pass(2_000)
      answer()
      wait()
      await pass(40_000)
      const begins = [0, 6_000, 8_000]
      const times = lasted.map((at, index) => at - begun - (begins[index] ?? 0))
      expect(times).toHaveLength(3)
      for (const time of times) {
        expect(time).toBeGreaterThanOrEqual(10_000)
        expect(time).toBeLessThanOrEqual(20_500)
      }
    },
  )

  it('have one timer for all that wait', () => {
    const clock = new FakeClock()
    const deadlines = new Deadlines(clock, 100, late)
    for (let count = 0; count < 50; count += 1)
      void Promise.resolve(deadlines.bound(new Promise(() => {}))).catch(() => {})
    expect(clock.pending).toBe(1)
  })
})
