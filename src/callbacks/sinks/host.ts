import { z } from 'zod'
import type { Clock, Logger, Timer } from '../../ports.js'
import type { AttemptCall, AttemptRecord, CallRecord, Callback } from '../../ports/callback.js'
import { objectWith } from '../settings.js'
import { defineRecordSink, defineSink } from '../sink.js'

/** The host's own listener. */
export interface HostCallbackOptions {
  readonly callback: Callback
}

/** A line in a log of pino's shape for every call. */
export interface LoggerOptions {
  readonly logger: Logger
}

/** Something that a listener is to be told. */
interface Told {
  readonly callId: string
  readonly tell: () => PromiseLike<void> | void
}

/**
 * Told of a batch at a time, of what belongs to one call in its order, but of each call on its own: one that fails or hangs
 * takes no other with it.
 */
export const callback = defineSink<HostCallbackOptions, Told>(
  z.strictObject({ callback: objectWith<Callback>('onCall') }),
  ({ callback: listener }, { clock }) => ({
    name: 'callback',
    batchSize: 100,
    parallel: 1,
    delayMs: 0,
    take: (record: CallRecord) => ({ callId: record.callId, tell: () => listener.onCall(record) }),
    ...(listener.onAttempt && {
      takeAttempt: (attempt: AttemptRecord, call: AttemptCall) => ({
        callId: call.callId,
        tell: () => listener.onAttempt?.(attempt, call),
      }),
    }),
    async deliver(batch, deadlineMs) {
      const refused = await Promise.all(byCall(batch).map((items) => tellInOrder(items, clock, deadlineMs)))
      return { refused: refused.reduce((sum, count) => sum + count, 0) }
    },
  }),
)

function byCall(batch: readonly Told[]): readonly (readonly Told[])[] {
  const groups = new Map<string, Told[]>()
  for (const item of batch) {
    const group = groups.get(item.callId)
    if (group) group.push(item)
    else groups.set(item.callId, [item])
  }
  return [...groups.values()]
}

/** Tells one after the other, and how many could not be told in time. */
async function tellInOrder(items: readonly Told[], clock: Clock, deadlineMs: number): Promise<number> {
  let done = 0
  let over = false
  let timer: Timer | undefined
  const late = new Promise<void>((resolve) => {
    // A little before the queue's own deadline, which would count the whole batch.
    timer = clock.setTimeout(resolve, deadlineMs * 0.9)
  })
  const work = async (): Promise<void> => {
    for (const item of items) {
      if (over) return
      if (await isTold(item)) done += 1
    }
  }
  await Promise.race([late, work()])
  over = true
  timer?.cancel()
  return items.length - done
}

async function isTold({ tell }: Told): Promise<boolean> {
  try {
    await tell()
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
