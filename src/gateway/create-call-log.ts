import type { CallLogOptions } from '../callbacks/index.js'
import type { Clock, Logger } from '../ports.js'
import type { CallStore } from '../ports/calls.js'
import { createMemoryCalls } from '../stores/memory-calls.js'
import { pruneHourly } from './prune-hourly.js'

/** The calls that are kept. */
export interface CallLog {
  readonly store: CallStore
  readonly bodies: boolean
  /** Stops forgetting what is too old. */
  close(): void
}

/** Builds the call log over the host's store, or in memory; what is too old is forgotten every hour. */
export function createCallLog(
  { retentionDays = 30, maxBytes, bodies = true }: CallLogOptions,
  given: CallStore | undefined,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): CallLog {
  const store = given ?? createMemoryCalls(maxBytes === undefined ? {} : { maxBytes })
  const pruning = pruneHourly({
    prune: (before) => store.prune(before),
    retentionDays,
    clock,
    logger,
    failure: 'Old calls could not be forgotten.',
  })
  return { store, bodies, close: () => pruning?.cancel() }
}
