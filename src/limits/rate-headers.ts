import { type ScopeHold, minuteMs } from './holds.js'

/** How full a limit is. */
export interface LimitState {
  readonly limit: number
  readonly remaining: number
  /** Until the limit is whole again, in milliseconds. */
  readonly resetMs: number
}

type Dimension = 'requests' | 'tokens'

const dimensions: readonly Dimension[] = ['requests', 'tokens']

const names = {
  requests: ['x-ratelimit-limit-requests', 'x-ratelimit-remaining-requests', 'x-ratelimit-reset-requests'],
  tokens: ['x-ratelimit-limit-tokens', 'x-ratelimit-remaining-tokens', 'x-ratelimit-reset-tokens'],
} as const

/**
 * `x-ratelimit-limit-requests`, `-remaining-requests`, `-reset-requests` and the same of tokens, as OpenAI sends them, of
 * the scope that has the least left. `used` is in the order of `holds`, this call included.
 */
export function rateHeaders(holds: readonly ScopeHold[], used: readonly number[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const dimension of dimensions) {
    const tightest = tightestOf(dimension, holds, used)
    if (tightest) addLimitHeaders(headers, dimension, tightest)
  }
  return headers
}

/** The three headers of one limit. */
export function limitHeaders(dimension: Dimension, state: LimitState): Record<string, string> {
  const headers: Record<string, string> = {}
  addLimitHeaders(headers, dimension, state)
  return headers
}

const wholeMinute = writeDuration(minuteMs)

function addLimitHeaders(
  headers: Record<string, string>,
  dimension: Dimension,
  { limit, remaining, resetMs }: LimitState,
): void {
  const [ofLimit, ofRemaining, ofReset] = names[dimension]
  headers[ofLimit] = String(limit)
  headers[ofRemaining] = String(remaining)
  headers[ofReset] = resetMs === minuteMs ? wholeMinute : writeDuration(resetMs)
}

function tightestOf(
  dimension: Dimension,
  holds: readonly ScopeHold[],
  used: readonly number[],
): LimitState | undefined {
  let tightest: LimitState | undefined
  for (let index = 0; index < holds.length; index += 1) {
    const part = holds[index]
    if (part?.limit !== dimension || part.hold.limit === Infinity) continue
    const { limit } = part.hold
    const remaining = Math.max(0, Math.floor(limit - (used[index] ?? 0)))
    // The window slides: what this call took is the last to leave it.
    if (!tightest || remaining < tightest.remaining) tightest = { limit, remaining, resetMs: minuteMs }
  }
  return tightest
}

/** Durations as OpenAI writes them: `120ms`, `1.5s`, `1m0s`, `2h3m4s`. */
export function writeDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.ceil(milliseconds)}ms`
  if (milliseconds < 60_000) return `${Math.round(milliseconds) / 1_000}s`
  const seconds = Math.ceil(milliseconds / 1_000)
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)]
  return `${hours > 0 ? `${hours}h` : ''}${minutes}m${seconds % 60}s`
}
