import type { Candidate } from '../model-group.js'
import type { Strategy } from './strategy.js'

/** Picks at random in proportion to the weights; all alike where they add up to nothing. */
export const simpleShuffle: Strategy = {
  name: 'simple-shuffle',
  sample: (draw) => draw(),
  pick(candidates, { random }) {
    const total = candidates.reduce((sum, { weight }) => sum + weight, 0)
    const picked =
      total > 0 ? pickWeighted(candidates, random() * total) : candidates[Math.floor(random() * candidates.length)]
    return picked ?? lastOf(candidates)
  },
}

function pickWeighted(candidates: readonly Candidate[], point: number): Candidate | undefined {
  let passed = 0
  return candidates.find(({ weight }) => {
    passed += weight
    return point < passed
  })
}

function lastOf(candidates: readonly Candidate[]): Candidate {
  const last = candidates.at(-1)
  if (!last) throw new RangeError('simple shuffle needs at least one candidate')
  return last
}
