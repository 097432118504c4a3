import type { Scope } from '../ports.js'
import { type ScopeKind, type ScopeRef, isModelMatch } from '../ports/ledger.js'
import type { BudgetHold, ScopeHold } from './holds.js'

/** The budget counters of one tenant. */
export interface TenantCounters {
  readonly tenant: string
  readonly counters: readonly string[]
}

/** A budget's counter, as calls of this process ask for it. */
export interface KnownBudget {
  readonly tenant: string
  readonly budget: BudgetHold
}

/** A call as its settlement sees it. */
export interface CountedCall {
  readonly scopes: readonly Scope[]
  readonly modelName: string
  /** When it was let in, in milliseconds since the epoch. */
  readonly since: number
  /** What it holds. */
  readonly parts: readonly ScopeHold[]
}

interface Entry extends KnownBudget {
  budget: BudgetHold
  /** When a call last asked for it, in milliseconds since the epoch. */
  usedAt: number
}

// Beyond this the oldest are forgotten; a budget's windows each have a counter.
const most = 100_000
// A budget that was not in force for longer has missed calls, and is added up when it comes back.
const inUseMs = 600_000
const none: readonly never[] = []

/** Remembers which counters this process has counted in, as the name of a budget's counter cannot be told from its scope. */
export class KnownBudgets {
  readonly #known = new Map<string, Entry>()
  readonly #byScope = new Map<ScopeKind, Map<string, Entry[]>>()

  /** Gives those of a call's budgets that this process has not counted in before, or not for long. */
  note(tenant: string, parts: readonly ScopeHold[], now: number): readonly BudgetHold[] {
    let returning: BudgetHold[] | undefined
    for (const budget of parts) {
      if (budget.limit !== 'budget') continue
      const entry = this.#known.get(budget.hold.counter)
      if (!entry || now - entry.usedAt > inUseMs) (returning ??= []).push(budget)
      if (entry) renew(entry, budget, now)
      else this.#add({ tenant, budget, usedAt: now })
    }
    return returning ?? none
  }

  /**
   * The budgets in force that a call of this date counts in though it does not hold them: they were set while it ran, or
   * another one was in force when it began.
   */
  missedBy({ scopes, modelName, since, parts }: CountedCall, at: number): readonly KnownBudget[] {
    let missed: Entry[] | undefined
    for (const { kind, id } of scopes) {
      for (const entry of this.#byScope.get(kind)?.get(id) ?? none) {
        const { hold } = entry.budget
        if (parts.some((part) => part.hold.counter === hold.counter) || !counts(entry, modelName, at)) continue
        // What was asked for while the call ran was set by then, however long ago that is.
        if (at - entry.usedAt > inUseMs && entry.usedAt < since) continue
        if (!missed?.includes(entry)) (missed ??= []).push(entry)
      }
    }
    return missed ?? none
  }

  /** The counters of these scopes' budgets, by tenant. */
  of(scopes: readonly ScopeRef[]): readonly TenantCounters[] {
    const tenants = new Map<string, Set<string>>()
    for (const { kind, id } of scopes) {
      for (const { tenant, budget } of this.#byScope.get(kind)?.get(id) ?? none) {
        const counters = tenants.get(tenant) ?? new Set<string>()
        tenants.set(tenant, counters.add(budget.hold.counter))
      }
    }
    return [...tenants].map(([tenant, counters]) => ({ tenant, counters: [...counters] }))
  }

  #add(entry: Entry): void {
    const { scope, hold } = entry.budget
    this.#known.set(hold.counter, entry)
    const ofKind = this.#byScope.get(scope.kind) ?? new Map<string, Entry[]>()
    this.#byScope.set(scope.kind, ofKind)
    // A window that is long over is of no more interest.
    const others = (ofKind.get(scope.id) ?? none).filter((other) => !isOver(other, entry.usedAt))
    ofKind.set(scope.id, [...others, entry])
    const [oldest] = this.#known.size > most ? this.#known.values() : none
    if (oldest) this.#delete(oldest)
  }

  #delete(entry: Entry): void {
    const { scope, hold } = entry.budget
    this.#known.delete(hold.counter)
    const ofKind = this.#byScope.get(scope.kind)
    const others = ofKind?.get(scope.id)?.filter((other) => other !== entry) ?? []
    if (others.length > 0) ofKind?.set(scope.id, others)
    else ofKind?.delete(scope.id)
  }
}

function renew(entry: Entry, budget: BudgetHold, now: number): void {
  entry.usedAt = now
  // Limits may be changed; a budget of each call would be one more object that is kept for long.
  if (entry.budget.softLimit !== budget.softLimit) entry.budget = budget
}

function counts({ budget: { model, window } }: Entry, modelName: string, at: number): boolean {
  if (model !== undefined && !isModelMatch(model, modelName)) return false
  return window.startsAt <= at && at < (window.endsAt ?? Infinity)
}

function isOver({ budget: { window } }: Entry, now: number): boolean {
  return window.endsAt !== undefined && now - window.endsAt > inUseMs
}
