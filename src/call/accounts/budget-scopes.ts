import type { Scope } from '../../ports.js'
import type { BilledCall } from './accounts.js'

/** What a budget or limit of the host's holds a scope to. */
export type SharedLimit = Omit<Scope, 'kind' | 'id'>

/** Budgets and limits that the host sets for all callers together. */
export interface SharedBudgets {
  /** Of every call. */
  readonly everybody: SharedLimit | undefined
  /** By model group. */
  readonly models: Readonly<Record<string, SharedLimit>>
  /** By tag of the caller: what a request calls itself is a label, and opens or closes no account. */
  readonly tags: Readonly<Record<string, SharedLimit>>
}

/** Everything that a call counts against: what all calls share, the caller's scopes, then its model's and its tags'. */
export function scopesOf({ caller, group }: BilledCall, { everybody, models, tags }: SharedBudgets): readonly Scope[] {
  const own = caller.scopes ?? []
  const all = everybody ? [{ ...everybody, kind: 'gateway', id: 'everybody' } as const] : []
  const shared = [
    ...toScope('model', group.name, models),
    ...(caller.tags ?? []).flatMap((tag) => toScope('tag', tag, tags)),
  ]
  return all.length + shared.length === 0 ? own : [...all, ...own, ...shared]
}

function toScope(kind: 'model' | 'tag', id: string, table: SharedBudgets['models']): readonly Scope[] {
  const limits = Object.hasOwn(table, id) ? table[id] : undefined
  return limits ? [{ ...limits, kind, id }] : []
}
