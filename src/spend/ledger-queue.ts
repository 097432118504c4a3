import { randomUUID } from 'node:crypto'
import type { Clock, Logger, Timer } from '../ports.js'
import type { LedgerEntry, LedgerStore } from '../ports/ledger.js'
import { type Chunk, createChunks } from './ledger-chunks.js'
import { createLedgerFiles } from './ledger-files.js'
import { openLedgerJournal } from './ledger-journal.js'
import { createLedgerWriter } from './ledger-writer.js'

/** Why a row never reached the store: no room was left, the store refuses this very row, or the process ended. */
export type LossReason = 'full' | 'refused' | 'closed'

/** Settings of the queue in front of a ledger. */
export interface LedgerQueueOptions {
  readonly store: Pick<LedgerStore, 'append'>
  readonly clock: Clock
  readonly logger: Logger
  /** Where rows lie until the store has them, so that a killed process loses none. @default memory only */
  readonly journalDirectory?: string | undefined
  /** Rows held in memory while the store is away. @default 100,000 */
  readonly maxQueued?: number
  /** Rows held in the journal beyond those. @default 1,000,000 */
  readonly maxJournaled?: number
  /** Rows written at once. @default 1,000 */
  readonly batchSize?: number
  /** How long a row waits for others to be written with, in milliseconds. @default 200 */
  readonly delayMs?: number
  /** How long the store may take for a batch, in milliseconds. @default 10,000 */
  readonly deadlineMs?: number
  /** Hears of every row that is given up. @default they are only logged and counted */
  readonly onOverflow?: (entries: readonly LedgerEntry[], reason: LossReason) => void
  /** Names the journal's files. @default random */
  readonly createId?: () => string
}

/** Takes rows off the path of calls, and sees to it that the store gets each of them. */
export interface LedgerQueue {
  /** Returns at once and never throws. */
  add(entry: LedgerEntry): void
  /** Writes without waiting for more; resolves to true when nothing is left, to false after `deadlineMs`. */
  flush(deadlineMs: number): Promise<boolean>
  /** Writes what waits at this moment, for whoever adds rows up; not while the store takes none, nor for longer than this. */
  catchUp(deadlineMs: number): Promise<void>
  /** Flushes and stops. What the store did not take stays in the journal; without one it is given up. */
  close(deadlineMs: number): Promise<void>
  /** Rows that wait for the store. */
  readonly pending: number
  /** Rows that the store took. */
  readonly written: number
  /** Rows that were given up. */
  readonly lost: number
}

const triesBeforeSearch = 3
const firstPauseMs = 250
const longestPauseMs = 2_000

/** Builds the queue, and takes over what earlier processes left in the journal. */
export function createLedgerQueue(options: LedgerQueueOptions): LedgerQueue {
  const { clock, logger, maxQueued = 100_000, delayMs = 200, createId = randomUUID } = options
  const { journalDirectory: directory, deadlineMs = 10_000 } = options
  const journal = directory === undefined ? undefined : openLedgerJournal(directory, createId)
  const files = journal && createLedgerFiles(journal, logger)
  const { maxJournaled = 1_000_000, batchSize = 1_000 } = options
  const chunks = createChunks({ maxQueued, maxJournaled, batchSize, newFile: journal?.newFile })
  const writer = createLedgerWriter({ store: options.store, clock, deadlineMs })
  let timer: Timer | undefined
  /** The timer is one that does not wait. */
  let isAtOnce = false
  let writing: Promise<void> | undefined
  /** Longer with every failure in a row; 0 while the store takes rows. */
  let pauseMs = 0
  let closed = false
  let [written, lost] = [0, 0]

  function lose(entries: readonly LedgerEntry[], reason: LossReason): void {
    if (entries.length === 0) return
    lost += entries.length
    const ids = entries.slice(0, 10).map(({ id }) => id)
    logger.error({ reason, rows: entries.length, lost, ids }, 'ledger rows are lost')
    try {
      options.onOverflow?.(entries, reason)
    } catch (error) {
      logger.error({ error }, 'onOverflow failed')
    }
  }

  function add(entry: LedgerEntry): void {
    if (closed && !files) return lose([entry], 'closed')
    const chunk = (files?.unsaved ?? 0) < 2 * maxQueued ? chunks.add(entry) : undefined
    if (!chunk) return lose([entry], 'full')
    files?.save(chunk)
    schedule()
  }

  function schedule(): void {
    if (writing || closed || chunks.isEmpty) return
    const isDue = chunks.isDue && pauseMs === 0
    if (timer && (isAtOnce || !isDue)) return
    timer?.cancel()
    isAtOnce = isDue
    timer = clock.setTimeout(() => void write(), isDue ? 0 : pauseMs || delayMs)
  }

  /** Seals what is there, and writes until nothing sealed is left or the store fails. */
  function write(): Promise<void> {
    timer?.cancel()
    timer = undefined
    chunks.seal()
    writing ??= writeAll().finally(() => {
      writing = undefined
      schedule()
    })
    return writing
  }

  async function writeAll(): Promise<void> {
    for (let chunk = chunks.first(); chunk; chunk = chunks.first()) {
      if (!(await writeChunk(chunk))) {
        pauseMs = Math.min(Math.max(pauseMs * 2, firstPauseMs), longestPauseMs)
        return
      }
      if (pauseMs > 0) logger.info({ pending: chunks.pending }, 'the ledger store takes rows')
      pauseMs = 0
    }
  }

  /** True when the chunk is done with. */
  async function writeChunk(chunk: Chunk): Promise<boolean> {
    const rows = chunk.rows ?? (await files?.load(chunk))
    if (!rows) return false
    chunks.recount(chunk, rows.length)
    const attempt = await writer.append(rows)
    if (attempt.done) return finish(chunk, rows)
    chunk.failures += 1
    if (pauseMs === 0) logger.warn({ error: attempt.error, pending: chunks.pending }, 'the ledger store takes no rows')
    if (attempt.away || chunk.failures < triesBeforeSearch) return false
    const refused = await writer.findRefused(rows)
    if (refused) return finish(chunk, rows, refused)
    chunks.postpone(chunk)
    return false
  }

  function finish(chunk: Chunk, rows: readonly LedgerEntry[], refused: readonly LedgerEntry[] = []): true {
    chunks.remove(chunk)
    files?.remove(chunk)
    written += rows.length - refused.length
    lose(refused, 'refused')
    return true
  }

  async function flush(milliseconds: number): Promise<boolean> {
    const until = clock.now() + milliseconds
    await within(clock, milliseconds, files?.idle())
    while (!chunks.isEmpty) {
      if (clock.now() >= until) return false
      await within(clock, until - clock.now(), write())
      if (pauseMs > 0 && !chunks.isEmpty) await within(clock, Math.min(pauseMs, until - clock.now()), never)
    }
    return true
  }

  async function writeOnce(): Promise<void> {
    // Whoever asks meanwhile shares the next write: each has a batch of its own only where nobody else asks.
    await writing
    if (pauseMs === 0 && !chunks.isEmpty) await write()
  }

  async function close(milliseconds: number): Promise<void> {
    await flush(milliseconds)
    closed = true
    timer?.cancel()
    await within(clock, Math.max(milliseconds, 1_000), files?.idle())
    lose(chunks.unsafe(), 'closed')
  }

  files?.adopt((file) => {
    chunks.adopt(file)
    schedule()
  })

  return {
    add,
    flush,
    catchUp: (milliseconds) => within(clock, milliseconds, chunks.isEmpty ? undefined : writeOnce()),
    close,
    get pending() {
      return chunks.pending
    },
    get written() {
      return written
    },
    get lost() {
      return lost
    },
  }
}

const never = new Promise<void>(() => {})

/** Waits for something, but no longer than this. */
async function within(clock: Clock, milliseconds: number, work: Promise<unknown> | undefined): Promise<void> {
  if (!work) return
  let timer: Timer | undefined
  const late = new Promise<void>((resolve) => {
    timer = clock.setTimeout(resolve, Math.max(milliseconds, 0))
  })
  await Promise.race([work, late])
  timer?.cancel()
}
