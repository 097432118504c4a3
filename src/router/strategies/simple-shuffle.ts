import type { Deployment } from '../../deployment.js'
import type { Strategy } from './strategy.js'

/** Picks at random in proportion to the deployments' weights; all alike where the weights add up to nothing. */
export const simpleShuffle: Strategy = {
  pick(candidates, random) {
    const [only] = candidates
    if (only && candidates.length === 1) return only
    const total = candidates.reduce((sum, deployment) => sum + deployment.weight, 0)
    const picked =
      total > 0 ? pickWeighted(candidates, random() * total) : candidates[Math.floor(random() * candidates.length)]
    return picked ?? lastOf(candidates)
  },
}

function pickWeighted(candidates: readonly Deployment[], point: number): Deployment | undefined {
  let passed = 0
  return candidates.find((deployment) => {
    passed += deployment.weight
    return point < passed
  })
}

function lastOf(candidates: readonly Deployment[]): Deployment {
  const last = candidates.at(-1)
  if (!last) throw new RangeError('simple shuffle needs at least one candidate')
  return last
}
