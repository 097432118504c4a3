import type { Clock, Logger, Timer } from '../ports.js'
import type { AttemptCall, AttemptRecord, CallRecord, CallbackEvent } from '../ports/callback.js'
import { DeliveryError } from './http.js'
import type { Delivery, Sink, SinkStats } from './sink.js'

/** How patient queues are; see `CallbackOptions.queue`. */
export interface QueueLimits {
  readonly maxQueued: number
  readonly maxQueuedBytes: number
  readonly delayMs: number
  readonly deadlineMs: number
  readonly maxTries: number
}

/** What a queue is built with. */
export interface QueueParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly limits: QueueLimits
}

/** A bounded queue in front of one sink. */
export interface SinkQueue {
  readonly name: string
  /** Takes a record of roughly so many bytes, or drops it and counts that. Never throws. */
  add(record: CallRecord, bytes: number): void
  addEvent(event: CallbackEvent): void
  /** Undefined where the sink is not told of attempts. */
  readonly addAttempt: ((attempt: AttemptRecord, call: AttemptCall) => void) | undefined
  /** Sends what waits without delay, until the deadline; then drops it. */
  close(deadlineMs: number): Promise<void>
  readonly stats: SinkStats
}

interface Waiting<Item> {
  readonly item: Item
  readonly bytes: number
  tries: number
}

const firstPauseMs = 500
const longestPauseMs = 30_000
/** Between tries when the gateway closes. */
const closingPauseMs = 100
const eventBytes = 1_000
const defaultBatchBytes = 1_000_000

/** Builds the queue of a sink. */
export function createSinkQueue<Item>(sink: Sink<Item>, { clock, logger, limits }: QueueParts): SinkQueue {
  let waiting: Waiting<Item>[] = []
  const idle: (() => void)[] = []
  let [underWay, items, bytes] = [0, 0, 0]
  let [delivered, dropped, failed] = [0, 0, 0]
  let timer: Timer | undefined
  let firesAt = 0
  /** Longer with every failure in a row; 0 while the sink takes records. */
  let pauseMs = 0
  /** No delivery starts before. */
  let restUntil = 0
  let closing = false
  let closed = false

  function push(item: Item, weight: number): void {
    if (closed || items >= limits.maxQueued || bytes + weight > limits.maxQueuedBytes) return drop(1)
    items += 1
    bytes += weight
    waiting.push({ item, bytes: weight, tries: 0 })
    schedule()
  }

  function drop(count: number): void {
    if (dropped === 0) logger.warn({ sink: sink.name }, 'A callback drops records.')
    dropped += count
  }

  /** Runs what is the sink's own; a fault of it costs this one item. */
  function guard(make: () => Item | undefined, weight: number): void {
    try {
      const item = make()
      if (item !== undefined) push(item, weight)
    } catch (error) {
      fail(1, error)
    }
  }

  function fail(count: number, error: unknown): void {
    if (failed === 0) logger.warn({ sink: sink.name, error }, 'A callback lost records.')
    failed += count
  }

  function schedule(): void {
    if (closed || waiting.length === 0 || underWay >= sink.parallel) return
    const due = closing || waiting.length >= sink.batchSize
    // Set for an older record, whose time is over before.
    if (timer && !due) return
    const now = clock.now()
    const at = Math.max(restUntil, now + (due ? 0 : (sink.delayMs ?? limits.delayMs)))
    if (timer && at >= firesAt) return
    timer?.cancel()
    firesAt = at
    timer = clock.setTimeout(start, at - now)
  }

  function start(): void {
    timer = undefined
    // One at a time until it is known whether the sink is back.
    const lanes = pauseMs > 0 ? 1 : sink.parallel
    while (waiting.length > 0 && underWay < lanes) void run(nextBatch())
  }

  function nextBatch(): readonly Waiting<Item>[] {
    const length = batchLength()
    if (length < waiting.length) return waiting.splice(0, length)
    const batch = waiting
    waiting = []
    return batch
  }

  function batchLength(): number {
    const most = sink.batchBytes ?? defaultBatchBytes
    let [length, weight] = [0, 0]
    for (const entry of waiting) {
      weight += entry.bytes
      if (length >= sink.batchSize || (length > 0 && weight > most)) break
      length += 1
    }
    return length
  }

  async function run(batch: readonly Waiting<Item>[]): Promise<void> {
    underWay += 1
    try {
      const delivery = await within(clock, limits.deadlineMs, () =>
        sink.deliver(
          batch.map(({ item }) => item),
          limits.deadlineMs,
        ),
      )
      succeed(batch, delivery)
    } catch (error) {
      retreat(batch, error)
    }
    underWay -= 1
    if (items === 0) for (const told of idle.splice(0)) told()
    schedule()
  }

  function succeed(batch: readonly Waiting<Item>[], { again = [], refused = 0 }: Delivery<Item>): void {
    // Given up already, whatever became of it.
    if (closed) return
    if (pauseMs > 0) logger.info({ sink: sink.name, queued: items }, 'A callback takes records again.')
    pauseMs = 0
    if (refused > 0) fail(refused, 'refused')
    const wanted = new Set(again)
    const back = wanted.size === 0 ? [] : batch.filter(({ item }) => wanted.has(item))
    delivered += batch.length - back.length - refused
    forget(back.length === 0 ? batch : batch.filter((entry) => !back.includes(entry)))
    if (back.length > 0) putBack(back, undefined, 'not taken')
  }

  function retreat(batch: readonly Waiting<Item>[], error: unknown): void {
    if (closed) return
    const known = error instanceof DeliveryError ? error : undefined
    if (known && !known.retry) {
      fail(batch.length, error)
      return forget(batch)
    }
    if (pauseMs === 0) logger.warn({ sink: sink.name, error, queued: items }, 'A callback takes no records.')
    putBack(batch, known?.retryAfterMs, error)
  }

  /** Keeps a batch for later, but for what has been tried often enough. */
  function putBack(batch: readonly Waiting<Item>[], retryAfterMs: number | undefined, error: unknown): void {
    for (const entry of batch) entry.tries += 1
    const spent = batch.filter(({ tries }) => tries >= limits.maxTries)
    if (spent.length > 0) {
      fail(spent.length, error)
      forget(spent)
    }
    pauseMs = Math.min(Math.max(pauseMs * 2, firstPauseMs), longestPauseMs)
    const restMs = closing ? closingPauseMs : Math.max(pauseMs, Math.min(retryAfterMs ?? 0, longestPauseMs))
    restUntil = clock.now() + restMs
    waiting.unshift(...batch.filter(({ tries }) => tries < limits.maxTries))
  }

  function forget(batch: readonly Waiting<Item>[]): void {
    items -= batch.length
    for (const entry of batch) bytes -= entry.bytes
  }

  const stop = sink.start?.((item) => push(item, eventBytes))

  return {
    name: sink.name,
    add: (record, weight) => guard(() => sink.take(record), weight),
    addEvent: (event) => guard(() => sink.takeEvent?.(event), eventBytes),
    addAttempt: sink.takeAttempt && ((attempt, call) => guard(() => sink.takeAttempt?.(attempt, call), eventBytes)),
    async close(deadlineMs) {
      stop?.()
      closing = true
      restUntil = 0
      firesAt = Number.POSITIVE_INFINITY
      schedule()
      if (items > 0) {
        await within(clock, deadlineMs, () => new Promise<void>((resolve) => void idle.push(resolve))).catch(() => {})
      }
      closed = true
      timer?.cancel()
      if (items > 0) drop(items)
      waiting = []
      items = 0
      bytes = 0
    },
    get stats() {
      return { queued: items, delivered, dropped, failed }
    },
  }
}

/** Waits for something of a sink's, but no longer than this; what comes later is nobody's business. */
async function within<T>(clock: Clock, milliseconds: number, work: () => Promise<T>): Promise<T> {
  let timer: Timer | undefined
  const late = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(
      () => reject(new DeliveryError(`no answer within ${milliseconds} ms`, { retry: true })),
      milliseconds,
    )
  })
  try {
    return await Promise.race([late, work()])
  } finally {
    timer?.cancel()
  }
}
