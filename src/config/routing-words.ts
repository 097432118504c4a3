/** LiteLLM's names of strategies, and our own, with ours. */
export const strategyNames = {
  'simple-shuffle': 'simple-shuffle',
  'least-busy': 'least-busy',
  'latency-based-routing': 'latency-based',
  'usage-based-routing': 'usage-based',
  'usage-based-routing-v2': 'usage-based',
  'cost-based-routing': 'cost-based',
  'latency-based': 'latency-based',
  'usage-based': 'usage-based',
  'cost-based': 'cost-based',
  'power-of-two': 'power-of-two',
} as const

/** What `routing_strategy` may be. */
export const strategyWords = Object.keys(strategyNames)

/** Keys of `retry_policy`, and our classes of failures. */
export const retryWords = {
  BadRequestErrorRetries: 'badRequest',
  AuthenticationErrorRetries: 'authentication',
  TimeoutErrorRetries: 'timeout',
  RateLimitErrorRetries: 'rateLimit',
  ContentPolicyViolationErrorRetries: 'contentPolicy',
  InternalServerErrorRetries: 'internalServer',
} as const

/** Keys of `allowed_fails_policy`, and our classes of failures. */
export const failWords = {
  BadRequestErrorAllowedFails: 'badRequest',
  AuthenticationErrorAllowedFails: 'authentication',
  TimeoutErrorAllowedFails: 'timeout',
  RateLimitErrorAllowedFails: 'rateLimit',
  ContentPolicyViolationErrorAllowedFails: 'contentPolicy',
  InternalServerErrorAllowedFails: 'internalServer',
} as const

/** Keys of `retry_policy`. */
export const retryPolicyWords = Object.keys(retryWords)
/** Keys of `allowed_fails_policy`. */
export const allowedFailsWords = Object.keys(failWords)
