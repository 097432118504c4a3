import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Scope } from '../../src/ports.js'
import { createLab, createLedger, levelOf, pico } from '../limits/admission-lab.js'
import { FakeClock } from '../support/fake-clock.js'
import { proofStores } from './proof-lab.js'

const bare: Scope = { kind: 'key', id: 'k1' }
const budgeted: Scope = { ...bare, budget: { maxBudget: 1 } }

describe.each(Object.entries(proofStores))(
  'a budget that one of two processes sees first, with counters in %s',
  { timeout: 60_000 },
  (_, open) => {
    it('comes to what the ledger has: calls of the other, and what was written down and never settled', async (context) => {
      const proof = await open()
      if (!proof) return context.skip()
      const { counters } = proof.stores
      const clock = new FakeClock()
      const ledger = createLedger()
      const [first, second] = [createLab({ counters }, clock, ledger), createLab({ counters }, clock, ledger)]
      const usedOf = async () => (await levelOf(counters, budgeted, clock.now()))?.used
      const pass = async (seconds: number): Promise<void> => {
        for (let passed = 0; passed < seconds; passed++) {
          clock.advance(1_000)
          await delay(10)
        }
      }
      try {
        const [early, late] = [await first.admit([bare]), await first.admit([bare])]
        clock.advance(10)
        const running = await second.admit([budgeted], 0.1)
        clock.advance(10)
        first.finish(early, bare, 0.3)
        ledger.rows.push({ scope: bare, modelName: 'fast', at: clock.now(), charged: pico(0.2) })
        await pass(6)
        // Beside the rows that are added up.
        second.finish(running, bare, 0.1)
        await pass(14)
        await expect.poll(async () => (await pass(1), usedOf()), { timeout: 10_000 }).toBe(600_000_000)
        first.finish(late, bare, 0.25)
        await pass(90)
        await expect.poll(async () => (await pass(1), usedOf()), { timeout: 10_000 }).toBe(850_000_000)
        await expect(first.admit([budgeted], 0.2)).rejects.toMatchObject({ kind: 'budget_exceeded' })
      } finally {
        await first.admission.close()
        await second.admission.close()
        await proof.close()
      }
    })
  },
)
