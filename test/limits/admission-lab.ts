import { type AdmittedCall, type AdmissionParts, createAdmission } from '../../src/limits/admission.js'
import { createBudgetWindows } from '../../src/limits/budget-window.js'
import { toHolds } from '../../src/limits/holds.js'
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

/** The lab's ledger; two labs may share one. */
export interface Ledger {
  readonly rows: Row[]
  isDown: boolean
  questions: number
}

export const createLedger = (): Ledger => ({ rows: [], isDown: false, questions: 0 })

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
    split: (...args) => call('split', () => inner.split(...args)),
    forget: (...args) => call('forget', () => inner.forget(...args)),
    read: (...args) => call('read', () => inner.read(...args)),
  }
  return Object.assign(state, { store })
}

let labs = 0

/** Dollars as pico-dollars. */
export const pico = (dollars: number): bigint => BigInt(Math.round(dollars * 1e9)) * 1_000n

/** Lets everything that waits for promises only go on. */
export async function quiet(): Promise<void> {
  for (let round = 0; round < 20; round++) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** Lets seconds pass, one by one, and what is due happen. */
export async function pass(clock: FakeClock, seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed++) {
    clock.advance(1_000)
    for (let round = 0; round < 30; round++) await Promise.resolve()
  }
  await quiet()
}

/** What a store has of the first budget of a scope. */
export async function levelOf(store: CounterStore, scope: Scope, now: number) {
  const estimate = { charged: () => 0n, inputTokens: 0, outputTokens: 0 }
  const [part] = toHolds({ scopes: [scope], modelName: 'fast', estimate }, createBudgetWindows(), now)
  const [level] = part ? await store.read('all', [part.hold]) : []
  return level
}

/** An admission over memory with a ledger of rows, all of which a test can see and break. */
export function createLab(
  own: Partial<Omit<AdmissionParts, 'clock'>> = {},
  clock: FakeClock = new FakeClock(),
  ledger: Ledger = createLedger(),
) {
  const counters = faulty(createMemoryCounters({ clock }))
  const fallback = faulty(createMemoryCounters({ clock }))
  const events: SoftBudgetEvent[] = []
  const logged: string[] = []
  const log = (_: object, message: string): void => void logged.push(message)
  let ids = 0
  const name = `call-${labs++}`
  const admission = createAdmission({
    counters: counters.store,
    fallback: fallback.store,
    clock,
    createId: () => `${name}-${ids++}`,
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
    const at = Math.min(clock.now(), (call.endsAt ?? Infinity) - 1)
    ledger.rows.push({ scope, modelName: 'fast', at, charged: pico(dollars) })
    call.settle({ charged: () => pico(dollars), tokens, at })
  }
  return { clock, counters, fallback, ledger, events, logged, admission, admit, finish }
}
