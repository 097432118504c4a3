import { GatewayError } from '../errors.js'
import type { Shortage } from '../ports/counters.js'
import type { BudgetHold, LimitHold, ScopeHold } from './holds.js'
import { minuteMs } from './holds.js'
import { writeNano } from './money.js'
import { limitHeaders } from './rate-headers.js'

// Nobody knows when a running call ends.
const leaseRetryMs = 1_000

/**
 * What a caller is told whose budget or limit is used up: a 429 that names the scope, what is used of what, and when it
 * resets. Only what passes by itself within the minute is worth a retry: the rest has `x-should-retry: false`.
 */
export function toRefusal(refused: ScopeHold, shortage: Shortage, now: number): GatewayError {
  return refused.limit === 'budget' ? budgetExceeded(refused, shortage, now) : limitExceeded(refused, shortage, now)
}

const noRetry = { 'x-should-retry': 'false' }

function budgetExceeded(refused: BudgetHold, { used, retryAfterMs }: Shortage, now: number): GatewayError {
  const { hold, window } = refused
  const reset = window.endsAt === undefined ? 'It does not reset.' : `It resets at ${writeTime(window.endsAt)}.`
  const text =
    `The budget of ${scopeName(refused)} is exceeded: ${writeNano(used)} of ${writeNano(hold.limit)} are spent ` +
    `or held by running calls, and this call may cost up to ${writeNano(hold.amount)}. ${reset}`
  const wait = retryAfterMs ?? (window.endsAt === undefined ? undefined : Math.max(0, window.endsAt - now))
  return new GatewayError('budget_exceeded', text, {
    headers: noRetry,
    ...(wait !== undefined && { retryAfterMs: wait }),
  })
}

function limitExceeded(refused: LimitHold, { used, retryAfterMs }: Shortage, now: number): GatewayError {
  const { hold, limit } = refused
  const name = scopeName(refused)
  if (limit === 'parallel') {
    const text = `The limit of ${name} is reached: ${used} of ${hold.limit} calls at once are running. Try again when one has ended.`
    return new GatewayError('limit_exceeded', text, { retryAfterMs: leaseRetryMs })
  }
  const need = limit === 'tokens' ? `, and this call may need up to ${hold.amount}` : ''
  const state = `The rate limit of ${name} is reached: ${used} of ${hold.limit} ${limit} per minute are used${need}.`
  const remaining = Math.max(0, Math.floor(hold.limit - used))
  const headers = limitHeaders(limit, { limit: hold.limit, remaining, resetMs: retryAfterMs ?? minuteMs })
  if (retryAfterMs === undefined) {
    return new GatewayError('limit_exceeded', `${state} It never fits.`, { headers: { ...headers, ...noRetry } })
  }
  return new GatewayError('limit_exceeded', `${state} It fits at ${writeTime(now + retryAfterMs)}.`, {
    headers,
    retryAfterMs,
  })
}

function scopeName({ scope, model }: ScopeHold): string {
  return `${scope.kind} ${scope.id}${model === undefined ? '' : ` for ${model}`}`
}

function writeTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
