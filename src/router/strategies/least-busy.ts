import { pickLowest } from './pick-lowest.js'
import type { Strategy } from './strategy.js'

/** Picks the deployment with the fewest attempts under way, at random among equals. */
export const leastBusy: Strategy = {
  name: 'least-busy',
  pick: (candidates, view) => pickLowest(candidates, ({ stats }) => stats.inFlight, view),
}
