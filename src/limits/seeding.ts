import type { Clock, Logger, Timer } from '../ports.js'
import type { CounterStore } from '../ports/counters.js'
import type { ScopeRef } from '../ports/ledger.js'
import { within } from '../clock.js'
import type { BudgetHold } from './holds.js'
import { picoToNano } from './money.js'

/** Which of the ledger's rows are added up. */
export interface SpendQuestion {
  readonly scope: ScopeRef
  /** Only rows whose `modelName` is this, or begins with what stands before a final `*`; undefined: all. */
  readonly model: string | undefined
  /** Dated at or after, in milliseconds since the epoch. */
  readonly from: number
  /** Dated before. */
  readonly until: number
}

/** Pico-dollars charged to a scope; exact for the rows that have arrived. */
export type LedgerTotal = (question: SpendQuestion) => Promise<bigint>

/** What seeding needs. */
export interface SeedingParts {
  readonly ledgerTotal: LedgerTotal
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds for one question to the ledger. */
  readonly ledgerDeadlineMs: number
  /** Where the ledger does not answer, `degrade` begins at nothing spent and adds up later; `refuse` rejects. */
  readonly onStoreFailure: 'degrade' | 'refuse'
}

/** Budget counters of one store, and the tenant that they belong to. */
export interface Account {
  readonly store: CounterStore
  readonly tenant: string
  readonly budget: BudgetHold
}

/** Brings what the ledger knows into counters that are missing, and again when rows may have come late. */
export interface Seeding {
  /** One question per counter at a time. @throws what the ledger or the store rejects with */
  seed(account: Account): Promise<void>
  /** The question that is under way for a counter, which never rejects; undefined where there is none. */
  running(account: Account): Promise<void> | undefined
  /** Adds up again, soon and twice more later: rows of other processes reach the ledger in batches, and calls go on. */
  recount(account: Account): void
  /**
   * Adds up again once, soon, unless that is to be anyway: for a counter that this process had no part in before, or not
   * for long, and which may miss what a process that was killed did not settle.
   */
  check(account: Account): void
  close(): void
}

// The last one finds what calls have spent that ran for long when the budget was set.
const recountAfterMs = [5_000, 60_000, 600_000]
// Further than clocks of processes are apart, and than a settlement is under way.
const splitAheadMs = 5_000
/** How long rows may take to reach the ledger. */
const rowsArriveMs = 5_000
/** After a question that was not answered. */
const againAfterMs = 1_000
const tickMs = 1_000
// After a restart all budgets in use are due within seconds of each other.
const recountsAtOnce = 4
// Beyond this, a counter stays as it was seeded. What waits for minutes leaves room for what comes soon.
const maxRecounts = 100_000
const maxLaterRecounts = 50_000
const soonMs = 30_000

interface Recount {
  readonly account: Account
  readonly due: number
  /** Place in `recountAfterMs`. */
  readonly stage: number
  /** The counter is to have begun anew after this, whichever process saw to it. */
  since: number
}

/** Builds the seeding of one admission. */
export function createSeeding(parts: SeedingParts): Seeding {
  return new CounterSeeding(parts)
}

class CounterSeeding implements Seeding {
  readonly #parts: SeedingParts
  readonly #running = new Map<CounterStore, Map<string, Promise<void>>>()
  readonly #recounts = new Map<CounterStore, Map<string, Recount>>()
  #waiting = 0
  #timer: Timer | undefined
  #isClosed = false

  constructor(parts: SeedingParts) {
    this.#parts = parts
  }

  async seed(account: Account): Promise<void> {
    const running = mapOf(this.#running, account.store)
    const key = keyOf(account)
    const known = running.get(key)
    if (known) return known
    const started = this.#seedNow(account).finally(() => running.delete(key))
    running.set(key, started)
    return started
  }

  running(account: Account): Promise<void> | undefined {
    return this.#running
      .get(account.store)
      ?.get(keyOf(account))
      ?.catch(() => {})
  }

  recount(account: Account): void {
    // One that comes soon is not put off.
    if (this.#recounts.get(account.store)?.get(keyOf(account))?.stage !== 0) this.#schedule(account, 0)
  }

  check(account: Account): void {
    if (this.#recounts.get(account.store)?.has(keyOf(account))) return
    this.#schedule(account, recountAfterMs.length - 1, recountAfterMs[0])
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  async #seedNow(account: Account): Promise<void> {
    const until = this.#parts.clock.now()
    const spent = await this.#totalIfTold(account, until)
    await this.#write(account, until, spent ?? 0)
    this.#schedule(account, 0, spent === undefined ? againAfterMs : undefined)
  }

  /** Undefined where the ledger does not answer and the budget may begin without it. */
  async #totalIfTold(account: Account, until: number): Promise<number | undefined> {
    try {
      return await this.#total(account, until)
    } catch (error) {
      if (this.#parts.onStoreFailure === 'refuse') throw error
      const { counter } = account.budget.hold
      this.#parts.logger.warn({ counter, error }, 'The ledger does not answer: a budget begins at nothing spent.')
      return undefined
    }
  }

  async #total({ budget: { scope, model, window } }: Account, until: number): Promise<number> {
    const { ledgerTotal, clock, ledgerDeadlineMs } = this.#parts
    const question = { scope: { kind: scope.kind, id: scope.id }, model, from: window.startsAt, until }
    return picoToNano(await within(clock, ledgerDeadlineMs, () => ledgerTotal(question)))
  }

  #write({ store, tenant, budget }: Account, until: number, spent: number): Promise<void> {
    return store.seed(tenant, [{ counter: budget.hold.counter, spent, until, endsAt: budget.window.endsAt }])
  }

  #schedule(account: Account, stage: number, afterMs = recountAfterMs[stage]): void {
    if (afterMs === undefined) return
    const due = this.#parts.clock.now() + afterMs
    this.#put({ account, stage, due, since: due })
  }

  #put(recount: Recount): void {
    if (this.#isClosed) return
    const { account } = recount
    const recounts = mapOf(this.#recounts, account.store)
    const key = keyOf(account)
    const known = recounts.get(key)
    // One that was asked for while this was under way is not put off.
    if (known && known.stage < recount.stage) return
    if (!known) {
      const isSoon = recount.due - this.#parts.clock.now() < soonMs
      if (this.#waiting >= (isSoon ? maxRecounts : maxLaterRecounts)) return
      this.#waiting++
    }
    recounts.set(key, recount)
    this.#timer ??= this.#parts.clock.setTimeout(() => void this.#tick(), tickMs)
  }

  async #tick(): Promise<void> {
    for (const due of this.#takeDue()) await this.#addUp(due)
    this.#timer = undefined
    if (this.#waiting > 0 && !this.#isClosed) {
      this.#timer = this.#parts.clock.setTimeout(() => void this.#tick(), tickMs)
    }
  }

  /** A few questions at a time, and none more after one that failed: a process must not storm the ledger. */
  async #addUp(due: readonly Recount[]): Promise<void> {
    for (let at = 0; at < due.length; at += recountsAtOnce) {
      const asked = await Promise.all(due.slice(at, at + recountsAtOnce).map((recount) => this.#again(recount)))
      const again = asked.filter((recount) => recount !== undefined)
      if (again.length === 0) continue
      // What failed comes last: it must not keep the others waiting for ever.
      for (const waiting of [...due.slice(at + recountsAtOnce), ...again]) this.#put(waiting)
      return
    }
  }

  /** By store, as one may be away and the other count in its place. */
  #takeDue(): readonly (readonly Recount[])[] {
    const now = this.#parts.clock.now()
    const taken: Recount[][] = []
    for (const recounts of this.#recounts.values()) {
      const open: Recount[] = []
      for (const [key, recount] of recounts) {
        if (recount.due > now) continue
        recounts.delete(key)
        this.#waiting--
        // A window that has ended is of no more interest.
        if ((recount.account.budget.window.endsAt ?? Infinity) > now) open.push(recount)
      }
      if (open.length > 0) taken.push(open)
    }
    return taken
  }

  /** Gives what is to be tried again, where the ledger or the store did not answer. */
  async #again(recount: Recount): Promise<Recount | undefined> {
    const { account, stage } = recount
    if (this.#isClosed) return recount
    try {
      const due = await this.#step(recount)
      if (due === undefined) this.#schedule(account, stage + 1)
      else this.#put({ ...recount, due })
      return undefined
    } catch (error) {
      const { counter } = account.budget.hold
      this.#parts.logger.debug({ counter, error }, 'A budget could not be added up again yet.')
      const now = this.#parts.clock.now()
      // Rows were late meanwhile: to begin anew before them is not enough.
      return { ...recount, due: now + againAfterMs, since: Math.max(recount.since, now) }
    }
  }

  /**
   * Begins a counter anew at a later date, so that it has all that the ledger has, whoever did not settle in it: splits it
   * a little ahead, and adds up the rows from before that once they have arrived. Gives when to go on; undefined when done.
   */
  async #step(recount: Recount): Promise<number | undefined> {
    const { account, stage, since } = recount
    const { store, tenant, budget } = account
    const { clock } = this.#parts
    const [level] = await store.read(tenant, [budget.hold])
    const { seededUntil, splitAt } = level ?? {}
    if (seededUntil === undefined) return undefined
    const isAnew = seededUntil >= since
    if (!isAnew && splitAt !== undefined && clock.now() >= splitAt + rowsArriveMs) {
      await this.#write(account, splitAt, await this.#total(account, splitAt))
      // Of a process that has not finished what it began, or was late with it.
      return splitAt < since ? clock.now() : undefined
    }
    // Also where another process has just begun anew: its clock may be ahead of this one's.
    if (stage === 0) await this.#write(account, seededUntil, await this.#total(account, seededUntil))
    if (isAnew) return undefined
    // Whoever has split it adds up; others see to it only where that process did not.
    if (splitAt !== undefined) return splitAt + 2 * rowsArriveMs
    return this.#split(recount)
  }

  async #split(recount: Recount): Promise<number> {
    const { clock } = this.#parts
    const { since, account } = recount
    const at = clock.now() + splitAheadMs
    // One that is carried out too late leaves out what was settled until then, and is followed by another.
    recount.since = at + 1
    await account.store.split(account.tenant, [account.budget.hold.counter], at)
    if (clock.now() < at) recount.since = since
    return at + rowsArriveMs
  }
}

function mapOf<V>(maps: Map<CounterStore, Map<string, V>>, store: CounterStore): Map<string, V> {
  const known = maps.get(store)
  if (known) return known
  const made = new Map<string, V>()
  maps.set(store, made)
  return made
}

function keyOf({ tenant, budget }: Account): string {
  return `${tenant} ${budget.hold.counter}`
}
