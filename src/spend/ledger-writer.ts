import { GatewayError } from '../errors.js'
import { createLateOperations } from '../late-operations.js'
import type { Clock } from '../ports.js'
import type { LedgerEntry, LedgerStore } from '../ports/ledger.js'

/** What came of one batch: done, or why not. */
export interface Attempt {
  readonly done: boolean
  /** No row is at fault: the store did not answer in time, or says itself that it takes none at the moment. */
  readonly away?: boolean
  readonly error?: unknown
}

/** Hands batches to a store, each with a deadline. */
export interface LedgerWriter {
  /** Earlier batches hang: nothing is handed over for a while. */
  readonly isStuck: boolean
  append(rows: readonly LedgerEntry[]): Promise<Attempt>
  /**
   * Writes the rows of a batch that failed as a whole, and gives those that the store refuses. Undefined where it refuses
   * whatever it is given: then the fault is not the rows'.
   */
  findRefused(rows: readonly LedgerEntry[]): Promise<readonly LedgerEntry[] | undefined>
}

interface LedgerWriterOptions {
  readonly store: Pick<LedgerStore, 'append'>
  readonly clock: Clock
  readonly deadlineMs: number
}

// A store that hangs may hold a connection of the host's for each attempt; what it never answers must not be the last.
const maxHanging = 2
const stuckMs = 300_000
const probes = 8
// An older row might have been pruned, and would be counted anew.
const goodForMs = 600_000

/** Builds a writer. */
export function createLedgerWriter({ store, clock, deadlineMs }: LedgerWriterOptions): LedgerWriter {
  const hanging = createLateOperations({ clock, most: maxHanging, stuckMs })
  /** A row that the store has taken, and takes again without counting it. */
  let accepted: LedgerEntry | undefined

  async function append(rows: readonly LedgerEntry[]): Promise<Attempt> {
    if (!hanging.mayAsk) return { done: false, away: true, error: new Error('earlier batches hang') }
    const answered = hanging.asked()
    return new Promise((resolve) => {
      let settled: (() => void) | undefined
      const error = new Error(`no answer within ${deadlineMs} ms`)
      const timer = clock.setTimeout(() => {
        settled = hanging.add()
        resolve({ done: false, away: true, error })
      }, deadlineMs)
      void attemptOf(() => store.append(rows)).then((result) => {
        timer.cancel()
        ;(settled ?? answered)()
        resolve(result)
      })
    })
  }

  /** Halves a batch until every row is either written or alone; undefined where the store fails meanwhile. */
  async function search(rows: readonly LedgerEntry[], good: LedgerEntry): Promise<readonly LedgerEntry[] | undefined> {
    if (rows.length === 0) return []
    const { done, away } = await append(rows)
    if (done) return []
    if (away) return undefined
    // It is the row's fault only if the store takes another one right after.
    if (rows.length === 1) return (await append([good])).done ? rows : undefined
    const middle = rows.length >> 1
    const first = await search(rows.slice(0, middle), good)
    const second = first && (await search(rows.slice(middle), good))
    return second && [...first, ...second]
  }

  return {
    get isStuck() {
      return !hanging.mayAsk
    },
    async append(rows) {
      const attempt = await append(rows)
      if (attempt.done) accepted = rows.at(-1) ?? accepted
      return attempt
    },
    async findRefused(rows) {
      const fresh = accepted && clock.now() - accepted.at < goodForMs ? [accepted] : []
      for (const row of [...fresh, ...spread(rows)]) {
        const { done, away } = await append([row])
        if (away) return undefined
        if (done) return search(rows, row)
      }
      return undefined
    },
  }
}

async function attemptOf(work: () => Promise<void>): Promise<Attempt> {
  try {
    await work()
    return { done: true }
  } catch (error) {
    return { done: false, away: GatewayError.isInstance(error) && awayKinds.has(error.kind), error }
  }
}

const awayKinds: ReadonlySet<string> = new Set(['unavailable', 'overloaded'])

/** A few rows from all over the batch. */
function spread(rows: readonly LedgerEntry[]): readonly LedgerEntry[] {
  const step = Math.max(1, Math.floor(rows.length / probes))
  return rows.filter((_, index) => index % step === 0).slice(0, probes)
}
