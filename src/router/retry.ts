import type { Deployment } from '../deployment.js'
import { type GatewayError, toGatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import type { CallSignal } from '../upstream/call-signal.js'
import { pause } from './pause.js'
import type { Strategy } from './strategies/strategy.js'

/** How often and how patiently a failed attempt is repeated within its model group. */
export interface RetryPolicy {
  /** Attempts after the first. */
  readonly retries: number
  /** Wait before the first retry, in milliseconds; doubles each time, with jitter. */
  readonly initialDelayMs: number
  readonly maxDelayMs: number
  /** The longest `retry-after` that is waited for; a longer one goes to the caller. */
  readonly maxRetryAfterMs: number
}

/** What the attempts of one call share. */
export interface RetryContext {
  readonly policy: RetryPolicy
  readonly strategy: Strategy
  readonly signal: CallSignal
  readonly clock: Clock
  readonly random: () => number
}

/**
 * Tries deployments until one answers: those of the lowest order first, one that has not failed in this call before
 * one that has. Only failures that the taxonomy calls retriable are repeated; the caller's faults never are.
 * @throws GatewayError the last failure
 */
export async function withRetries<T>(
  deployments: readonly Deployment[],
  context: RetryContext,
  attempt: (deployment: Deployment) => Promise<T>,
): Promise<T> {
  const failed = new Set<Deployment>()
  for (let retry = 0; ; retry += 1) {
    const deployment = context.strategy.pick(candidatesOf(deployments, failed), context.random)
    try {
      return await attempt(deployment)
    } catch (thrown) {
      const error = toGatewayError(thrown)
      failed.add(deployment)
      const wait = delayBefore(retry, error, deployments.length > failed.size, context)
      if (wait === undefined) throw error
      if (wait > 0) await pause(wait, context.clock, context.signal)
    }
  }
}

function candidatesOf(deployments: readonly Deployment[], failed: ReadonlySet<Deployment>): readonly Deployment[] {
  const fresh = failed.size === 0 ? deployments : deployments.filter((deployment) => !failed.has(deployment))
  const pool = fresh.length > 0 ? fresh : deployments
  const lowest = pool[0]?.order
  // Sorted by order, so all alike when the last one has the lowest too: the usual case, without a copy.
  return pool.at(-1)?.order === lowest ? pool : pool.filter((deployment) => deployment.order === lowest)
}

/** Milliseconds to wait before the next attempt, or undefined for none. */
function delayBefore(retry: number, error: GatewayError, hasFresh: boolean, context: RetryContext): number | undefined {
  const { policy, signal } = context
  if (retry >= policy.retries || signal.ended) return undefined
  const mayRepeat = error.rule.retry || (error.rule.reroute && hasFresh)
  if (!mayRepeat) return undefined
  if (hasFresh) return 0
  const backOff = Math.min(policy.initialDelayMs * 2 ** retry, policy.maxDelayMs)
  const jittered = backOff * (0.5 + context.random() / 2)
  const wait = Math.max(jittered, error.retryAfterMs ?? 0)
  if ((error.retryAfterMs ?? 0) > policy.maxRetryAfterMs || wait >= signal.remainingMs) return undefined
  return wait
}
