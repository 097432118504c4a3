import type { CallLogOptions } from '../callbacks/index.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { CallStore } from '../ports/calls.js'
import { createMemoryCalls } from '../stores/memory-calls.js'

/** The calls that are kept. */
export interface CallLog {
  readonly store: CallStore
  readonly bodies: boolean
  /** Stops forgetting what is too old. */
  close(): void
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Builds the call log over the host's store, or in memory; what is too old is forgotten every hour. */
export function createCallLog(
  { retentionDays = 30, maxBytes, bodies = true }: CallLogOptions,
  given: CallStore | undefined,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): CallLog {
  const store = given ?? createMemoryCalls(maxBytes === undefined ? {} : { maxBytes })
  let closed = false
  const prune = (): void => {
    store
      .prune(clock.now() - retentionDays * dayMs)
      .catch((error: unknown) => logger.warn({ error }, 'Old calls could not be forgotten.'))
      .finally(() => {
        if (!closed) timer = clock.setTimeout(prune, hourMs)
      })
  }
  let timer: Timer = clock.setTimeout(prune, hourMs)
  return {
    store,
    bodies,
    close() {
      closed = true
      timer.cancel()
    },
  }
}
