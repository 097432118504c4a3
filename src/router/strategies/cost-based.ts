import type { Deployment } from '../../deployment.js'
import { pickLowest } from './pick-lowest.js'
import type { Strategy } from './strategy.js'

/** What a token of input and one of output cost together at a deployment, in any one unit; undefined where unknown. */
export type CostOf = (deployment: Deployment) => number | undefined

/** Picks the cheapest deployment, at random among equals; those whose price is not known come last. `costOf` is asked at every pick. */
export function costBased(costOf: CostOf): Strategy {
  return {
    name: 'cost-based',
    honoursLimits: true,
    pick: (candidates, view) =>
      pickLowest(candidates, ({ deployment }) => costOf(deployment) ?? Number.POSITIVE_INFINITY, view),
  }
}
