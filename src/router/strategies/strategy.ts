import type { Candidate } from '../model-group.js'

/** The circumstances of one pick. */
export interface StrategyView {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly stream: boolean
  /** Estimate of the request's input in tokens; 0 where neither a check nor a limit of the group needs one. */
  readonly inputTokens: number
}

/** Picks one of several deployments that may all serve the request. */
export interface Strategy {
  readonly name: string
  /** True where deployments that are at their `rpm` or `tpm` must not be offered. @default false: both are just weights */
  readonly honoursLimits?: boolean
  /** Called synchronously for every pick: must not wait. `candidates` has at least two; gives one of them. */
  pick(candidates: readonly Candidate[], view: StrategyView): Candidate
  /**
   * Picks from draws in proportion to the weights, for strategies that need not see all candidates; a draw gives a free
   * one, or undefined where hardly any is free. Where it gives undefined, `pick` is asked.
   */
  sample?(draw: () => Candidate | undefined, view: StrategyView): Candidate | undefined
}

/** Milliseconds that tell how quick a deployment was lately with such a request; undefined where it had none. */
export function latencyOf({ stats }: Candidate, { stream, now }: StrategyView): number | undefined {
  return stream ? stats.firstTokenMs(now) : stats.perTokenMs(now)
}
