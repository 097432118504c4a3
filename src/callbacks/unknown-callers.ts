import type { Clock, Logger, Timer } from '../ports.js'
import type { UnknownCallersEvent } from '../ports/callback.js'
import { type CallEnding, outcomeOf } from './outcome.js'

/** A call of somebody whom nobody knows. */
export interface UnknownCall {
  readonly operation: string
  readonly ending: CallEnding
}

/** What of the calls of unknown callers is recorded one by one; the rest is only counted. */
export interface UnknownCallers {
  /** True where there is room for a record of its own; else it is counted. */
  admits(call: UnknownCall): boolean
  /** Tells what was counted so far. */
  close(): void
}

/** Records in a row, and how many more fit after each second. */
const burst = 100
const perSecond = 10
/** How long counts are collected before they are told. */
const collectMs = 10_000

/** Bounds what a flood of requests without a credential can do to sinks: nobody who may call is behind it. */
export function createUnknownCallers(
  clock: Clock,
  logger: Logger,
  tell: (event: UnknownCallersEvent) => void,
): UnknownCallers {
  let room = burst
  let filledAt = clock.now()
  let timer: Timer | undefined
  const counts = new Map<string, UnknownCallersEvent>()

  function refill(): void {
    const now = clock.now()
    room = Math.min(burst, room + (Math.max(0, now - filledAt) / 1_000) * perSecond)
    filledAt = now
  }

  function count({ operation, ending }: UnknownCall): void {
    const [outcome, status] = [outcomeOf(ending), ending.error?.status ?? 0]
    const key = `${operation} ${outcome} ${status}`
    const calls = (counts.get(key)?.calls ?? 0) + 1
    counts.set(key, { type: 'unknown_callers', at: clock.now(), operation, outcome, status, calls })
    timer ??= clock.setTimeout(flush, collectMs)
  }

  function flush(): void {
    timer?.cancel()
    timer = undefined
    for (const event of counts.values()) {
      tell(event)
      const { operation, outcome, calls } = event
      logger.warn({ operation, outcome, calls }, 'Calls of unknown callers were counted, not recorded one by one.')
    }
    counts.clear()
  }

  return {
    admits(call) {
      refill()
      if (room >= 1) {
        room -= 1
        return true
      }
      count(call)
      return false
    },
    close: flush,
  }
}
