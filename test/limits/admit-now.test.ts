import { describe, expect, it } from 'vitest'
import { createMemoryCounters } from '../../src/stores/memory-counters.js'
import { FakeClock } from '../support/fake-clock.js'
import { createLab, pico } from './admission-lab.js'

const scope = { kind: 'key', id: 'k 1', budget: { maxBudget: 1 }, rpm: 3 } as const
const demand = {
  scopes: [scope],
  modelName: 'fast',
  estimate: { charged: () => pico(0.4), inputTokens: 10, outputTokens: 0 },
}

/** An admission whose counters are in this process, and not hidden behind a store that can fail. */
function createNear() {
  const clock = new FakeClock()
  const counters = createMemoryCounters({ clock })
  return { ...createLab({ counters }, clock), counters }
}

describe('an admission with counters in this process', () => {
  it('leaves budgets to be looked up to who waits, and lets in at once from then on', async () => {
    const { admission, admit, ledger } = createNear()
    expect(admission.admitNow(demand)).toBeUndefined()
    const first = await admit([scope], 0.4)
    const second = admission.admitNow(demand)
    expect(second?.headers).toMatchObject({ 'x-ratelimit-remaining-requests': '1' })
    expect(() => admission.admitNow(demand)).toThrow(expect.objectContaining({ code: 'budget_exceeded' }))
    expect(ledger.questions).toBe(1)
    first.release()
    second?.release()
    await admission.close()
  })

  it('settles before it returns, once, and tells of a soft budget', async () => {
    const soft = { kind: 'key', id: 's', budget: { maxBudget: 1, softBudget: 0.2 } } as const
    const { admission, admit, counters, events, finish } = createNear()
    finish(await admit([soft], 0.1), soft, 0.1)
    const call = admission.admitNow({ ...demand, scopes: [soft] })
    if (!call) throw new Error('not let in at once')
    finish(call, soft, 0.2)
    const level = async () =>
      (await counters.read('all', [{ counter: 'budget:key:s:all@0', kind: 'budget', amount: 0, limit: 1 }]))[0]
    expect(await level()).toMatchObject({ used: 300_000_000, held: 0 })
    expect(events).toHaveLength(1)
    call.settle({ charged: () => pico(0.5), tokens: 0 })
    call.release()
    expect(await level()).toMatchObject({ used: 300_000_000, held: 0 })
    await admission.close()
  })

  it('counts for what a scope says of itself now, though it is the same object', async () => {
    const changing = { kind: 'key' as const, id: 'one', rpm: 1 }
    const { admission } = createNear()
    const asked = { ...demand, scopes: [changing] }
    expect(admission.admitNow(asked)?.isHeld).toBe(true)
    expect(() => admission.admitNow(asked)).toThrow(expect.objectContaining({ code: 'rate_limit_exceeded' }))
    changing.id = 'two'
    expect(admission.admitNow(asked)?.isHeld).toBe(true)
    changing.rpm = 2
    expect(admission.admitNow(asked)?.isHeld).toBe(true)
    expect(() => admission.admitNow(asked)).toThrow()
    await admission.close()
  })

  it('waits where counters are elsewhere', async () => {
    const { admission, counters } = createLab()
    expect(admission.admitNow(demand)).toBeUndefined()
    expect(counters.calls).toEqual([])
    await admission.close()
  })
})
