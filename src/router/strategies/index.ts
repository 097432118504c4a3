import { simpleShuffle } from './simple-shuffle.js'
import type { Strategy } from './strategy.js'

/** Built-in strategies: one line each. Called once per gateway, so that none shares state with another. */
export const strategies = {
  'simple-shuffle': () => simpleShuffle,
} as const satisfies Readonly<Record<string, () => Strategy>>

/** Name of a built-in strategy. */
export type StrategyName = keyof typeof strategies
