import { describe, expect, it } from 'vitest'
import { createSeeding } from '../../src/limits/seeding.js'
import type { Scope } from '../../src/ports.js'
import type { CounterStore } from '../../src/ports/counters.js'
import { createMemoryCounters } from '../../src/stores/memory-counters.js'
import { FakeClock } from '../support/fake-clock.js'
import { createLab, createLedger, faulty, levelOf, pass, pico } from './admission-lab.js'

const bare: Scope = { kind: 'key', id: 'k1' }
const budgeted: Scope = { ...bare, budget: { maxBudget: 1 } }
const ofTeam: Scope = { kind: 'team', id: 'acme', budget: { maxBudget: 1 } }
const spent = (dollars: number) => ({ used: Math.round(dollars * 1e9), held: 0 })

function setUp(own: Parameters<typeof createLab>[0] = {}) {
  const clock = new FakeClock()
  const ledger = createLedger()
  const counters = faulty(createMemoryCounters({ clock }))
  const lab = createLab({ counters: counters.store, ...own }, clock, ledger)
  const lose = (dollars: number, scope: Scope = bare): void =>
    void ledger.rows.push({ scope, modelName: 'fast', at: clock.now(), charged: pico(dollars) })
  const level = (scope: Scope) => levelOf(counters.store, scope, clock.now())
  return { ...lab, clock, ledger, counters, lose, level }
}

describe('adding budgets up again', () => {
  it('counts what is settled by a clock that is behind the one of the process that began the counter', async () => {
    const { admit, finish, counters, ledger, clock, level } = setUp()
    const ahead = new FakeClock()
    ahead.advance(3_600_000)
    const other = createLab({ counters: counters.store }, ahead, ledger)
    ;(await other.admit([budgeted])).release()
    await other.admission.close()
    for (const dollars of [0.3, 0.2]) {
      finish(await admit([budgeted]), bare, dollars)
      await pass(clock, 7)
    }
    expect(await level(budgeted)).toMatchObject(spent(0.5))
  })

  it('is not held up by a budget that the ledger never tells in time', async () => {
    let hangs = false
    const { admit, clock, level } = setUp({
      ledgerTotal: ({ scope }) => (hangs && scope.kind === 'team' ? new Promise<never>(() => {}) : Promise.resolve(0n)),
    })
    ;(await admit([ofTeam])).release()
    ;(await admit([budgeted])).release()
    const began = clock.now()
    hangs = true
    await pass(clock, 60)
    expect((await level(budgeted))?.seededUntil).toBeGreaterThan(began)
  })

  it('asks a few questions at a time: neither one after the other nor all at once', async () => {
    const clock = new FakeClock()
    let [running, most, answered, takesMs] = [0, 0, 0, 0]
    const { admit } = createLab(
      {
        ledgerTotal: async () => {
          most = Math.max(most, (running += 1))
          if (takesMs > 0) await new Promise<void>((resolve) => void clock.setTimeout(resolve, takesMs))
          running -= 1
          answered += 1
          return 0n
        },
      },
      clock,
    )
    for (let index = 0; index < 40; index += 1) (await admit([{ ...budgeted, id: `k${index}` }])).release()
    ;[takesMs, answered, most] = [100, 0, 0]
    // Due after five seconds; an answer takes two steps of this clock.
    await pass(clock, 5 + (40 / 4) * 2)
    expect(answered).toBeGreaterThanOrEqual(40)
    expect(most).toBe(4)
  })

  it('goes on in this process while the store is away', async () => {
    const { admit, fallback, counters, ledger, lose, clock } = setUp()
    ;(await admit([budgeted])).release()
    await pass(clock, 2)
    counters.fault = 'down'
    ledger.isDown = true
    lose(0.9, ofTeam)
    clock.advance(10)
    ;(await admit([ofTeam])).release()
    await pass(clock, 5)
    ledger.isDown = false
    await pass(clock, 3)
    expect(await levelOf(fallback.store, ofTeam, clock.now())).toMatchObject(spent(0.9))
  })

  it('is repeated where the store was late to split a counter', async () => {
    const clock = new FakeClock()
    const ledger = createLedger()
    const memory = createMemoryCounters({ clock })
    let isLate = true
    const counters = faulty(memory).store
    counters.split = async (...args) => {
      if (isLate) await new Promise<void>((resolve) => void clock.setTimeout(resolve, 8_000))
      isLate = false
      await memory.split(...args)
    }
    const { admit, finish } = createLab({ counters }, clock, ledger)
    ;(await admit([budgeted])).release()
    ledger.rows.push({ scope: bare, modelName: 'fast', at: clock.now(), charged: pico(0.4) })
    await pass(clock, 12)
    finish(await admit([budgeted], 0.1), bare, 0.1)
    await pass(clock, 20)
    expect(await levelOf(counters, budgeted, clock.now())).toMatchObject(spent(0.5))
  })

  it('is not put off where it is asked for while the counter is looked at', async () => {
    const clock = new FakeClock()
    const memory = createMemoryCounters({ clock })
    let answer: (() => void) | undefined
    let isSlow = false
    const counters = faulty(memory).store
    counters.read = async (...args) => {
      if (isSlow) await new Promise<void>((resolve) => (answer = resolve))
      return memory.read(...args)
    }
    const { admit, finish } = createLab({ counters }, clock)
    const running = await admit([budgeted], 0.4)
    await pass(clock, 30)
    isSlow = true
    await pass(clock, 60)
    isSlow = false
    // Another process begins the counter anew, and does not know of the call.
    await memory.forget('all', ['budget:key:k1:all@0'])
    await memory.seed('all', [{ counter: 'budget:key:k1:all@0', spent: 0, until: clock.now() + 1 }])
    finish(running, bare, 0.4)
    answer?.()
    await pass(clock, 10)
    expect(await levelOf(memory, budgeted, clock.now())).toMatchObject(spent(0.4))
  })

  it('has room for a counter that is new while many others wait for their last look', async () => {
    const clock = new FakeClock()
    const asked = new Set<string>()
    const known = async () => [{ used: 0, held: 0, seededUntil: Number.MAX_SAFE_INTEGER }]
    const store: CounterStore = { ...createMemoryCounters({ clock }), seed: async () => {}, read: known }
    const seeding = createSeeding({
      clock,
      ledgerTotal: async ({ scope }) => (asked.add(scope.id), 0n),
      logger: { debug() {}, info() {}, warn() {}, error() {} },
      ledgerDeadlineMs: 1_000,
      onStoreFailure: 'degrade',
    })
    const seed = (id: string): Promise<void> => {
      const hold = { counter: `budget:key:${id}`, kind: 'budget', amount: 0, limit: 1 } as const
      const window = { id: 'all', startsAt: 0, endsAt: undefined }
      const budget = {
        limit: 'budget',
        scope: { kind: 'key', id },
        model: undefined,
        window,
        softLimit: 1,
        hold,
      } as const
      return seeding.seed({ store, tenant: 'all', budget })
    }
    for (let index = 0; index < 50_000; index++) await seed(`old-${index}`)
    await pass(clock, 6)
    await seed('new')
    asked.clear()
    await pass(clock, 7)
    expect(asked).toContain('new')
    seeding.close()
  })
})
