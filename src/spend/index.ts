export { type Circumstances, circumstancesOf, type ServedCall } from './circumstances.js'
export { type Cost, costOf, isTimed, type PriceLine, type PricedQuantity, unpricedCost } from './cost.js'
export { type CostEstimate, estimateCost, type EstimateOptions, imagesIn, type PlannedCall } from './estimate.js'
export { type Factor, fromBasisPoints, fromDollars, multiply, toDecimal, toDollars, toFactor, toNano } from './money.js'
export { reportedCost } from './reported-cost.js'
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
