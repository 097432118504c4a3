import type { GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import type { Member } from './model-group.js'
import type { AttemptSuccess, RouterState } from './router-state.js'
import type { AttemptEntry } from './trail.js'

/** One attempt under way; it counts as in flight until one of the last three is called, and only the first of these counts. */
export interface AttemptLease {
  readonly entry: AttemptEntry
  /** The first content of a stream is there, whose end may be minutes away: the deployment works again. */
  began(): void
  /** The answer is complete. */
  succeeded(success: AttemptSuccess): void
  failed(error: GatewayError): void
  /** Nobody wants the answer any more: says nothing about the deployment. */
  cancelled(): void
}

/** What a lease tells. */
export interface LeaseParts {
  readonly state: RouterState
  readonly clock: Clock
  /** Whether something else could have served the call; asked only after a failure. */
  readonly isReplaceable: () => boolean
  /** How long what the attempt is made for may take, in milliseconds. @default the deployment's total deadline */
  readonly totalMs?: number
  /** Told when the attempt ends. */
  readonly onEnd?: ((entry: AttemptEntry) => void) | undefined
}

/** Begins an attempt: counts it in flight until it ends. */
export function beginLease(member: Member, entry: AttemptEntry, parts: LeaseParts): AttemptLease {
  const { state, clock, isReplaceable, onEnd, totalMs = member.deployment.timeouts.total } = parts
  let over = false
  let probe = state.begin(member)
  const end = (outcome: AttemptEntry['outcome'], tell: () => void): void => {
    if (over) return
    over = true
    entry.outcome = outcome
    entry.endedAt = clock.now()
    tell()
    state.end(member, probe)
    onEnd?.(entry)
  }
  return {
    entry,
    began() {
      if (over || !probe) return
      probe = false
      state.probed(member)
    },
    succeeded: (success) => end('answered', () => state.succeeded(member, success)),
    failed(error) {
      const cancelled = error.kind === 'client_closed'
      if (!over) entry.failure = error
      end(cancelled ? 'cancelled' : 'failed', () => {
        if (!isOutOfTime(error, entry, totalMs)) state.failed(member, error, isReplaceable())
      })
    },
    cancelled: () => end('cancelled', () => {}),
  }
}

/** The time of the whole call was up, and most of it had been spent elsewhere: says nothing about the deployment. */
function isOutOfTime(error: GatewayError, { startedAt, endedAt }: AttemptEntry, totalMs: number): boolean {
  if (error.kind !== 'timeout' || error.code !== 'total_timeout' || error.upstream) return false
  return endedAt !== undefined && endedAt - startedAt < totalMs / 2
}
