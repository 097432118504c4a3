import { describe, expect, it } from 'vitest'
import { createBudgetWindows } from '../../src/limits/budget-window.js'
import { toHolds } from '../../src/limits/holds.js'
import type { Scope } from '../../src/ports.js'
import type { CounterStore } from '../../src/ports/counters.js'
import { createMemoryCounters } from '../../src/stores/memory-counters.js'
import { guardStore } from '../../src/stores/guard-store.js'
import { FakeClock } from '../support/fake-clock.js'
import { createLab, pico, quiet } from './admission-lab.js'

const team: Scope = { kind: 'team', id: 'acme', budget: { maxBudget: 1 } }
const holdsOf = (scope: Scope) =>
  toHolds(
    { scopes: [scope], modelName: 'fast', estimate: { charged: () => 0n, inputTokens: 0, outputTokens: 0 } },
    createBudgetWindows(),
    0,
  ).map(({ hold }) => hold)

const levelsOf = async (store: CounterStore, scope: Scope) =>
  (await store.read('all', holdsOf(scope))).map(({ used, held }) => [used, held])

describe('while the counter store fails', () => {
  it('counts in this process, from what the ledger knows, and brings it to the store when it is back', async () => {
    const { admit, finish, counters, ledger, clock } = createLab()
    const inner = counters.store
    finish(await admit([team], 0.4), team, 0.4)
    await quiet()
    counters.fault = 'down'
    clock.advance(10)
    const call = await admit([team], 0.5)
    await expect(admit([team], 0.2)).rejects.toMatchObject({ kind: 'budget_exceeded' })
    finish(call, team, 0.5)
    await quiet()
    await expect(admit([team], 0.2)).rejects.toMatchObject({ kind: 'budget_exceeded' })
    counters.fault = 'none'
    clock.advance(1_000)
    await quiet()
    expect(await levelsOf(inner, team)).toEqual([[900_000_000, 0]])
    expect(ledger.questions).toBeGreaterThan(1)
  })

  it('counts once what the store had taken though its answer was lost', async () => {
    const { admit, finish, counters, clock } = createLab()
    const scope: Scope = { ...team, maxParallelRequests: 1 }
    const first = await admit([scope], 0.1)
    counters.fault = 'answers lost'
    finish(first, scope, 0.1)
    await quiet()
    const second = await admit([scope], 0.2)
    finish(second, scope, 0.2)
    await quiet()
    counters.fault = 'none'
    clock.advance(1_000)
    await quiet()
    expect(await levelsOf(counters.store, scope)).toEqual([
      [300_000_000, 0],
      [0, 0],
    ])
  })

  it('gives back what a refused call may hold in a store whose answer was lost', async () => {
    const { admit, counters, fallback, clock } = createLab({ onStoreFailure: 'refuse' })
    counters.fault = 'none'
    ;(await admit([team], 0.1)).release()
    await quiet()
    counters.fault = 'answers lost'
    await expect(admit([team], 0.9)).rejects.toMatchObject({ kind: 'unavailable', status: 503, retryAfterMs: 1_000 })
    counters.fault = 'none'
    clock.advance(1_000)
    await quiet()
    expect(await levelsOf(counters.store, team)).toEqual([[0, 0]])
    expect(fallback.calls).toEqual([])
  })

  it('does not trust what it counted in an earlier failure', async () => {
    const { admit, finish, counters, clock } = createLab()
    counters.fault = 'down'
    finish(await admit([team], 0.1), team, 0.1)
    await quiet()
    counters.fault = 'none'
    clock.advance(1_000)
    await quiet()
    finish(await admit([team], 0.8), team, 0.8)
    await quiet()
    clock.advance(1_000)
    counters.fault = 'down'
    await expect(admit([team], 0.2)).rejects.toMatchObject({ kind: 'budget_exceeded' })
    await admit([team], 0.1)
  })

  it('has budgets added up from the ledger that could not be settled for too long', async () => {
    const { admit, finish, counters, ledger, clock } = createLab()
    const call = await admit([team], 0.5)
    counters.fault = 'down'
    finish(call, team, 0.5)
    await quiet()
    for (let passed = 0; passed < 120; passed++) {
      clock.advance(1_000)
      await quiet()
    }
    counters.fault = 'none'
    clock.advance(1_000)
    await quiet()
    ledger.questions = 0
    expect(counters.calls).toContain('forget')
    await expect(admit([team], 0.6)).rejects.toMatchObject({ kind: 'budget_exceeded' })
    expect(ledger.questions).toBe(1)
    expect(await levelsOf(counters.store, team)).toEqual([[500_000_000, 0]])
  })

  it('loses no spend of a store that comes back empty', async () => {
    const clock = new FakeClock()
    let inner = createMemoryCounters({ clock })
    const counters: CounterStore = {
      reserve: (...args) => inner.reserve(...args),
      renew: (...args) => inner.renew(...args),
      settle: (...args) => inner.settle(...args),
      release: (...args) => inner.release(...args),
      seed: (...args) => inner.seed(...args),
      split: (...args) => inner.split(...args),
      forget: (...args) => inner.forget(...args),
      read: (...args) => inner.read(...args),
    }
    const { admit, finish, ledger } = createLab({ counters }, clock)
    finish(await admit([team], 0.2), team, 0.2)
    const running = await admit([team], 0.3)
    const late = await admit([team], 0.1)
    await quiet()
    inner = createMemoryCounters({ clock })
    // One call is settled while the counter is missing, one after it was added up; the row of the first is late.
    clock.advance(5)
    running.settle({ charged: () => pico(0.3), tokens: 0, at: clock.now() })
    const dated = clock.now()
    clock.advance(5)
    ;(await admit([team], 0.01)).release()
    clock.advance(5)
    late.settle({ charged: () => pico(0.1), tokens: 0, at: clock.now() })
    ledger.rows.push({ scope: team, modelName: 'fast', at: clock.now(), charged: pico(0.1) })
    ledger.rows.push({ scope: team, modelName: 'fast', at: dated, charged: pico(0.3) })
    await quiet()
    clock.advance(10_000)
    await quiet()
    expect(await levelsOf(counters, team)).toEqual([[600_000_000, 0]])
  })

  it('begins at nothing while the ledger is away too, and adds up when it is back', async () => {
    const { admit, ledger, counters, clock, logged } = createLab()
    ledger.rows.push({ scope: team, modelName: 'fast', at: clock.now() - 1, charged: pico(0.9) })
    ledger.isDown = true
    ;(await admit([team], 0.5)).release()
    expect(logged).toEqual(['The ledger does not answer: a budget begins at nothing spent.'])
    clock.advance(60_000)
    await quiet()
    ledger.isDown = false
    clock.advance(1_000)
    await quiet()
    expect(await levelsOf(counters.store, team)).toEqual([[900_000_000, 0]])
    await expect(admit([team], 0.5)).rejects.toMatchObject({ kind: 'budget_exceeded' })
  })

  it('refuses budgets that the ledger cannot tell of, where that is wished', async () => {
    const { admit, ledger } = createLab({ onStoreFailure: 'refuse' })
    ledger.isDown = true
    await expect(admit([team])).rejects.toMatchObject({ kind: 'unavailable' })
    await admit([{ kind: 'key', id: 'k1', rpm: 1 }])
  })

  it('waits for a ledger that hangs for a second and no longer', async () => {
    const { admit, clock } = createLab({ ledgerTotal: () => new Promise(() => {}) })
    let admitted = 0
    const asked = admit([team]).then(() => (admitted += 1))
    await quiet()
    clock.advance(999)
    await quiet()
    expect(admitted).toBe(0)
    clock.advance(1)
    await asked
  })

  it('waits for a guarded store that hangs for 50 ms, and no longer at all once it is left alone', async () => {
    const clock = new FakeClock()
    const hanging = new Proxy(createMemoryCounters({ clock }), { get: () => () => new Promise(() => {}) })
    const counters = guardStore(hanging, { name: 'the counter store', clock, failures: 2 })
    const { admit } = createLab({ counters }, clock)
    const scope: Scope = { kind: 'key', id: 'k1', rpm: 100 }
    let admitted = 0
    for (const before of [0, 1]) {
      const asked = admit([scope]).then(() => (admitted += 1))
      await quiet()
      clock.advance(49)
      await quiet()
      expect(admitted).toBe(before)
      clock.advance(1)
      await asked
    }
    await admit([scope])
  })

  it('tries once more to settle when it is closed, and leaves no timer', async () => {
    const { admission, admit, finish, counters, clock } = createLab()
    const call = await admit([team], 0.5)
    counters.fault = 'down'
    finish(call, team, 0.5)
    await quiet()
    counters.fault = 'none'
    await admission.close()
    expect(await levelsOf(counters.store, team)).toEqual([[500_000_000, 0]])
    expect(clock.pending).toBe(0)
  })
})
