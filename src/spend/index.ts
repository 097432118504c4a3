export { type Circumstances, circumstancesOf, type ServedCall } from './circumstances.js'
export { type Cost, costOf, isTimed, type PriceLine, type PricedQuantity, unpricedCost } from './cost.js'
export { imagesIn, type OutputBound, outputBound, type PlannedCall, toBounds } from './bounds.js'
export { type CostEstimate, estimateCost, type EstimateOptions } from './estimate.js'
export { type Factor, fromBasisPoints, fromDollars, multiply, toDecimal, toDollars, toFactor, toNano } from './money.js'
export { type CostReport, reportedCost } from './reported-cost.js'
export {
  addBuckets,
  completionTokens,
  type CountedBeside,
  estimatedBuckets,
  noUsage,
  promptTokens,
  quantities,
  toBuckets,
  tokenlessBuckets,
  type UsageBuckets,
} from './usage-buckets.js'
