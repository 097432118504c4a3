import type { Candidate } from '../model-group.js'

/** The circumstances of one pick. */
export interface StrategyView {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly stream: boolean
  /** Estimate of the request's input; 0 where nobody asked for one. */
  readonly inputTokens: number
}

/** Picks one of several deployments that may all serve the request. */
export interface Strategy {
  readonly name: string
  /** Called synchronously for every pick: must not wait. `candidates` has at least two; gives one of them. */
  pick(candidates: readonly Candidate[], view: StrategyView): Candidate
  /**
   * Picks from draws in proportion to the weights, for strategies that need not see all candidates; a draw gives a free
   * one, or undefined where hardly any is free. Where it gives undefined, `pick` is asked.
   */
  sample?(draw: () => Candidate | undefined, view: StrategyView): Candidate | undefined
}
