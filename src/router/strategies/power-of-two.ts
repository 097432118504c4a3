import type { Candidate } from '../model-group.js'
import { simpleShuffle } from './simple-shuffle.js'
import { type Strategy, type StrategyView, latencyOf } from './strategy.js'

const redraws = 3

/**
 * Draws two deployments in proportion to the weights, and picks the one that promises the shorter wait: fewer attempts
 * under way times lower latency. As good as looking at all of them, at the cost of two, and no herd runs to one.
 * Source: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing".
 */
export const powerOfTwo: Strategy = {
  name: 'power-of-two',
  sample: (draw, view) => pickOfTwo(draw, view),
  pick: (candidates, view) =>
    pickOfTwo(() => simpleShuffle.pick(candidates, view), view) ?? simpleShuffle.pick(candidates, view),
}

function pickOfTwo(draw: () => Candidate | undefined, view: StrategyView): Candidate | undefined {
  const first = draw()
  let second = draw()
  for (let drawn = 0; drawn < redraws && second === first; drawn += 1) second = draw()
  if (!first || !second) return undefined
  return waitAt(second, first, view) < waitAt(first, second, view) ? second : first
}

/** Comparable only with that of `other`: without the latencies of both, attempts alone count. */
function waitAt(candidate: Candidate, other: Candidate, view: StrategyView): number {
  const latency = latencyOf(candidate, view)
  if (latency === undefined || latencyOf(other, view) === undefined) return candidate.stats.inFlight
  return (candidate.stats.inFlight + 1) * latency
}
