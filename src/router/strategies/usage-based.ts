import { pickLowest } from './pick-lowest.js'
import type { Strategy } from './strategy.js'

/** Picks the deployment that used the fewest tokens in the running minute, at random among equals. */
export const usageBased: Strategy = {
  name: 'usage-based',
  honoursLimits: true,
  pick: (candidates, view) => pickLowest(candidates, ({ stats }) => stats.tokens(view.now), view),
}
