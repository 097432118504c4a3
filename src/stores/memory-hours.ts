import { type ScopeRef, isModelMatch } from '../ports/ledger.js'
import type { ModelHourRollUp } from './roll-ups.js'

/** Whose charges are asked for; `model` as of `LedgerStore.total`. */
export interface Wanted {
  readonly scope: ScopeRef
  readonly model: string | undefined
}

/** What scopes were charged by hour and models, in memory. */
export interface MemoryHours {
  add(row: ModelHourRollUp): void
  /** Undefined where nothing is known of the scope in that hour. */
  get(hour: number, wanted: Wanted): bigint | undefined
  /** The hours that anything is known of, in no order. */
  known(): Iterable<number>
}

/** True where charges of these models are asked for. */
export function isOfModel(models: readonly string[], model: string | undefined): boolean {
  return model === undefined || models.some((name) => isModelMatch(model, name))
}

type Charge = Pick<ModelHourRollUp, 'models' | 'charged'>

/**
 * Keeps at most so many rows. Beyond that the oldest hour loses the scope that was charged least recently within it: what
 * everybody shares is charged all the time, and outlives a flood of scopes that come once.
 */
export function createMemoryHours(most: number): MemoryHours {
  /** By hour, then by scope in the order in which they were charged last. */
  const byHour = new Map<number, Map<string, readonly Charge[]>>()
  let size = 0
  let oldest = Infinity

  function dropOldest(): void {
    const scopes = byHour.get(oldest)
    for (const [name, charges] of scopes ?? []) {
      scopes?.delete(name)
      size -= charges.length
      break
    }
    if (scopes && scopes.size > 0) return
    byHour.delete(oldest)
    oldest = Infinity
    for (const hour of byHour.keys()) oldest = Math.min(oldest, hour)
  }

  return {
    add({ kind, id, hour, models, charged }) {
      const scopes = byHour.get(hour) ?? new Map<string, readonly Charge[]>()
      byHour.set(hour, scopes)
      oldest = Math.min(oldest, hour)
      const name = nameOf({ kind, id })
      const known = scopes.get(name) ?? []
      const same = known.find((charge) => isSame(charge.models, models))
      const added = { models, charged: (same?.charged ?? 0n) + charged }
      scopes.delete(name)
      scopes.set(name, [...known.filter((charge) => charge !== same), added])
      if (!same) size += 1
      while (size > most) dropOldest()
    },
    get(hour, { scope, model }) {
      const charges = byHour.get(hour)?.get(nameOf(scope))
      return charges?.reduce((sum, { models, charged }) => (isOfModel(models, model) ? sum + charged : sum), 0n)
    },
    known: () => byHour.keys(),
  }
}

/** Kinds have no space in them. */
function nameOf({ kind, id }: ScopeRef): string {
  return `${kind} ${id}`
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at])
}
