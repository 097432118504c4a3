import { type AdmittedCall, type AdmissionParts, createAdmission } from '../../src/limits/admission.js'
import type { SoftBudgetEvent } from '../../src/limits/soft-budget.js'
import type { Scope } from '../../src/ports.js'
import type { CounterStore } from '../../src/ports/counters.js'
import { type ScopeRef, isModelMatch } from '../../src/ports/ledger.js'
import { createMemoryCounters } from '../../src/stores/memory-counters.js'
import { FakeClock } from '../support/fake-clock.js'

/** One row of the lab's ledger. */
export interface Row {
  readonly scope: ScopeRef
  readonly modelName: string
  readonly at: number
  readonly charged: bigint
}

/** A store that can be switched off: it rejects, or does what it is told and its answer is lost. */
export interface FaultyStore {
  readonly store: CounterStore
  fault: 'none' | 'down' | 'answers lost'
  /** Names of the methods that were called. */
  readonly calls: string[]
}

export function faulty(inner: CounterStore): FaultyStore {
  const state: FaultyStore = { fault: 'none', calls: [], store: inner }
  const call = async <T>(name: string, ask: () => Promise<T>): Promise<T> => {
    state.calls.push(name)
    if (state.fault === 'down') throw new Error('ECONNREFUSED')
    const answer = await ask()
    if (state.fault === 'answers lost') throw new Error('ETIMEDOUT')
    return answer
  }
  const store: CounterStore = {
    reserve: (...args) => call('reserve', () => inner.reserve(...args)),
    renew: (...args) => call('renew', () => inner.renew(...args)),
    settle: (...args) => call('settle', () => inner.settle(...args)),
    release: (...args) => call('release', () => inner.release(...args)),
    seed: (...args) => call('seed', () => inner.seed(...args)),
    forget: (...args) => call('forget', () => inner.forget(...args)),
    read: (...args) => call('read', () => inner.read(...args)),
  }
  return Object.assign(state, { store })
}

/** Dollars as pico-dollars. */
export const pico = (dollars: number): bigint => BigInt(Math.round(dollars * 1e9)) * 1_000n

/** Lets everything that waits for promises only go on. */
export async function quiet(): Promise<void> {
  for (let round = 0; round < 20; round++) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** An admission over memory with a ledger of rows, all of which a test can see and break. */
export function createLab(own: Partial<Omit<AdmissionParts, 'clock'>> = {}, clock: FakeClock = new FakeClock()) {
  const counters = faulty(createMemoryCounters({ clock }))
  const fallback = faulty(createMemoryCounters({ clock }))
  const ledger = { rows: [] as Row[], isDown: false, questions: 0 }
  const events: SoftBudgetEvent[] = []
  const logged: string[] = []
  const log = (_: object, message: string): void => void logged.push(message)
  let ids = 0
  const admission = createAdmission({
    counters: counters.store,
    fallback: fallback.store,
    clock,
    createId: () => `call-${ids++}`,
    logger: { debug() {}, info: log, warn: log, error: log },
    onSoftBudget: (event) => events.push(event),
    ledgerTotal: async ({ scope, model, from, until }) => {
      ledger.questions++
      if (ledger.isDown) throw new Error('the ledger is down')
      return ledger.rows
        .filter((row) => row.scope.kind === scope.kind && row.scope.id === scope.id && row.at >= from && row.at < until)
        .filter((row) => model === undefined || isModelMatch(model, row.modelName))
        .reduce((sum, row) => sum + row.charged, 0n)
    },
    ...own,
  })
  const admit = (scopes: readonly Scope[], dollars = 0.01, tokens = 10, modelName = 'fast'): Promise<AdmittedCall> =>
    admission.admit({
      scopes,
      modelName,
      estimate: { charged: () => pico(dollars), inputTokens: tokens, outputTokens: 0 },
    })
  /** Settles as a gateway does: the row and the settlement have one date. */
  const finish = (call: AdmittedCall, scope: Scope, dollars: number, tokens = 10): void => {
    const at = clock.now()
    ledger.rows.push({ scope, modelName: 'fast', at, charged: pico(dollars) })
    call.settle({ charged: () => pico(dollars), tokens, at })
  }
  return { clock, counters, fallback, ledger, events, logged, admission, admit, finish }
}
