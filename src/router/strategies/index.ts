import { type CostOf, costBased } from './cost-based.js'
import { latencyBased } from './latency-based.js'
import { leastBusy } from './least-busy.js'
import { powerOfTwo } from './power-of-two.js'
import { simpleShuffle } from './simple-shuffle.js'
import type { Strategy } from './strategy.js'
import { usageBased } from './usage-based.js'

/** What built-in strategies are made from. */
export interface StrategyParts {
  /** Called only where prices decide. */
  readonly createCostOf: () => CostOf
  /** Share above the lowest latency that counts as equal. */
  readonly lowestLatencyBuffer: number
}

/** Built-in strategies: one line each. Called once per gateway, so that none shares state with another. */
export const strategies = {
  'simple-shuffle': () => simpleShuffle,
  'least-busy': () => leastBusy,
  'latency-based': ({ lowestLatencyBuffer }: StrategyParts) => latencyBased(lowestLatencyBuffer),
  'usage-based': () => usageBased,
  'cost-based': ({ createCostOf }: StrategyParts) => costBased(createCostOf()),
  'power-of-two': () => powerOfTwo,
} as const satisfies Readonly<Record<string, (parts: StrategyParts) => Strategy>>

/** Name of a built-in strategy. */
export type StrategyName = keyof typeof strategies
