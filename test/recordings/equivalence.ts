import type { JsonObject } from '../../src/wire/json.js'
import type { Difference } from './differences.js'
import type { Exchange } from './exchange.js'
import type { Replay } from './scope.js'

/** Everything a rule may look at. */
export interface Comparison {
  readonly exchange: Exchange
  readonly replay: Replay
  readonly recorded: JsonObject
  readonly sent: JsonObject
  /** Parameters that the gateway reported as left out. */
  readonly dropped: readonly string[]
}

/** A way in which two requests differ and mean the same. */
export interface Equivalence {
  readonly name: string
  /** Why they mean the same. */
  readonly reason: string
  holds(difference: Difference, comparison: Comparison): boolean
}

/** A rule for members that may be missing: the value they had says nothing that their absence does not. */
export function absent(
  name: string,
  reason: string,
  path: RegExp,
  isDefault: (value: unknown) => boolean,
): Equivalence {
  return {
    name,
    reason,
    holds: (found) => found.sent === undefined && path.test(found.path) && isDefault(found.recorded),
  }
}

/** True for an empty text, list or object. */
export function isEmpty(value: unknown): boolean {
  if (typeof value === 'string' || Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
