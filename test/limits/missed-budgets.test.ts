import { describe, expect, it } from 'vitest'
import type { Scope } from '../../src/ports.js'
import { createMemoryCounters } from '../../src/stores/memory-counters.js'
import { FakeClock } from '../support/fake-clock.js'
import { createLab, createLedger, faulty, levelOf, pass, pico, quiet } from './admission-lab.js'

const bare: Scope = { kind: 'key', id: 'k1' }
const budgeted: Scope = { ...bare, budget: { maxBudget: 1 } }
const hourly: Scope = { ...bare, budget: { maxBudget: 1, budgetDuration: '1h' } }
const spent = (dollars: number) => ({ used: Math.round(dollars * 1e9), held: 0 })

/** Two processes that share counters and a ledger. */
function createPair(own: Parameters<typeof createLab>[0] = {}) {
  const clock = new FakeClock()
  const ledger = createLedger()
  // As in Redis, no call is settled at once.
  const counters = faulty(createMemoryCounters({ clock })).store
  const first = createLab({ counters }, clock, ledger)
  const second = createLab({ counters, ...own }, clock, ledger)
  const level = (scope: Scope) => levelOf(counters, scope, clock.now())
  return { clock, ledger, counters, first, second, level }
}

describe('a budget that is set while calls run', () => {
  it.each([
    ['nothing', bare],
    ['limits', { ...bare, rpm: 100 }],
    ['a budget of another length', hourly],
    ['a budget of a model', { ...bare, modelBudgets: { '*': { maxBudget: 1 } } }],
  ] as const)('counts them, though they hold %s', async (_, before) => {
    const { admit, finish, clock, counters } = createLab()
    const calls = await Promise.all(Array.from({ length: 10 }, () => admit([before], 0.05)))
    clock.advance(10)
    ;(await admit([budgeted], 0.1)).release()
    clock.advance(10)
    for (const call of calls) finish(call, bare, 0.12)
    await quiet()
    expect(await levelOf(counters.store, budgeted, clock.now())).toMatchObject(spent(1.2))
    await expect(admit([budgeted], 0.001)).rejects.toMatchObject({ kind: 'budget_exceeded' })
  })

  it('tells that they passed its soft budget as it is by then', async () => {
    const { admit, finish, events } = createLab()
    const running = await admit([bare], 0.05)
    for (const softBudget of [0.3, 0.9]) (await admit([{ ...bare, budget: { softBudget } }], 0.1)).release()
    finish(running, bare, 0.5)
    await quiet()
    expect(events).toEqual([])
    const other = await admit([bare], 0.05)
    ;(await admit([{ ...bare, budget: { softBudget: 0.6 } }], 0.1)).release()
    finish(other, bare, 0.2)
    await quiet()
    expect(events).toMatchObject([{ softBudget: 0.6, spent: 0.7 }])
  })

  it('counts them though nobody was let in meanwhile', async () => {
    const { admit, finish, clock, counters } = createLab()
    const running = await admit([bare], 0.05)
    clock.advance(10)
    await expect(admit([budgeted], 2)).rejects.toMatchObject({ kind: 'budget_exceeded' })
    clock.advance(10)
    finish(running, bare, 0.9)
    await quiet()
    expect(await levelOf(counters.store, budgeted, clock.now())).toMatchObject(spent(0.9))
  })

  it('counts those that ended before, by the ledger, and none of them twice', async () => {
    const { admit, finish, clock, counters } = createLab()
    const [early, late] = [await admit([bare]), await admit([bare])]
    finish(early, bare, 0.2)
    clock.advance(10)
    ;(await admit([budgeted])).release()
    finish(late, bare, 0.3)
    await quiet()
    expect(await levelOf(counters.store, budgeted, clock.now())).toMatchObject(spent(0.5))
    await pass(clock, 800)
    expect(await levelOf(counters.store, budgeted, clock.now())).toMatchObject(spent(0.5))
  })

  it('counts only the models that it speaks of', async () => {
    const { admit, finish, clock, counters } = createLab()
    const [fast, slow] = [await admit([bare], 0.1, 1, 'fast'), await admit([bare], 0.1, 1, 'slow')]
    const ofModel: Scope = { ...bare, modelBudgets: { 'fa*': { maxBudget: 1 } } }
    ;(await admit([ofModel], 0.1, 1, 'fast')).release()
    clock.advance(10)
    slow.settle({ charged: () => pico(0.4), tokens: 1 })
    finish(fast, bare, 0.2)
    await quiet()
    expect(await levelOf(counters.store, ofModel, clock.now())).toMatchObject(spent(0.2))
  })

  it('counts them in the window of their rows, and in none twice', async () => {
    const { admit, finish, clock, counters } = createLab()
    const [free, held, undated] = [await admit([bare]), await admit([hourly], 0.1), await admit([hourly], 0.1)]
    const began = clock.now()
    clock.advance(3_600_000)
    ;(await admit([hourly])).release()
    finish(free, bare, 0.2)
    finish(held, bare, 0.3)
    undated.settle({ charged: () => pico(0.05), tokens: 1 })
    await quiet()
    expect(await levelOf(counters.store, hourly, began)).toMatchObject(spent(0.35))
    expect(await levelOf(counters.store, hourly, clock.now())).toMatchObject(spent(0.2))
  })

  it('counts nothing of what was held for an attempt beside its call', async () => {
    const { admission, admit, clock, counters } = createLab()
    const estimate = { charged: () => 0n, inputTokens: 0, outputTokens: 0 }
    const attempt = await admission.admit({ scopes: [bare], modelName: 'fast', estimate, isAttempt: true })
    ;(await admit([budgeted])).release()
    attempt.settle({ charged: () => pico(0.1), tokens: 1 })
    await quiet()
    expect(await levelOf(counters.store, budgeted, clock.now())).toMatchObject(spent(0))
  })

  it('goes on counting while another one is in force for some minutes', async () => {
    const { admit, finish, clock, counters } = createLab()
    finish(await admit([budgeted], 0.1), bare, 0.1)
    await pass(clock, 60)
    for (const scope of [hourly, bare]) finish(await admit([scope], 0.1), bare, 0.1)
    await quiet()
    expect(await levelOf(counters.store, budgeted, clock.now())).toMatchObject(spent(0.3))
  })

  it('is added up where it was not in force for long', async () => {
    const { admit, finish, clock, counters } = createLab()
    finish(await admit([budgeted], 0.1), bare, 0.1)
    await pass(clock, 900)
    for (const scope of [hourly, bare]) finish(await admit([scope], 0.1), bare, 0.1)
    expect(await levelOf(counters.store, budgeted, clock.now())).toMatchObject(spent(0.1))
    finish(await admit([budgeted], 0.1), bare, 0.1)
    await pass(clock, 20)
    expect(await levelOf(counters.store, budgeted, clock.now())).toMatchObject(spent(0.4))
  })
})

describe('budgets of several processes', () => {
  it('count a long call at once where its process was asked under them long before it ended', async () => {
    const { first, second, clock, level } = createPair()
    const long = await first.admit([bare])
    ;(await first.admit([budgeted])).release()
    for (let round = 0; round < 30; round++) {
      await pass(clock, 30)
      ;(await second.admit([budgeted])).release()
    }
    first.finish(long, bare, 0.4)
    await quiet()
    expect(await level(budgeted)).toMatchObject(spent(0.4))
  })

  it('find what was not settled also where the store was away when a process first counted in them', async () => {
    const { first, counters, ledger, clock, level } = createPair()
    first.finish(await first.admit([budgeted]), bare, 0.1)
    await pass(clock, 800)
    ledger.rows.push({ scope: bare, modelName: 'fast', at: clock.now(), charged: pico(0.5) })
    clock.advance(10)
    const store = faulty(counters)
    const late = createLab({ counters: store.store }, clock, ledger)
    store.fault = 'down'
    ;(await late.admit([budgeted])).release()
    await pass(clock, 8)
    store.fault = 'none'
    await pass(clock, 20)
    expect(await level(budgeted)).toMatchObject(spent(0.6))
  })

  it('count what was running elsewhere when they were set', async () => {
    const { first, second, clock, level } = createPair()
    const [short, long] = [await first.admit([bare]), await first.admit([bare])]
    clock.advance(10)
    second.finish(await second.admit([budgeted]), bare, 0.1)
    clock.advance(10)
    first.finish(short, bare, 0.3)
    await quiet()
    await pass(clock, 20)
    expect(await level(budgeted)).toMatchObject(spent(0.4))
    await pass(clock, 400)
    first.finish(long, bare, 0.2)
    await quiet()
    await pass(clock, 400)
    expect(await level(budgeted)).toMatchObject(spent(0.6))
  })

  it('count what ends while another process adds up their counter', async () => {
    let answer: (() => void) | undefined
    const { first, second, clock, level } = createPair({
      ledgerTotal: async () => {
        if (!answer) await new Promise<void>((resolve) => (answer = resolve))
        return 0n
      },
    })
    const running = await first.admit([budgeted], 0.1)
    await first.admission.recount([bare])
    clock.advance(10)
    const next = second.admit([budgeted], 0.1)
    await quiet()
    clock.advance(10)
    first.finish(running, bare, 0.4)
    await quiet()
    answer?.()
    ;(await next).release()
    await quiet()
    await pass(clock, 30)
    expect(await level(budgeted)).toMatchObject(spent(0.4))
  })

  it('find what a process that was killed has written down and not settled', async () => {
    const { first, second, ledger, clock, level } = createPair()
    first.finish(await first.admit([budgeted]), bare, 0.1)
    await pass(clock, 800)
    ledger.rows.push({ scope: bare, modelName: 'fast', at: clock.now(), charged: pico(0.5) })
    clock.advance(10)
    second.finish(await second.admit([budgeted]), bare, 0.1)
    await pass(clock, 20)
    expect(await level(budgeted)).toMatchObject(spent(0.7))
    // Once per counter and process: nothing was missing when the first of them began.
    expect(ledger.questions).toBe(1 + 4 + 1)
  })

  it('keep what was settled though its rows do not reach the ledger for long', async () => {
    const { first, second, ledger, clock, level } = createPair()
    for (const { admit } of [first, second]) {
      ;(await admit([budgeted])).settle({ charged: () => pico(0.2), tokens: 1, at: clock.now() })
      await pass(clock, 90)
    }
    await pass(clock, 800)
    expect(await level(budgeted)).toMatchObject(spent(0.4))
    expect(ledger.questions).toBeGreaterThan(3)
  })

  it('are added up for all processes by one of them', async () => {
    const { first, second, ledger, clock } = createPair()
    for (const { admit, finish } of [first, second]) {
      finish(await admit([budgeted]), bare, 0.1)
      await pass(clock, 2)
    }
    await pass(clock, 700)
    expect(ledger.questions).toBe(1 + 4)
    expect(clock.pending).toBe(0)
  })

  it('do not wait for a process that has begun to add up and was killed', async () => {
    const { first, second, counters, ledger, clock, level } = createPair()
    first.finish(await first.admit([budgeted]), bare, 0.1)
    clock.advance(1)
    await counters.split('all', ['budget:key:k1:all@0'], clock.now() + 5_000)
    await first.admission.close()
    await pass(clock, 100)
    ledger.rows.push({ scope: bare, modelName: 'fast', at: clock.now(), charged: pico(0.5) })
    clock.advance(1)
    ;(await second.admit([budgeted])).release()
    await pass(clock, 30)
    expect(await level(budgeted)).toMatchObject(spent(0.6))
  })
})

describe('closing', () => {
  it('waits for what is settled once its budget is added up', async () => {
    let answer: (() => void) | undefined
    let asked = 0
    const { admit, admission, clock, counters } = createLab({
      ledgerTotal: async () => {
        if (++asked > 1) await new Promise<void>((resolve) => (answer = resolve))
        return 0n
      },
    })
    const running = await admit([budgeted], 0.1)
    await admission.recount([bare])
    clock.advance(10)
    const next = admit([budgeted], 0.1)
    await quiet()
    clock.advance(10)
    running.settle({ charged: () => pico(0.4), tokens: 1, at: clock.now() })
    let isClosed = false
    const closing = admission.close().then(() => (isClosed = true))
    await quiet()
    expect(isClosed).toBe(false)
    answer?.()
    await Promise.all([next, closing])
    expect(await levelOf(counters.store, budgeted, clock.now())).toMatchObject({ used: 400_000_000 })
  })
})
