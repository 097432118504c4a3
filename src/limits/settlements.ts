import type { Clock, Logger } from '../ports.js'
import type { CounterStore } from '../ports/counters.js'
import { type Ending, type Endings, createEndings } from './endings.js'
import { type ScopeHold, type Settlement, toActual } from './holds.js'
import type { KnownBudgets } from './known-budgets.js'
import { picoToNano } from './money.js'
import type { Renewal } from './renewal.js'
import { type CallEnds, type EndingCall, type Held, firstEnd } from './running-call.js'
import type { Account, Seeding } from './seeding.js'
import { type SoftBudgetEvent, passedSoftBudgets } from './soft-budget.js'

/** What settlements need. */
export interface SettlementParts {
  readonly counters: CounterStore
  /** Counts while `counters` fail. */
  readonly fallback: CounterStore
  readonly clock: Clock
  readonly createId: () => string
  readonly logger: Logger
  readonly budgets: Pick<KnownBudgets, 'missedBy'>
  readonly seeding: Pick<Seeding, 'running' | 'recount'>
  readonly renewal: Pick<Renewal, 'delete'>
  readonly onSoftBudget?: ((event: SoftBudgetEvent) => void) | undefined
}

/** Settles calls in every budget that they count in, those that were set while they ran included. */
export class Settlements implements CallEnds {
  readonly #parts: SettlementParts
  readonly endings: Endings
  /** Those that wait until their budget is added up. */
  readonly #late = new Set<Promise<void>>()

  constructor(parts: SettlementParts) {
    this.#parts = parts
    this.endings = createEndings({ clock: parts.clock, logger: parts.logger })
  }

  end(call: EndingCall, settlement: Settlement | undefined): void {
    const at = settlement?.at ?? this.#parts.clock.now()
    if (call.held) this.#endHeld(call.parts, call.held, settlement, at)
    if (settlement && !call.isAttempt) this.#countMissed(call, settlement, at)
  }

  /** Settles what waits, as far as the stores take it. */
  async close(): Promise<void> {
    await this.endings.idle()
    while (this.#late.size > 0) await Promise.all(this.#late)
    await this.endings.close()
  }

  #endHeld(
    parts: readonly ScopeHold[],
    { tenant, reservation, stores }: Held,
    settlement: Settlement | undefined,
    at: number,
  ): void {
    const [holder = this.#parts.counters] = stores
    this.#parts.renewal.delete(holder, reservation)
    const actual = settlement && toActual(parts, settlement)
    for (const store of stores) {
      const onSettled: Ending['onSettled'] = (spent) =>
        this.#settled({ parts, tenant, store, actual: actual ?? [], at, spent })
      this.endings.end({ store, reservation, actual, at, onSettled })
    }
  }

  #countMissed(call: EndingCall, settlement: Settlement, at: number): void {
    const { counters, fallback, budgets } = this.#parts
    // A call that outlasts a window counts in that one, and in none that follows it.
    const date = Math.min(at, (firstEnd(call.parts) ?? Infinity) - 1)
    for (const { tenant, budget } of budgets.missedBy(call, date)) {
      const actual = picoToNano(settlement.charged(budget.scope))
      if (actual === 0) continue
      this.#settleLate({ store: counters, tenant, budget }, actual, at)
      // Where it counts in their place; it seldom does.
      this.endings.end({ store: fallback, reservation: this.#emptyHold({ tenant, budget }), actual: [actual], at })
    }
  }

  #settled(settled: SettledCall): void {
    const { parts, tenant, store, actual, spent } = settled
    if (spent.length === 0) return
    parts.forEach((budget, index) => {
      if (budget.limit !== 'budget' || spent[index] !== undefined) return
      this.#settleWhenSeeded({ store, tenant, budget }, actual[index] ?? 0, settled.at)
    })
    const { counters, onSoftBudget, logger } = this.#parts
    if (store !== counters || !onSoftBudget) return
    for (const event of passedSoftBudgets(parts, actual, spent)) {
      try {
        onSoftBudget(event)
      } catch (error) {
        logger.error({ error }, 'onSoftBudget has thrown.')
      }
    }
  }

  /** Where another process seeds it, or nobody, a recount finds the row in the ledger. */
  #settleWhenSeeded(account: Account, actual: number, at: number): void {
    const seeding = this.#parts.seeding.running(account)
    if (!seeding) return this.#parts.seeding.recount(account)
    const late = seeding.then(() => {
      this.#late.delete(late)
      this.#settleLate(account, actual, at)
    })
    this.#late.add(late)
  }

  /** What ended while its budget was added up is neither among the rows that were asked for nor in a counter yet. */
  #settleLate(account: Account, actual: number, at: number): void {
    const { store, tenant, budget } = account
    const onSettled: Ending['onSettled'] = (spent) =>
      this.#settled({ parts: [budget], tenant, store, actual: [actual], at, spent })
    this.endings.end({ store, reservation: this.#emptyHold(account), actual: [actual], at, onSettled })
  }

  #emptyHold({ tenant, budget }: Omit<Account, 'store'>): Ending['reservation'] {
    return { id: this.#parts.createId(), tenant, holds: [{ ...budget.hold, amount: 0 }], used: [] }
  }
}

interface SettledCall {
  readonly parts: readonly ScopeHold[]
  readonly tenant: string
  readonly store: CounterStore
  readonly actual: readonly number[]
  readonly at: number
  readonly spent: readonly (number | undefined)[]
}
