import { type ScopeKind, type ScopeRef, isModelMatch } from '../ports/ledger.js'
import type { ModelHourRollUp } from './roll-ups.js'
import { monthOf } from './sums-cut.js'

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
  /** Moves what each scope was charged within a month before then into the last hour of it; gives how many hours went. */
  merge(before: number, isMerged: (kind: string) => boolean): number
  /** Forgets the scopes of a kind that were charged nothing since; gives how many hours went. */
  forgetIdle(kind: ScopeKind, since: number): number
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
    forgetHour(oldest)
  }

  function forgetHour(gone: number): void {
    byHour.delete(gone)
    if (gone !== oldest) return
    oldest = Infinity
    for (const hour of byHour.keys()) oldest = Math.min(oldest, hour)
  }

  /** Behind all others of the hour. */
  function put(hour: number, name: string, added: readonly Charge[]): void {
    const scopes = byHour.get(hour) ?? new Map<string, readonly Charge[]>()
    byHour.set(hour, scopes)
    oldest = Math.min(oldest, hour)
    const known = scopes.get(name) ?? []
    const charges = added.reduce(plusCharge, known)
    size += charges.length - known.length
    scopes.delete(name)
    scopes.set(name, charges)
  }

  function take(hour: number, name: string): readonly Charge[] {
    const scopes = byHour.get(hour)
    const charges = scopes?.get(name) ?? []
    size -= charges.length
    scopes?.delete(name)
    if (scopes?.size === 0) forgetHour(hour)
    return charges
  }

  return {
    add({ kind, id, hour, models, charged }) {
      put(hour, nameOf({ kind, id }), [{ models, charged }])
      while (size > most) dropOldest()
    },
    get(hour, { scope, model }) {
      const charges = byHour.get(hour)?.get(nameOf(scope))
      return charges?.reduce((sum, { models, charged }) => (isOfModel(models, model) ? sum + charged : sum), 0n)
    },
    known: () => byHour.keys(),
    merge(before, isMerged) {
      const last = new Map<string, number>()
      let merged = 0
      const old = [...byHour.keys()].filter((hour) => hour < before)
      for (const hour of old.toSorted((a, b) => b - a)) {
        for (const name of byHour.get(hour)?.keys() ?? []) {
          if (!isMerged(kindOf(name))) continue
          const month = `${monthOf(hour)} ${name}`
          const into = last.get(month)
          if (into === undefined) last.set(month, hour)
          else {
            put(into, name, take(hour, name))
            merged += 1
          }
        }
      }
      return merged
    },
    forgetIdle(kind, since) {
      const newest = new Map<string, number>()
      for (const [hour, scopes] of byHour) {
        for (const name of scopes.keys()) {
          if (kindOf(name) === kind) newest.set(name, Math.max(newest.get(name) ?? 0, hour))
        }
      }
      let forgotten = 0
      for (const hour of byHour.keys()) {
        if (hour >= since) continue
        for (const name of byHour.get(hour)?.keys() ?? []) {
          if ((newest.get(name) ?? Infinity) >= since) continue
          take(hour, name)
          forgotten += 1
        }
      }
      return forgotten
    },
  }
}

/** Kinds have no space in them. */
function nameOf({ kind, id }: ScopeRef): string {
  return `${kind} ${id}`
}

function kindOf(name: string): string {
  return name.slice(0, name.indexOf(' '))
}

function plusCharge(charges: readonly Charge[], { models, charged }: Charge): readonly Charge[] {
  const same = charges.find((charge) => isSame(charge.models, models))
  const added = { models, charged: (same?.charged ?? 0n) + charged }
  return [...charges.filter((charge) => charge !== same), added]
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at])
}
