import type { Scope } from '../../ports.js'
import type { BilledCall } from './accounts.js'

/** Budgets and limits that the host sets for all callers together. */
export interface SharedBudgets {
  /** By model group. */
  readonly models: Readonly<Record<string, Omit<Scope, 'kind' | 'id'>>>
  /** By tag of the caller: what a request calls itself is a label, and opens or closes no account. */
  readonly tags: Readonly<Record<string, Omit<Scope, 'kind' | 'id'>>>
}

/** Everything that a call counts against: the caller's scopes, then its model's and its tags'. */
export function scopesOf({ caller, group }: BilledCall, { models, tags }: SharedBudgets): readonly Scope[] {
  const own = caller.scopes ?? []
  const shared = [
    ...toScope('model', group.name, models),
    ...(caller.tags ?? []).flatMap((tag) => toScope('tag', tag, tags)),
  ]
  return shared.length === 0 ? own : [...own, ...shared]
}

function toScope(kind: 'model' | 'tag', id: string, table: SharedBudgets['models']): readonly Scope[] {
  const limits = Object.hasOwn(table, id) ? table[id] : undefined
  return limits ? [{ ...limits, kind, id }] : []
}
