import { within } from '../clock.js'
import { type LateOperations, createLateOperations } from '../late-operations.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { LedgerStore, UsageEvent } from '../ports/ledger.js'
import { createLedgerWriter } from './ledger-writer.js'

/** Tells the host's billing what the ledger keeps for it. */
export interface UsageOutbox {
  /** There are new events. */
  wake(): void
  /** Tells what is left, within the deadline, and stops; the rest stays in the ledger. */
  close(deadlineMs: number): Promise<void>
}

/** Settings of the outbox. */
export interface UsageOutboxOptions {
  readonly ledger: Pick<LedgerStore, 'takeEvents' | 'forgetEvents'>
  /** Takes events; has not where it rejects, or does not resolve within 10 s. */
  readonly onUsage: (events: readonly UsageEvent[]) => PromiseLike<void> | void
  readonly clock: Clock
  readonly logger: Logger
}

const mostAtOnce = 500
/** Another process finds what was taken by one that was killed. */
const takenMs = 60_000
const deadlineMs = 10_000
/** Questions that the ledger leaves unanswered at a time, and when one more is asked all the same. */
const maxHanging = 2
const stuckMs = 300_000
/** Events of other processes are looked for that often. */
const pollMs = 30_000
const firstPollMs = 1_000
const firstPauseMs = 250
const longestPauseMs = 10_000

/** Builds the outbox, and looks soon for what earlier processes left. */
export function createUsageOutbox(options: UsageOutboxOptions): UsageOutbox {
  const outbox = new Outbox(options)
  return {
    wake: () => outbox.wake(),
    close: (milliseconds) => outbox.close(milliseconds),
  }
}

class Outbox {
  readonly #options: UsageOutboxOptions
  /** Questions that the ledger leaves unanswered: each may hold a connection of the host's. */
  readonly #hanging: LateOperations
  /** Takes events as a ledger takes rows: with a deadline, and without more and more calls that hang. */
  readonly #billing: ReturnType<typeof createLedgerWriter>
  /** Events that were taken and are still to be told, until then. */
  #taken: readonly UsageEvent[] = []
  #takenUntil = 0
  /** Halved with every failure, so that one event that is refused holds up no others. */
  #batch = mostAtOnce
  /** Longer with every failure in a row; 0 while all goes well. */
  #pauseMs = 0
  #isWoken = false
  #isClosed = false
  #running: Promise<void> | undefined
  #timer: Timer | undefined

  constructor(options: UsageOutboxOptions) {
    const { clock, onUsage } = options
    this.#options = options
    this.#hanging = createLateOperations({ clock, most: maxHanging, stuckMs })
    this.#billing = createLedgerWriter({ store: { append: async (events) => onUsage(events) }, clock, deadlineMs })
    this.#runAfter(firstPollMs)
  }

  wake(): void {
    this.#isWoken = true
    // After a failure the pause is waited for.
    if (!this.#isClosed && !this.#running && this.#pauseMs === 0) void this.#run()
  }

  async close(milliseconds: number): Promise<void> {
    const { clock } = this.#options
    const until = clock.now() + milliseconds
    this.#isClosed = true
    while (clock.now() < until) {
      await this.#settles(this.#run(), until)
      if (this.#pauseMs === 0) break
      await this.#settles(never, Math.min(until, clock.now() + this.#pauseMs))
    }
    this.#timer?.cancel()
  }

  /** Waits for something, but no longer than until then. */
  async #settles(work: Promise<void>, until: number): Promise<void> {
    const { clock } = this.#options
    await within(clock, Math.max(until - clock.now(), 0), () => work).catch(() => {})
  }

  #runAfter(milliseconds: number): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.setTimeout(() => void this.#run(), milliseconds)
  }

  #run(): Promise<void> {
    this.#running ??= this.#tellAll().finally(() => {
      this.#running = undefined
      if (!this.#isClosed) this.#runAfter(this.#pauseMs || pollMs)
    })
    return this.#running
  }

  /** Never rejects: what fails is tried again after a pause. */
  async #tellAll(): Promise<void> {
    const { logger } = this.#options
    try {
      while (await this.#tellSome()) {
        if (this.#pauseMs > 0) logger.info({}, 'onUsage takes events')
        this.#pauseMs = 0
      }
      this.#pauseMs = 0
    } catch (error) {
      if (this.#pauseMs === 0) logger.warn({ error }, 'events wait for onUsage')
      this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, firstPauseMs), longestPauseMs)
    }
  }

  /** False where nothing is left. */
  async #tellSome(): Promise<boolean> {
    // What it cannot tell is left to others.
    if (this.#billing.isStuck) throw new Error('earlier calls of onUsage hang')
    if (this.#taken.length === 0 || this.#options.clock.now() >= this.#takenUntil) await this.#take()
    const events = this.#taken.slice(0, this.#batch)
    if (events.length === 0) return this.#isWoken
    const rest = this.#taken.slice(events.length)
    const { done, error } = await this.#billing.append(events)
    if (!done) {
      this.#taken = [...rest, ...events]
      this.#batch = Math.max(1, events.length >> 1)
      throw error
    }
    this.#taken = rest
    this.#batch = Math.min(mostAtOnce, this.#batch * 2)
    await this.#ask((ledger) => ledger.forgetEvents(events.map(({ id }) => id)))
    return true
  }

  async #take(): Promise<void> {
    const now = this.#options.clock.now()
    this.#isWoken = false
    // What was taken and is too old is anybody's again.
    this.#taken = []
    this.#takenUntil = now + takenMs
    this.#taken = await this.#ask((ledger) => ledger.takeEvents({ limit: mostAtOnce, now, until: now + takenMs }))
  }

  async #ask<T>(question: (ledger: UsageOutboxOptions['ledger']) => Promise<T>): Promise<T> {
    const { clock, ledger } = this.#options
    if (!this.#hanging.mayAsk) throw new Error('earlier questions to the ledger hang')
    let isOver = false
    let settled = this.#hanging.asked()
    const ask = async (): Promise<T> => {
      try {
        return await question(ledger)
      } finally {
        isOver = true
        settled()
      }
    }
    try {
      return await within(clock, deadlineMs, ask)
    } finally {
      if (!isOver) settled = this.#hanging.add()
    }
  }
}

const never = new Promise<void>(() => {})
