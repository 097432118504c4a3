import type { FailureKind, GatewayError } from '../errors.js'
import { type FailureClass, failureClassOf } from './failure-class.js'

/** How often and how patiently failed attempts are repeated. */
export interface RetryPolicy {
  /** Attempts after the first, within one model group. */
  readonly retries: number
  /** Attempts of one call in all, fallbacks and hedges included. */
  readonly maxAttempts: number
  /** Wait before the first retry of a deployment, in milliseconds; doubles each time, with jitter. */
  readonly initialDelayMs: number
  readonly maxDelayMs: number
  /** The least wait before the same deployment is asked again. */
  readonly minimumDelayMs: number
  /** The longest `retry-after` that is waited for; a longer one goes to the caller. */
  readonly maxRetryAfterMs: number
  /** Retries by class of failure, in place of `retries` and of what the taxonomy says. */
  readonly byClass: Partial<Readonly<Record<FailureClass, number>>>
}

/** How many retries this failure is worth; 0 where repeating it makes no sense. `retries` is the call's own number. */
export function retriesFor(error: GatewayError, policy: RetryPolicy, retries: number): number {
  const configured = policy.byClass[failureClassOf(error.kind)]
  if (configured !== undefined) return configured
  return error.rule.retry || error.rule.reroute ? retries : 0
}

const refusals: ReadonlySet<FailureKind> = new Set(['unsupported_parameter', 'deployment_limited'])

/** True for what was refused before it was sent: it counts as no attempt, so it must never be repeated. */
export function isUnsent({ kind }: GatewayError): boolean {
  return refusals.has(kind)
}

/** True where the same deployment may be asked again. */
export function mayRepeat(error: GatewayError, policy: RetryPolicy): boolean {
  if (isUnsent(error)) return false
  return error.rule.retry || (policy.byClass[failureClassOf(error.kind)] ?? 0) > 0
}

/**
 * Milliseconds before the same deployment is asked again: doubling, with jitter, and never less than the provider asks
 * for. Undefined where the provider asks for more than `maxRetryAfterMs`.
 */
export function backOff(
  repeats: number,
  error: GatewayError,
  policy: RetryPolicy,
  random: () => number,
): number | undefined {
  const asked = error.retryAfterMs ?? 0
  if (asked > policy.maxRetryAfterMs) return undefined
  const delay = Math.min(policy.initialDelayMs * 2 ** repeats, policy.maxDelayMs)
  return Math.max(delay * (0.5 + random() / 2), policy.minimumDelayMs, asked)
}
