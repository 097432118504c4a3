import type { Budget, ModelLimit, Scope } from '../ports.js'
import type { Hold } from '../ports/counters.js'
import { isModelMatch } from '../ports/ledger.js'
import type { BudgetWindow, BudgetWindows } from './budget-window.js'
import { type CounterNames, createCounterNames } from './counter-names.js'
import { dollarsToNano, picoToNano } from './money.js'

/** What a call may cost and need at most. */
export interface Estimate {
  /** Pico-dollars that a scope would be charged at most, mark-up included. */
  charged(scope: Scope): bigint
  readonly inputTokens: number
  /** The most that may come out. */
  readonly outputTokens: number
}

/** What a call has cost and used, all its attempts together. */
export interface Settlement {
  /** Pico-dollars that a scope is charged, mark-up included: what the ledger's rows say of it. */
  charged(scope: Scope): bigint
  /** Input and output. */
  readonly tokens: number
  /** The date of the ledger's rows, in milliseconds since the epoch. @default now */
  readonly at?: number
}

/** A hold, and which limit of which scope it comes from. */
export type ScopeHold = BudgetHold | LimitHold

interface HoldOf {
  readonly hold: Hold
  readonly scope: Scope
}

/** Of a budget. */
export interface BudgetHold extends HoldOf {
  readonly limit: 'budget'
  /** The name or pattern of a model budget. */
  readonly model: string | undefined
  readonly window: BudgetWindow
  /** Nano-dollars. */
  readonly softLimit: number | undefined
}

/** Of a limit on requests or tokens per minute, or on calls at once. */
export interface LimitHold extends HoldOf {
  readonly limit: 'requests' | 'tokens' | 'parallel'
  /** The name or pattern of a model limit. */
  readonly model: string | undefined
}

/** What the holds of a call are made from. */
export interface CallDemand {
  readonly scopes: readonly Scope[]
  /** The model group that is asked for, as the ledger has it. */
  readonly modelName: string
  readonly estimate: Estimate
  /** Held beside a call for one of its attempts: what is charged counts in this alone. @default false */
  readonly isAttempt?: boolean
}

/** The length of the window of requests and tokens per minute, in milliseconds. */
export const minuteMs = 60_000

/**
 * Everything that a call counts against, outermost first, each counter once: where two scopes share one, the tighter limit.
 * Empty for callers without any budget or limit.
 * @throws TypeError for a budget whose duration or time zone is none
 */
export function toHolds(
  demand: CallDemand,
  windows: BudgetWindows,
  now: number,
  namesOf: (scope: Scope) => CounterNames = createCounterNames(),
): readonly ScopeHold[] {
  const found: ScopeHold[] = []
  for (const scope of demand.scopes) {
    if (!isLimited(scope)) continue
    const counters = namesOf(scope)
    for (const { budget, model } of budgetsOf(scope, demand.modelName)) {
      const window = windows.at(budget, now)
      found.push(toBudgetHold({ scope, counters, budget, model, window }, demand.estimate))
    }
    addLimitHolds(scope, counters, demand, found)
  }
  if (found.length < 2) return found
  const byCounter = new Map<string, ScopeHold>()
  for (const part of found) {
    const known = byCounter.get(part.hold.counter)
    if (!known || part.hold.limit < known.hold.limit) byCounter.set(part.hold.counter, part)
  }
  return byCounter.size === found.length ? found : [...byCounter.values()]
}

/** What was used of each hold, for `CounterStore.settle`. */
export function toActual(holds: readonly ScopeHold[], settlement: Settlement): readonly number[] {
  return holds.map(({ limit, scope }) => {
    if (limit === 'budget') return picoToNano(settlement.charged(scope))
    if (limit === 'tokens') return settlement.tokens
    return limit === 'requests' ? 1 : 0
  })
}

interface ScopeBudget {
  readonly budget: Budget
  readonly model: string | undefined
}

function isLimited({ budget, modelBudgets, modelLimits, rpm, tpm, maxParallelRequests }: Scope): boolean {
  return (budget ?? modelBudgets ?? modelLimits ?? rpm ?? tpm ?? maxParallelRequests) !== undefined
}

function budgetsOf({ budget, modelBudgets }: Scope, modelName: string): readonly ScopeBudget[] {
  const own = budget && isBounded({ budget }) ? [{ budget, model: undefined }] : []
  if (!modelBudgets) return own
  const ofModels = Object.entries(modelBudgets)
    .filter(([pattern]) => isModelMatch(pattern, modelName))
    .map(([model, modelBudget]) => ({ budget: modelBudget, model }))
  return [...own, ...ofModels.filter(isBounded)]
}

function isBounded({ budget }: Pick<ScopeBudget, 'budget'>): boolean {
  return budget.maxBudget !== undefined || budget.softBudget !== undefined
}

interface CurrentBudget extends ScopeBudget {
  readonly scope: Scope
  readonly counters: CounterNames
  readonly window: BudgetWindow
}

function toBudgetHold({ scope, counters, budget, model, window }: CurrentBudget, estimate: Estimate): BudgetHold {
  const { maxBudget = Infinity, softBudget } = budget
  return {
    limit: 'budget',
    scope,
    model,
    window,
    softLimit: softBudget === undefined ? undefined : dollarsToNano(softBudget),
    hold: {
      counter: (model === undefined ? counters : counters.ofModel(model)).budget(window.id),
      kind: 'budget',
      // A budget that is used up, or is 0, has no room for a call that costs nothing either.
      amount: Math.max(1, picoToNano(estimate.charged(scope))),
      limit: dollarsToNano(maxBudget),
      endsAt: window.endsAt,
    },
  }
}

function addLimitHolds(
  scope: Scope,
  counters: CounterNames,
  { modelName, estimate }: CallDemand,
  holds: ScopeHold[],
): void {
  const { modelLimits, maxParallelRequests } = scope
  addRateHolds({ scope, counters, model: undefined, limit: scope }, estimate, holds)
  if (modelLimits) {
    for (const [model, limit] of Object.entries(modelLimits)) {
      if (!isModelMatch(model, modelName)) continue
      addRateHolds({ scope, counters: counters.ofModel(model), model, limit }, estimate, holds)
    }
  }
  if (maxParallelRequests !== undefined) {
    const hold = { counter: counters.parallel, kind: 'lease', amount: 1, limit: maxParallelRequests } as const
    holds.push({ limit: 'parallel', model: undefined, scope, hold })
  }
}

/** Limits per minute of a scope, or of one model in it. */
interface ScopeRates {
  readonly scope: Scope
  readonly counters: CounterNames
  readonly model: string | undefined
  readonly limit: ModelLimit
}

function addRateHolds({ scope, counters, model, limit }: ScopeRates, estimate: Estimate, holds: ScopeHold[]): void {
  const { rpm, tpm } = limit
  if (rpm !== undefined) {
    const hold = { counter: counters.requests, kind: 'rate', amount: 1, limit: rpm, windowMs: minuteMs } as const
    holds.push({ limit: 'requests', model, scope, hold })
  }
  if (tpm !== undefined) {
    const { inputTokens, outputTokens } = estimate
    // The most that may come out can be more than a minute allows, and seldom comes: it waits for an empty minute, not for ever.
    const amount = Math.min(inputTokens + outputTokens, Math.max(inputTokens, Math.floor(tpm)))
    const hold = { counter: counters.tokens, kind: 'rate', amount, limit: tpm, windowMs: minuteMs } as const
    holds.push({ limit: 'tokens', model, scope, hold })
  }
}
