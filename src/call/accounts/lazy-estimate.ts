import type { Estimate } from '../../limits/holds.js'
import type { Scope } from '../../ports.js'
import { type CostEstimate, multiply } from '../../spend/index.js'
import { type MarkUps, markUpOf } from './mark-ups.js'

/** How many attempts an estimate is for, and what they are charged. */
export interface MostOf {
  /** When the first request is sent at the earliest; milliseconds since the epoch. */
  readonly at: number
  /** Attempts that are billed. */
  readonly attempts: bigint
  /** The last of them may go on with an answer. */
  readonly continued: boolean
  readonly markUps: MarkUps
}

/** An estimate that is worked out when it is asked for: reading a prompt takes time, which only budgets and limits on tokens are worth. */
export class LazyEstimate implements Estimate {
  readonly #estimate: () => NeededInTurn
  readonly #most: MostOf
  #known: NeededInTurn | undefined

  constructor(estimate: () => NeededInTurn, most: MostOf) {
    this.#estimate = estimate
    this.#most = most
  }

  charged(scope: Scope): bigint {
    const { attempts, markUps } = this.#most
    const { whole, rest } = this.#needed
    const markUp = markUpOf(markUps, scope)
    const last = multiply(rest.pico, markUp)
    // Each row is rounded by itself.
    return attempts === 1n ? last : multiply(whole.pico, markUp) * (attempts - 1n) + last
  }

  get inputTokens(): number {
    return this.#needed.whole.inputTokens
  }

  get outputTokens(): number {
    return this.#needed.whole.outputTokens
  }

  get #needed(): NeededInTurn {
    return (this.#known ??= this.#estimate())
  }
}

/** What one attempt costs and needs at most. */
export type MostNeeded = Pick<CostEstimate, 'pico' | 'inputTokens' | 'outputTokens'>

/** What several attempts do. */
export interface NeededInTurn {
  readonly whole: MostNeeded
  /** Of the last attempt, which may go on with what another one wrote. */
  readonly rest: MostNeeded
}

/** The most of each, whichever of these it is. */
export function toMostNeeded(estimates: readonly MostNeeded[]): MostNeeded {
  let [pico, inputTokens, outputTokens] = [0n, 0, 0]
  for (const estimate of estimates) {
    if (estimate.pico > pico) pico = estimate.pico
    inputTokens = Math.max(inputTokens, estimate.inputTokens)
    outputTokens = Math.max(outputTokens, estimate.outputTokens)
  }
  return { pico, inputTokens, outputTokens }
}
