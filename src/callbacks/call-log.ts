import { z } from 'zod'
import type { CallRecord } from '../ports/callback.js'
import type { CallStore } from '../ports/calls.js'
import type { Sink } from './sink.js'

/** How calls are kept to be looked up; see `GET /calls`. */
export interface CallLogOptions {
  /** Calls that ended longer ago are forgotten. @default 30 */
  readonly retentionDays?: number | undefined
  /** Memory that they take where the host gives no `stores.calls`, roughly. @default 8 MB */
  readonly maxBytes?: number | undefined
  /** False leaves out the bodies that `callbacks.bodies` switches on. @default true */
  readonly bodies?: boolean | undefined
}

/** Shape of `CallLogOptions`. */
export const CallLogOptionsSchema = z.strictObject({
  retentionDays: z.number().positive().optional(),
  maxBytes: z.number().int().positive().optional(),
  bodies: z.boolean().optional(),
})

/** Writes every call to a store, a batch at a time; as patient as any other sink. */
export function callLogSink(store: Pick<CallStore, 'append'>): Sink<CallRecord> {
  return {
    name: 'call_log',
    batchSize: 200,
    parallel: 1,
    // Soon, as people look.
    delayMs: 200,
    take: (record) => record,
    async deliver(records) {
      await store.append(records)
      return {}
    },
  }
}
