import type { Scope } from '../ports.js'

/** What the counters of a scope are called, the same in every process; or of one model in it. */
export interface CounterNames {
  readonly requests: string
  readonly tokens: string
  readonly parallel: string
  /** Of the budget's window. */
  budget(windowId: string): string
  /** Of a model's own limits and budget, or of those of a pattern. */
  ofModel(model: string): CounterNames
}

/** Names are put together once for a scope that comes again: a text that was looked up before is found faster, too. */
export function createCounterNames(): (scope: Scope) => CounterNames {
  const known = new WeakMap<Scope, Pick<Scope, 'kind' | 'id'> & { readonly names: Names }>()
  return (scope) => {
    const { kind, id } = scope
    const before = known.get(scope)
    // A host may give an object of its own another id.
    if (before?.kind === kind && before.id === id) return before.names
    const names = new Names(`${kind}:${encodeURIComponent(id)}`)
    known.set(scope, { kind, id, names })
    return names
  }
}

class Names implements CounterNames {
  readonly #owner: string
  readonly requests: string
  readonly tokens: string
  readonly parallel: string
  readonly #models = new Map<string, Names>()
  #window = ''
  #budget = ''

  constructor(owner: string) {
    this.#owner = owner
    this.requests = `rpm:${owner}`
    this.tokens = `tpm:${owner}`
    this.parallel = `parallel:${owner}`
  }

  budget(windowId: string): string {
    if (this.#window !== windowId) {
      this.#window = windowId
      this.#budget = `budget:${this.#owner}:${windowId}`
    }
    return this.#budget
  }

  ofModel(model: string): CounterNames {
    const known = this.#models.get(model) ?? new Names(`${this.#owner}:model:${encodeURIComponent(model)}`)
    this.#models.set(model, known)
    return known
  }
}
