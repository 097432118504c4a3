import { pickLowest } from './pick-lowest.js'
import { type Strategy, latencyOf } from './strategy.js'

/**
 * Picks the quickest of late: by time to the first token for streams, by time per token for whole answers.
 * Whoever was not measured lately is tried first, one call at a time; so a deployment that was slow is tried again as
 * soon as its latencies are too old to count. `buffer` is the share above the lowest latency that counts as equal.
 */
export function latencyBased(buffer = 0): Strategy {
  return {
    name: 'latency-based',
    honoursLimits: true,
    pick(candidates, view) {
      const untried = candidates.filter((candidate) => latencyOf(candidate, view) === undefined)
      const idle = untried.filter(({ stats }) => stats.inFlight === 0)
      if (idle.length > 0) return pickLowest(idle, () => 0, view)
      if (untried.length === candidates.length) return pickLowest(untried, ({ stats }) => stats.inFlight, view)
      return pickLowest(candidates, (candidate) => latencyOf(candidate, view) ?? Number.POSITIVE_INFINITY, {
        random: view.random,
        tolerance: buffer,
      })
    },
  }
}
