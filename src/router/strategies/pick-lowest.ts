import type { Candidate } from '../model-group.js'

/** How `pickLowest` treats candidates that are close to each other. */
export interface LowestOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Scores up to so much above the lowest count as equal: 0.1 is a tenth. @default 0 */
  readonly tolerance?: number
}

/**
 * Gives the candidate with the lowest score, at random among equals.
 * @throws RangeError without a candidate
 */
export function pickLowest(
  candidates: readonly Candidate[],
  scoreOf: (candidate: Candidate) => number,
  { random, tolerance = 0 }: LowestOptions,
): Candidate {
  const scores = candidates.map(scoreOf)
  const most = scores.reduce((lowest, score) => Math.min(lowest, score), Number.POSITIVE_INFINITY) * (1 + tolerance)
  const equals = candidates.filter((_, position) => (scores[position] ?? 0) <= most)
  const picked = equals[Math.floor(random() * equals.length)]
  if (!picked) throw new RangeError('A pick needs at least one candidate.')
  return picked
}
