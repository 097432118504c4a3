import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AdmittedCall } from '../../src/limits/admission.js'
import type { Scope } from '../../src/ports.js'
import { createMemoryCounters } from '../../src/stores/memory-counters.js'
import { FakeClock } from '../support/fake-clock.js'
import { type Row, createLab, createLedger, faulty, levelOf, pass } from './admission-lab.js'

const key: Scope = { kind: 'key', id: 'k1' }
const unlimited = { softBudget: 1_000 }
const always: Scope = { ...key, budget: unlimited }
const ofHours: Scope = { ...key, budget: { ...unlimited, budgetDuration: '6h' } }
const short: Scope = { ...key, budget: { ...unlimited, budgetDuration: '30s' } }
const ofModel: Scope = { ...key, modelBudgets: { 'f*': unlimited } }
const scopes = [key, { ...key, rpm: 1_000_000 }, always, ofHours, short, ofModel, { ...always, ...ofModel }] as const

/** One thing that happens; `process` is one of two, `which` chooses among its running calls. */
type Step =
  | { readonly do: 'begin'; readonly process: 0 | 1; readonly scope: Scope }
  | {
      readonly do: 'end'
      readonly process: 0 | 1
      readonly which: number
      readonly nano: number
      readonly lagMs: number
    }
  /** The process was killed between the row and the settlement. */
  | { readonly do: 'lose'; readonly process: 0 | 1; readonly which: number; readonly nano: number }
  | { readonly do: 'release'; readonly process: 0 | 1; readonly which: number }
  | { readonly do: 'recount'; readonly process: 0 | 1 }
  | { readonly do: 'pass'; readonly seconds: number }

const process = fc.constantFrom(0 as const, 1 as const)
const which = fc.nat({ max: 20 })
const nano = fc.nat({ max: 9_000_000 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('begin' as const), process, scope: fc.constantFrom(...scopes) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      process,
      which,
      nano,
      lagMs: fc.constantFrom(0, 0, 300, 2_500),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), process, which, nano }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const), process, which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recount' as const), process }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(1, 2, 7, 20, 70) }) },
)

/** Two processes over the same counters and ledger, and the calls that they run. */
class Fleet {
  readonly clock = new FakeClock()
  readonly counters = faulty(createMemoryCounters({ clock: this.clock })).store
  readonly ledger = createLedger()
  readonly #labs = [0, 1].map(() => createLab({ counters: this.counters }, this.clock, this.ledger))
  readonly #running: [AdmittedCall[], AdmittedCall[]] = [[], []]

  async run(one: Step): Promise<void> {
    if (one.do === 'pass') return pass(this.clock, one.seconds)
    const lab = this.#labs[one.process]
    if (one.do === 'recount') return lab?.admission.recount([key])
    const running = this.#running[one.process]
    if (one.do === 'begin') {
      const call = await lab?.admit([one.scope], 0.001)
      if (call) running.push(call)
      return
    }
    const [call] = running.splice(one.which % Math.max(1, running.length), 1)
    if (!call) return
    if (one.do === 'release') return call.release()
    const charged = BigInt(one.nano) * 1_000n
    const at = Math.min(this.clock.now(), (call.endsAt ?? Infinity) - 1)
    this.#write({ scope: key, modelName: 'fast', at, charged }, one.do === 'end' ? one.lagMs : 0)
    if (one.do === 'end') call.settle({ charged: () => charged, tokens: 1, at })
  }

  /** Every call ends, every budget is asked for by both, and what is to be added up again is. */
  async finish(): Promise<void> {
    await pass(this.clock, 1)
    for (const at of [0, 1] as const)
      while (this.#running[at].length > 0) await this.run({ do: 'end', process: at, which: 0, nano: 77, lagMs: 0 })
    await pass(this.clock, 700)
    for (const { admit } of this.#labs) for (const scope of scopes) (await admit([scope])).release()
    await pass(this.clock, 700)
  }

  /** Nano-dollars of the rows in the window that this budget has now, and what its counter says. */
  async compare(scope: Scope, from: number): Promise<readonly [rows: number, counter: number | undefined]> {
    const level = await levelOf(this.counters, scope, this.clock.now())
    const sum = this.ledger.rows.reduce((total, { at, charged }) => (at >= from ? total + charged : total), 0n)
    return [Number(sum / 1_000n), level?.used]
  }

  #write(row: Row, lagMs: number): void {
    if (lagMs === 0) this.ledger.rows.push(row)
    else this.clock.setTimeout(() => this.ledger.rows.push(row), lagMs)
  }
}

describe('counters of budgets that come and go while calls of two processes run', () => {
  it('say in the end what the rows add up to, whatever was lost', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const fleet = new Fleet()
        for (const one of steps) await fleet.run(one)
        await fleet.finish()
        for (const scope of [always, ofHours, ofModel]) {
          const [rows, counter] = await fleet.compare(scope, 0)
          expect(counter).toBe(rows)
        }
      }),
      { numRuns: 60 },
    )
  })

  it(
    'never say more than the rows add up to, also of windows that end while calls run',
    { timeout: 60_000 },
    async () => {
      const kept = step.filter((one) => one.do !== 'pass' || one.seconds < 20)
      await fc.assert(
        fc.asyncProperty(fc.array(kept, { minLength: 5, maxLength: 40 }), async (steps) => {
          const fleet = new Fleet()
          const begin = fleet.clock.now()
          for (const one of steps) {
            await fleet.run(one)
            await pass(fleet.clock, 3)
            const from = begin + Math.floor((fleet.clock.now() - begin) / 30_000) * 30_000
            for (const [scope, since] of [
              [always, 0],
              [short, from],
            ] as const) {
              const [rows, counter = 0] = await fleet.compare(scope, since)
              expect(counter).toBeLessThanOrEqual(rows)
            }
          }
        }),
        { numRuns: 40 },
      )
    },
  )
})
