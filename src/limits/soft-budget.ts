import type { ScopeRef } from '../ports/ledger.js'
import type { BudgetWindow } from './budget-window.js'
import type { BudgetHold, ScopeHold } from './holds.js'

/** What a host is told when the spend of a window passes its soft budget: once per window, by the call that did it. */
export interface SoftBudgetEvent {
  readonly scope: ScopeRef
  /** The name or pattern of a model budget. */
  readonly model: string | undefined
  /** Dollars. */
  readonly softBudget: number
  /** Dollars, this call included. */
  readonly spent: number
  readonly window: BudgetWindow
}

/** Which soft budgets a settled call has passed. `actual` and `spent` are in the order of `holds`. */
export function passedSoftBudgets(
  holds: readonly ScopeHold[],
  actual: readonly number[],
  spent: readonly (number | undefined)[],
): readonly SoftBudgetEvent[] {
  const events: SoftBudgetEvent[] = []
  for (const [index, part] of holds.entries()) {
    if (part.limit !== 'budget' || part.softLimit === undefined) continue
    const now = spent[index]
    if (now === undefined || now < part.softLimit) continue
    const before = now - (actual[index] ?? 0)
    if (before < part.softLimit) events.push(toEvent(part, part.softLimit, now))
  }
  return events
}

function toEvent({ scope, model, window }: BudgetHold, softLimit: number, spent: number): SoftBudgetEvent {
  return {
    scope: { kind: scope.kind, id: scope.id },
    model,
    softBudget: softLimit / 1e9,
    spent: spent / 1e9,
    window,
  }
}
