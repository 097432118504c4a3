import { within } from '../clock.js'
import type { Clock, Logger, Timer } from '../ports.js'

/** What is forgotten, and when. */
export interface PruneOptions {
  /** Forgets what is older, in milliseconds since the epoch. */
  readonly prune: (before: number) => Promise<unknown>
  /** Undefined: all is kept. */
  readonly retentionDays: number | undefined
  readonly clock: Clock
  readonly logger: Logger
  /** For the log: `Old calls could not be forgotten.` */
  readonly failure: string
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Forgets what is too old an hour after the last time; what is given stops it, also in the middle. Undefined where nothing is. */
export function pruneHourly({
  prune,
  retentionDays,
  clock,
  logger,
  failure,
}: PruneOptions): Pick<Timer, 'cancel'> | undefined {
  if (retentionDays === undefined) return undefined
  let isOver = false
  const run = async (): Promise<void> => {
    try {
      // One that hangs must not be the last.
      await within(clock, hourMs, () => prune(clock.now() - retentionDays * dayMs))
    } catch (error) {
      logger.warn({ error }, failure)
    }
    if (!isOver) timer = clock.setTimeout(() => void run(), hourMs)
  }
  let timer = clock.setTimeout(() => void run(), hourMs)
  return {
    cancel() {
      isOver = true
      timer.cancel()
    },
  }
}
