import type { FailureKind, GatewayError } from '../errors.js'
import type { DeploymentState } from './deployment-state.js'
import { type FailureClass, failureClassOf } from './failure-class.js'

/** When and how long failing deployments rest. */
export interface CooldownPolicy {
  /** Milliseconds; 0 switches cooldowns off. A longer `retry-after` of the provider counts instead. @default 5,000 */
  readonly durationMs: number
  /** Failures in a row after which a deployment rests. @default 3 */
  readonly consecutiveFailures: number
  /** Share of failures in the running minute above which a deployment rests, once there were `minimumRequests`. @default 0.5 */
  readonly failureShare: number
  /** @default 5 */
  readonly minimumRequests: number
  /** Failures within a minute that are allowed per class, in place of all rules above for that class. */
  readonly allowedFails: Partial<Readonly<Record<FailureClass, number>>>
}

/** Used where the host sets nothing. */
export const defaultCooldown: CooldownPolicy = Object.freeze({
  durationMs: 5_000,
  consecutiveFailures: 3,
  failureShare: 0.5,
  minimumRequests: 5,
  allowedFails: Object.freeze({}),
})

// More of the same helps with none of these: the quota, the key, the model are what they are.
const atOnce: ReadonlySet<FailureKind> = new Set([
  'rate_limited',
  'upstream_authentication',
  'upstream_permission',
  'upstream_model_not_found',
  'payment_required',
  'gone',
])

const longestMs = 60 * 60_000
/** A model that answered within this time is there: it was asked for something that it does not do. */
const lateAnswerMs = 60_000
/** A deployment that nothing can replace rests only when a whole minute of so many requests had no success. */
const hopelessRequests = 1_000

/** What a failure happened to. */
export interface FailedAttempt {
  readonly state: DeploymentState
  readonly error: GatewayError
  readonly now: number
  /** False where no other deployment and no fallback could serve the call: resting would only replace one error by another. */
  readonly replaceable: boolean
  /** The deployment's own duration in milliseconds. */
  readonly durationMs: number | undefined
}

/** Milliseconds that a deployment rests after this failure, or undefined where it goes on; the failure is counted already. */
export function cooldownAfter(attempt: FailedAttempt, policy: CooldownPolicy): number | undefined {
  const { error, durationMs } = attempt
  const duration = durationMs ?? policy.durationMs
  if (!error.rule.unhealthy || duration === 0 || !mustRest(attempt, policy)) return undefined
  return Math.min(Math.max(duration, error.retryAfterMs ?? 0), longestMs)
}

function mustRest({ state, error, now, replaceable }: FailedAttempt, policy: CooldownPolicy): boolean {
  if (state.probing) return true
  const { requests, failures, failuresByClass } = state.own.at(now)
  if (!replaceable) return requests >= hopelessRequests && failures >= requests
  const kind = failureClassOf(error.kind)
  const allowed = policy.allowedFails[kind]
  if (allowed !== undefined) return (failuresByClass[kind] ?? 0) > allowed
  const isThere = error.kind === 'upstream_model_not_found' && now - state.answeredAt < lateAnswerMs
  if (atOnce.has(error.kind) && !isThere) return true
  if (state.consecutiveFailures >= policy.consecutiveFailures) return true
  return requests >= policy.minimumRequests && failures / requests > policy.failureShare
}
