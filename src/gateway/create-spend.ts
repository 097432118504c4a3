import { keepingAlive } from '../clock.js'
import type { Pricing } from '../call/accounts/pricing.js'
import type { Admission } from '../limits/admission.js'
import type {
  LedgerEntry,
  LedgerPage,
  LedgerQuery,
  LedgerStore,
  ScopeRef,
  SpendQuery,
  SpendRow,
} from '../ports/ledger.js'
import type { LedgerQueue } from '../spend/ledger-queue.js'
import type { UsageOutbox } from '../spend/usage-outbox.js'
import { type RepriceParts, type RepricedRow, repriceRow } from './reprice.js'

/** Which rows are priced again. */
export interface RepriceRange {
  /** At or after, in milliseconds since the epoch. @default the oldest row */
  readonly from?: number
  /** Before. @default now */
  readonly until?: number
}

/** What came of pricing rows again. */
export interface Repriced {
  /** Rows that changed. */
  readonly rows: number
  /** Rows whose price is still not known, or not in full. */
  readonly unpriced: number
  /** Pico-dollars that are charged in addition, or less where negative. */
  readonly charged: bigint
}

/** What was spent, for a host's own pages and jobs. Questions reject where the ledger does. */
export interface Spend {
  /** Rows, newest first. */
  query(query: LedgerQuery): Promise<LedgerPage>
  /** Sums by day, scope, model or provider; see `SpendQuery`. @throws GatewayError invalid_request */
  report(query: SpendQuery): Promise<readonly SpendRow[]>
  /** Pico-dollars (1e-12) charged to a scope; times in milliseconds since the epoch. */
  total(scope: ScopeRef, from: number, until?: number): Promise<bigint>
  /**
   * Prices the rows that are marked `priced: false` with today's prices: those of their deployments, of `spend.prices`,
   * or published ones. Corrects the sums, and the budgets that this process has counted in, which are added up from the
   * ledger once more; other processes' counters follow where they are shared. `onUsage` hears of each correction. May be
   * repeated.
   */
  reprice(range?: RepriceRange): Promise<Repriced>
  /** Writes the rows that wait; resolves to false where some are left after `deadlineMs`. @default 5,000 */
  flush(deadlineMs?: number): Promise<boolean>
  /** Rows that wait for the ledger. */
  readonly pending: number
  /** Rows that this gateway has written. */
  readonly written: number
  /** Rows that were given up, see the event `ledger_rows_lost`. */
  readonly lost: number
}

/** What spend is read from, and corrected in. */
export interface SpendParts extends RepriceParts {
  readonly ledger: LedgerStore
  readonly queue: LedgerQueue
  readonly pricing: Pick<Pricing, 'findNow' | 'ready'>
  readonly admission: Pick<Admission, 'recount'>
  /** Tells the host's billing; undefined where it has none. */
  readonly outbox: Pick<UsageOutbox, 'wake'> | undefined
  /** Unique names of events. */
  readonly createId: () => string
}

const flushMs = 5_000
const rowsAtOnce = 500

/** Builds `gateway.spend`. */
export function createSpend(parts: SpendParts): Spend {
  const { ledger, queue } = parts
  return {
    query: (query) => ledger.query(query),
    report: (query) => ledger.report(query),
    total: (scope, from, until) => ledger.total(scope, from, until),
    flush: (deadlineMs = flushMs) => keepingAlive(queue.flush(deadlineMs)),
    reprice: (range = {}) => reprice(range, parts),
    get pending() {
      return queue.pending
    },
    get written() {
      return queue.written
    },
    get lost() {
      return queue.lost
    },
  }
}

async function reprice(range: RepriceRange, parts: SpendParts): Promise<Repriced> {
  const { ledger, queue, pricing, admission, outbox, createId } = parts
  await pricing.ready()
  await queue.flush(flushMs)
  const total = { rows: 0, unpriced: 0, charged: 0n }
  const touched = new Map<string, ScopeRef>()
  let after: string | undefined
  try {
    do {
      const page = await ledger.query({
        ...range,
        priced: false,
        limit: rowsAtOnce,
        ...(after !== undefined && { after }),
      })
      const changes = page.entries.flatMap((row) => toChange(row, parts))
      const prices = changes.map(({ priced }) => (outbox ? { ...priced, tellAs: createId() } : priced))
      for (const { row } of changes) for (const scope of row.scopes) touched.set(`${scope.kind}\n${scope.id}`, scope)
      if (prices.length > 0) total.rows += await ledger.reprice(prices)
      outbox?.wake()
      total.unpriced += page.entries.length - changes.filter(({ priced }) => priced.priced).length
      for (const { row, priced } of changes) total.charged += priced.charged - row.charged
      after = page.next
    } while (after !== undefined)
  } finally {
    // Also where a later page fails: what was priced by then is not found by the next `reprice`.
    if (touched.size > 0) await admission.recount([...touched.values()])
  }
  return total
}

interface Change {
  readonly row: LedgerEntry
  readonly priced: RepricedRow
}

function toChange(row: LedgerEntry, parts: SpendParts): readonly Change[] {
  const priced = repriceRow(row, parts)
  return priced ? [{ row, priced }] : []
}
