import { z } from 'zod'
import type { Clock, Logger, Timer } from '../../ports.js'
import type { CallRecord, Callback } from '../../ports/callback.js'
import { objectWith } from '../settings.js'
import { defineRecordSink } from '../sink.js'

/** The host's own listener. */
export interface HostCallbackOptions {
  readonly callback: Callback
}

/** A line in a log of pino's shape for every call. */
export interface LoggerOptions {
  readonly logger: Logger
}

/** Told of a batch at a time, but of each call on its own: one that fails or hangs takes no other with it. */
export const callback = defineRecordSink(
  z.strictObject({ callback: objectWith<Callback>('onCall') }),
  (settings, { clock }) => ({
    name: 'callback',
    batchSize: 50,
    parallel: 1,
    delayMs: 0,
    async deliver(records, deadlineMs) {
      const told = await Promise.all(
        records.map((record) => tell(() => tellAll(settings.callback, record), clock, deadlineMs)),
      )
      return { refused: told.filter((done) => !done).length }
    },
  }),
)

async function tell(work: () => Promise<boolean>, clock: Clock, deadlineMs: number): Promise<boolean> {
  let timer: Timer | undefined
  const late = new Promise<false>((resolve) => {
    // A little before the queue's own deadline, which would count the whole batch.
    timer = clock.setTimeout(() => resolve(false), deadlineMs * 0.9)
  })
  const done = await Promise.race([late, work()])
  timer?.cancel()
  return done
}

async function tellAll(listener: Callback, record: CallRecord): Promise<boolean> {
  try {
    for (const attempt of record.attempts) await listener.onAttempt?.(attempt, record)
    await listener.onCall(record)
    return true
  } catch {
    return false
  }
}

const levels = { success: 'info', failure: 'warn' } as const

/** The record is the line's fields. */
export const logger = defineRecordSink(
  z.strictObject({ logger: objectWith<Logger>('debug', 'info', 'warn', 'error') }),
  (settings) => ({
    name: 'logger',
    batchSize: 100,
    parallel: 1,
    delayMs: 0,
    deliver: (records) =>
      Promise.resolve({ refused: records.filter((record) => !isLogged(record, settings.logger)).length }),
  }),
)

function isLogged(record: CallRecord, log: Logger): boolean {
  try {
    log[levels[record.status]]({ call: record }, `call ${record.outcome}`)
    return true
  } catch {
    return false
  }
}
