import type { Scope } from '../../ports.js'
import type { ScopeRef } from '../../ports/ledger.js'
import { type Factor, toFactor } from '../../spend/index.js'

/** What is charged per dollar of cost. */
export interface MarkUps {
  /** Of the innermost scope that has one: what a row is charged, and all that stands in no other. */
  readonly call: Factor
  /** Of scopes of the caller that are charged otherwise, by `scopeKey`; undefined where there are none. */
  readonly others: ReadonlyMap<string, Factor> | undefined
}

const one = toFactor(1)

/** Nobody is charged more than the cost. */
export const noMarkUps: MarkUps = { call: one, others: undefined }

/** Names a scope. */
export function scopeKey({ kind, id }: ScopeRef): string {
  return `${kind}:${id}`
}

/** A scope is charged by its own mark-up, else by the one of the nearest scope around it, else the cost; outermost first. */
export function markUpsOf(scopes: readonly Scope[]): MarkUps {
  const innermost = scopes.findLast(({ markUp }) => markUp !== undefined)?.markUp
  if (innermost === undefined) return noMarkUps
  const others = new Map<string, Factor>()
  let around = 1
  for (const scope of scopes) {
    around = scope.markUp ?? around
    if (around !== innermost) others.set(scopeKey(scope), toFactor(around))
  }
  return { call: toFactor(innermost), others: others.size > 0 ? others : undefined }
}

/** What a scope is charged per dollar of cost. */
export function markUpOf({ call, others }: MarkUps, scope: ScopeRef): Factor {
  return others?.get(scopeKey(scope)) ?? call
}
