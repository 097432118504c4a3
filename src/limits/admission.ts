import { GatewayError } from '../errors.js'
import type { Clock, Logger, Scope } from '../ports.js'
import type { CounterStore, Hold, Reservation, ReserveResult } from '../ports/counters.js'
import type { ScopeRef } from '../ports/ledger.js'
import { createBudgetWindows } from './budget-window.js'
import { createCounterNames } from './counter-names.js'
import { forgetCounters } from './forget-counters.js'
import { type BudgetHold, type CallDemand, type ScopeHold, toHolds } from './holds.js'
import { KnownBudgets } from './known-budgets.js'
import { rateHeaders } from './rate-headers.js'
import { toRefusal } from './refusal.js'
import { createRenewal } from './renewal.js'
import { type AdmittedCall, type Held, RunningCall } from './running-call.js'
import { type LedgerTotal, createSeeding } from './seeding.js'
import { Settlements } from './settlements.js'
import type { SoftBudgetEvent } from './soft-budget.js'

/** What an admission is built from. */
export interface AdmissionParts {
  /** Every method has to settle within a deadline of its own: see `guardStore`. */
  readonly counters: CounterStore
  /** Counters of this process, which take over while `counters` fail and `onStoreFailure` is `degrade`. */
  readonly fallback: CounterStore
  readonly ledgerTotal: LedgerTotal
  readonly clock: Clock
  /** Unique names of reservations. */
  readonly createId: () => string
  readonly logger: Logger
  /** When counters or ledger fail: count in this process, or answer 503. @default 'degrade' */
  readonly onStoreFailure?: 'degrade' | 'refuse'
  /** How long a reservation outlives its process, in milliseconds; renewed while the call runs. @default 60,000 */
  readonly ttlMs?: number
  /** Milliseconds for one question to the ledger. @default 1,000 */
  readonly ledgerDeadlineMs?: number
  /**
   * Whose counters lie together in a Redis cluster: scopes that share a counter must have one tenant. @default one tenant
   * for all, which is never wrong
   */
  readonly tenantOf?: (scopes: readonly Scope[]) => string
  /** Told of spend that passes a soft budget. */
  readonly onSoftBudget?: (event: SoftBudgetEvent) => void
}

/** Whose call it is, and which model it asks for. */
export type CalledFor = Pick<CallDemand, 'scopes' | 'modelName' | 'isAttempt'>

/** Lets calls in that their budgets and limits have room for. */
export interface Admission {
  /**
   * Holds what the call may need in all of its scopes, or none of it. One round trip to the store, none for callers
   * without budgets and limits; a budget's first call in a window also asks the ledger.
   * @throws GatewayError budget_exceeded, limit_exceeded; unavailable where stores fail and are not to be replaced
   */
  admit(demand: CallDemand): Promise<AdmittedCall>
  /**
   * The same at once, where nothing has to be waited for: the counters are in this process and know the budgets.
   * Undefined elsewhere, with nothing held.
   * @throws GatewayError budget_exceeded, limit_exceeded
   */
  admitNow(demand: CallDemand): AdmittedCall | undefined
  /** For a call without budgets and limits: holds nothing, and counts in those that are set while it runs. */
  watch(call: CalledFor): AdmittedCall
  /**
   * Adds up the budgets of these scopes from the ledger once more, as its rows have changed: those that this process has
   * counted in. Rejects where the counter store does.
   */
  recount(scopes: readonly ScopeRef[]): Promise<void>
  /** Settles what waits, as far as the store takes it, and stops all timers. */
  close(): Promise<void>
}

export type { AdmittedCall } from './running-call.js'

/** Builds the admission of one gateway. */
export function createAdmission(parts: AdmissionParts): Admission {
  return new BudgetAdmission(parts)
}

/** What is asked of a store for one call. */
interface Request {
  readonly id: string
  readonly tenant: string
  readonly demand: CallDemand
  readonly parts: readonly ScopeHold[]
  readonly holds: readonly Hold[]
  /** When it was asked for, in milliseconds since the epoch. */
  readonly now: number
}

// A store that forgets what it was told between two questions does not work.
const mostRounds = 3
const noHeaders = Object.freeze({})
const noParts: readonly never[] = Object.freeze([])

class BudgetAdmission implements Admission {
  readonly #parts: AdmissionParts
  readonly #onStoreFailure: 'degrade' | 'refuse'
  readonly #ttlMs: number
  readonly #windows = createBudgetWindows()
  readonly #namesOf = createCounterNames()
  /** When the counter store answered last: what this process has counted in its place before that is out of date. */
  #lastAnswer = 0
  readonly #budgets = new KnownBudgets()
  readonly #seeding
  readonly #settlements
  readonly #renewal

  constructor(parts: AdmissionParts) {
    const { clock, logger, onStoreFailure = 'degrade', ttlMs = 60_000, ledgerDeadlineMs = 1_000 } = parts
    this.#parts = parts
    this.#onStoreFailure = onStoreFailure
    this.#ttlMs = ttlMs
    this.#seeding = createSeeding({ clock, logger, onStoreFailure, ledgerDeadlineMs, ledgerTotal: parts.ledgerTotal })
    this.#renewal = createRenewal({ clock, logger, ttlMs })
    this.#settlements = new Settlements({
      ...parts,
      budgets: this.#budgets,
      seeding: this.#seeding,
      renewal: this.#renewal,
    })
  }

  admitNow(demand: CallDemand): AdmittedCall | undefined {
    const { counters, clock } = this.#parts
    if (!counters.immediate) return undefined
    const request = this.#toRequest(demand)
    if (!request) return this.watch(demand)
    const { id, tenant, holds } = request
    let result: ReserveResult
    try {
      result = counters.immediate.reserve(holds, { id, tenant, ttlMs: this.#ttlMs })
    } catch {
      // `admit` asks again, and decides what comes of a store that fails.
      return undefined
    }
    if ('missing' in result) return undefined
    this.#lastAnswer = clock.now()
    return this.#admitted(request, [counters], this.#grantedOf(request, [counters], result))
  }

  async admit(demand: CallDemand): Promise<AdmittedCall> {
    const { clock } = this.#parts
    const request = this.#toRequest(demand)
    if (!request) return this.watch(demand)
    const store = this.#parts.counters
    let result: ReserveResult
    try {
      result = await this.#reserve(store, request)
      this.#lastAnswer = clock.now()
    } catch (error) {
      return this.#admitWithout(request, error)
    }
    return this.#admitted(request, [store], this.#grantedOf(request, [store], result))
  }

  watch(call: CalledFor): AdmittedCall {
    return this.#running(noHeaders, call, noParts, undefined)
  }

  #toRequest(demand: CallDemand): Request | undefined {
    const { clock, createId, tenantOf } = this.#parts
    const now = clock.now()
    const parts = toHolds(demand, this.#windows, now, this.#namesOf)
    if (parts.length === 0) return undefined
    const tenant = tenantOf?.(demand.scopes) ?? 'all'
    return { id: createId(), tenant, demand, parts, holds: parts.map(({ hold }) => hold), now }
  }

  async recount(scopes: readonly ScopeRef[]): Promise<void> {
    const { counters, fallback } = this.#parts
    for (const { tenant, counters: names } of this.#budgets.of(scopes)) {
      await forgetCounters(counters, tenant, names)
      await forgetCounters(fallback, tenant, names)
    }
  }

  async close(): Promise<void> {
    this.#seeding.close()
    this.#renewal.close()
    await this.#settlements.close()
  }

  /** Reserves, after a look into the ledger for budgets that the store does not know. */
  async #reserve(store: CounterStore, { id, tenant, parts, holds }: Request): Promise<ReserveResult> {
    for (let round = 0; round < mostRounds; round++) {
      const result = await store.reserve(holds, { id, tenant, ttlMs: this.#ttlMs })
      if (!('missing' in result)) return result
      const unknown = parts.filter((part) => isBudgetOf(part, result.missing))
      await Promise.all(unknown.map((budget) => this.#seeding.seed({ store, tenant, budget })))
    }
    throw new GatewayError('unavailable', 'The counter store does not keep what it is told.')
  }

  /** Lets a call in on what this process knows, or not at all. */
  async #admitWithout(request: Request, cause: unknown): Promise<AdmittedCall> {
    const { counters, fallback, clock, logger } = this.#parts
    const { id, tenant, holds } = request
    const unknown = { id, tenant, holds, used: [] }
    // The answer may be lost, and the holds be there.
    const abandon = (): void =>
      this.#settlements.endings.end({ store: counters, reservation: unknown, actual: undefined, at: 0 })
    // A store that is busy counts for other calls: to count beside it would spend a budget twice.
    if (GatewayError.isInstance(cause) && cause.kind === 'overloaded') {
      abandon()
      throw cause
    }
    if (this.#onStoreFailure === 'refuse') {
      abandon()
      throw unavailable(cause)
    }
    try {
      await this.#forgetOutdated(request)
      const granted = this.#grantedOf(request, [fallback, counters], await this.#reserve(fallback, request))
      logger.debug({ reservation: id, error: cause, at: clock.now() }, 'The counter store failed; this process counts.')
      return this.#admitted(request, [fallback, counters], granted)
    } catch (error) {
      abandon()
      throw GatewayError.isInstance(error) ? error : unavailable(error)
    }
  }

  async #forgetOutdated({ tenant, holds }: Request): Promise<void> {
    const { fallback } = this.#parts
    const budgets = holds.filter(({ kind }) => kind === 'budget')
    const levels = await fallback.read(tenant, budgets)
    const outdated = budgets.filter((_, at) => (levels[at]?.seededUntil ?? Infinity) <= this.#lastAnswer)
    const names = outdated.map(({ counter }) => counter)
    await fallback.forget(tenant, names)
  }

  /** @throws GatewayError where it was refused */
  #grantedOf({ parts, tenant, now }: Request, stores: readonly CounterStore[], result: ReserveResult): Reservation {
    // Also where it was refused: the calls that leave no room may have begun without this budget.
    for (const budget of this.#budgets.note(tenant, parts, now))
      for (const store of stores) this.#seeding.check({ store, tenant, budget })
    if ('granted' in result) return result.granted
    const refused = 'refused' in result ? parts[result.refused.index] : undefined
    if ('missing' in result || !refused) throw unavailable(undefined)
    throw toRefusal(refused, result.refused, this.#parts.clock.now())
  }

  #admitted(request: Request, stores: readonly CounterStore[], reservation: Reservation): AdmittedCall {
    const { parts, tenant } = request
    const [holder = this.#parts.counters] = stores
    this.#renewal.add(holder, reservation)
    return this.#running(rateHeaders(parts, reservation.used), request.demand, parts, { tenant, reservation, stores })
  }

  #running(
    headers: AdmittedCall['headers'],
    { scopes, modelName, isAttempt = false }: CalledFor,
    parts: readonly ScopeHold[],
    held: Held | undefined,
  ): AdmittedCall {
    const since = this.#parts.clock.now()
    return new RunningCall(headers, { scopes, modelName, isAttempt, since, parts, held }, this.#settlements)
  }
}

function isBudgetOf(part: ScopeHold, counters: readonly string[]): part is BudgetHold {
  return part.limit === 'budget' && counters.includes(part.hold.counter)
}

function unavailable(cause: unknown): GatewayError {
  const text = 'The budgets and limits of this call cannot be checked right now. Try again in a moment.'
  return new GatewayError('unavailable', text, { cause, retryAfterMs: 1_000 })
}
