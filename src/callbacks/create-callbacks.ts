import { z } from 'zod'
import type { Clock, Logger, Timer } from '../ports.js'
import type { AttemptCall, AttemptRecord, CallRecord, CallbackEvent, TraceParent } from '../ports/callback.js'
import type { BodyPolicy } from './call-record.js'
import type { SendToSink } from './http.js'
import { type CallbackOptions, CallbackOptionsSchema } from './options.js'
import { redactAttempt, redactRecord, withoutBodies } from './redact-record.js'
import type { Sink, SinkParts, SinkStats } from './sink.js'
import { type SinkQueue, createSinkQueue } from './sink-queue.js'
import { activeTrace } from './sinks/opentelemetry.js'
import { type UnknownCall, createUnknownCallers } from './unknown-callers.js'

/** What callbacks are built with. */
export interface CallbackParts {
  /** The way out, see `createSendToSink`. */
  readonly send: SendToSink
  readonly clock: Clock
  readonly logger: Logger
  /** The gateway's own log of calls, beside the host's sinks; with bodies where these are switched on. */
  readonly log?: { readonly sink: Sink<CallRecord>; readonly bodies: boolean } | undefined
}

/** Tells sinks of calls and events, off the path of calls. */
export interface Callbacks {
  /** Whose bodies are to be given to `prepareRecord`: see `keepsBodies`. */
  readonly bodies: BodyPolicy
  /** Takes an attempt that has ended; undefined where nobody wants to know. Returns at once and never throws. */
  readonly attempt: ((attempt: AttemptRecord, call: AttemptCall) => void) | undefined
  /**
   * Takes a call that is over, whose record is made a little later, with those of other calls: what it is made of must be
   * what it was. Returns at once and never throws.
   */
  record(make: () => CallRecord): void
  /** A record that takes a moment to come; closing waits for it. Must not reject. */
  expect(coming: Promise<void>): void
  /** True where a call of an unknown caller is to be recorded; else it is counted, so that a flood of them fills no sink. */
  admitsUnknown(call: UnknownCall): boolean
  /** Takes an event of the gateway. Returns at once and never throws. */
  event(event: CallbackEvent): void
  /** The host's active span, for calls without a `traceparent` header; ask while the request is being handled. Never throws. */
  trace(): TraceParent | undefined
  /** Sends what waits, until the deadline; what is left then is dropped and counted. Never rejects. */
  close(deadlineMs: number): Promise<void>
  /** Numbers by sink's name. */
  readonly stats: Readonly<Record<string, SinkStats>>
}

interface OpenSink {
  readonly queue: SinkQueue
  readonly on: 'all' | 'success' | 'failure'
  readonly bodies: boolean
}

/** Records that are looked at before others get their turn on the event loop. */
const sliceSize = 50
/** How long a call waits for others there: code that runs for many in a row takes a fraction of the time. */
const gatherMs = 20

/**
 * Builds the callbacks of one gateway; every sink has a queue of its own, so that none waits for another.
 * @throws TypeError naming every wrong setting by its path
 */
export function createCallbacks(options: CallbackOptions, { send, clock, logger, log }: CallbackParts): Callbacks {
  const checked = check(options)
  const sinks: OpenSink[] = []
  const stats = (): Readonly<Record<string, SinkStats>> =>
    Object.fromEntries(sinks.map(({ queue }) => [queue.name, queue.stats]))
  const parts: SinkParts = { send, clock, logger, stats }
  for (const { name, on, bodies, own, sinkType } of checked.sinks) {
    sinkType.open(own, parts, (sink) => {
      const queue = createSinkQueue({ ...sink, name }, { clock, logger, limits: checked.queue })
      sinks.push({ queue, on, bodies })
    })
  }
  if (log) {
    const queue = createSinkQueue(log.sink, { clock, logger, limits: checked.queue })
    sinks.push({ queue, on: 'all', bodies: log.bodies })
  }
  const otel = options.sinks.find((sink) => sink.type === 'opentelemetry')
  const inbox = createInbox(checked.queue.maxQueued, clock, (make) => {
    let record: CallRecord | undefined
    try {
      record = make()
      handOut(record)
    } catch (error) {
      logger.error({ error, callId: record?.callId }, 'A call could not be recorded.')
    }
  })

  function handOut(original: CallRecord): void {
    const { record, bytes } = redactRecord(original, checked.redact)
    const bare = withoutBodies(record)
    for (const { queue, on, bodies } of sinks) {
      if (on === 'all' || on === record.status) queue.add(bodies ? record : bare, bytes)
    }
  }

  function event(happened: CallbackEvent): void {
    for (const { queue } of sinks) queue.addEvent(happened)
  }

  const told = sinks.flatMap(({ queue: { addAttempt }, on }) => (addAttempt ? [{ addAttempt, on }] : []))
  const attempt = (ended: AttemptRecord, call: AttemptCall): void => {
    const status = ended.outcome === 'answered' ? 'success' : 'failure'
    const cleaned = redactAttempt(ended)
    for (const { addAttempt, on } of told) if (on === 'all' || on === status) addAttempt(cleaned, call)
  }

  const coming = new Set<Promise<void>>()
  const unknown = createUnknownCallers(clock, logger, event)
  return {
    bodies: checked.bodies,
    attempt: told.length > 0 ? attempt : undefined,
    expect(record) {
      coming.add(record)
      void record.finally(() => coming.delete(record))
    },
    admitsUnknown: (call) => unknown.admits(call),
    record(make) {
      if (sinks.length > 0) inbox.add(make)
    },
    event,
    trace: () => otel && activeTrace(otel.api),
    async close(deadlineMs) {
      await within(Promise.all(coming), deadlineMs, clock)
      inbox.close()
      unknown.close()
      await Promise.all(sinks.map(({ queue }) => queue.close(deadlineMs)))
    },
    get stats() {
      const own = stats()
      if (inbox.dropped === 0) return own
      return Object.fromEntries(
        Object.entries(own).map(([name, sink]) => [name, { ...sink, dropped: sink.dropped + inbox.dropped }]),
      )
    },
  }
}

type MakeRecord = () => CallRecord

interface Inbox {
  add(make: MakeRecord): void
  /** Hands out what is left, at once, and takes no more. */
  close(): void
  readonly dropped: number
}

/** Where a call leaves behind what its record is made of: whatever is done with it is done later, for many calls in a row. */
function createInbox(most: number, clock: Clock, handOut: (make: MakeRecord) => void): Inbox {
  let waiting: MakeRecord[] = []
  let next = 0
  let timer: Timer | undefined
  let dropped = 0
  let closed = false

  function work(): void {
    timer = undefined
    for (const make of waiting.slice(next, next + sliceSize)) handOut(make)
    next = Math.min(next + sliceSize, waiting.length)
    if (next < waiting.length) {
      timer = clock.setTimeout(work, 0)
      return
    }
    waiting = []
    next = 0
  }

  return {
    add(make) {
      if (closed || waiting.length - next >= most) {
        dropped += 1
        return
      }
      waiting.push(make)
      timer ??= clock.setTimeout(work, gatherMs)
    },
    close() {
      closed = true
      timer?.cancel()
      for (const make of waiting.slice(next)) handOut(make)
      waiting = []
      next = 0
    },
    get dropped() {
      return dropped
    },
  }
}

async function within(work: Promise<unknown>, milliseconds: number, clock: Clock): Promise<void> {
  let timer: Timer | undefined
  const late = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, milliseconds)
  })
  await Promise.race([work, late])
  timer?.cancel()
}

function check(options: CallbackOptions): z.output<typeof CallbackOptionsSchema> {
  const result = CallbackOptionsSchema.safeParse(options)
  if (result.success) return result.data
  const lines = result.error.issues.map(
    ({ path, message }) => `  ${path.map(String).join('.') || 'callbacks'}: ${message}`,
  )
  throw new TypeError(`The callbacks are not valid:\n${lines.join('\n')}`)
}
