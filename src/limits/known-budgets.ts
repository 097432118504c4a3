import type { ScopeRef } from '../ports/ledger.js'
import type { ScopeHold } from './holds.js'

/** The budget counters of one tenant. */
export interface TenantCounters {
  readonly tenant: string
  readonly counters: readonly string[]
}

interface KnownBudget extends ScopeRef {
  readonly tenant: string
}

// Beyond this the oldest are forgotten; a budget's windows each have a counter.
const most = 100_000

/** Remembers which counters this process has counted in, as the name of a budget's counter cannot be told from its scope. */
export class KnownBudgets {
  readonly #known = new Map<string, KnownBudget>()

  note(tenant: string, parts: readonly ScopeHold[]): void {
    for (const { limit, hold, scope } of parts) {
      if (limit !== 'budget' || this.#known.has(hold.counter)) continue
      this.#known.set(hold.counter, { tenant, kind: scope.kind, id: scope.id })
      const [oldest] = this.#known.size > most ? this.#known.keys() : []
      if (oldest !== undefined) this.#known.delete(oldest)
    }
  }

  /** The counters of these scopes' budgets, by tenant. */
  of(scopes: readonly ScopeRef[]): readonly TenantCounters[] {
    const wanted = new Set(scopes.map(keyOf))
    const tenants = new Map<string, string[]>()
    for (const [counter, budget] of this.#known) {
      if (!wanted.has(keyOf(budget))) continue
      const counters = tenants.get(budget.tenant) ?? []
      tenants.set(budget.tenant, counters)
      counters.push(counter)
    }
    return [...tenants].map(([tenant, counters]) => ({ tenant, counters }))
  }
}

function keyOf({ kind, id }: ScopeRef): string {
  return `${kind}\n${id}`
}
