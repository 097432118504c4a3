import { GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import {
  type CounterLevel,
  type CounterStore,
  type Hold,
  type Reservation,
  type ReserveOptions,
  type ReserveResult,
  type SeededCounter,
  type Shortage,
  settledMemoryMs,
} from '../ports/counters.js'
import { type LiveReservation, LiveReservations } from './live-reservations.js'
import { RecentNames } from './recent-names.js'
import { SlidingWindow } from './sliding-window.js'

/** How many counters are kept in this process. */
export interface MemoryCountersOptions {
  readonly clock: Pick<Clock, 'now'>
  /**
   * Counters that still matter are never dropped: budgets whose window goes on, rates with something in their window,
   * slots in use. Where there are this many of them, a reservation that needs another one is rejected. @default 500,000
   */
  readonly maxCounters?: number
}

interface Budget {
  readonly kind: 'budget'
  held: number
  endsAt: number | undefined
  /** Undefined: missing, though something may be held. */
  account: Account | undefined
}

/** What a budget has spent: the ledger's rows from before `until`, and what was settled with a later date. */
interface Account {
  ledger: number
  settled: number
  readonly until: number
}

interface Rate {
  readonly kind: 'rate'
  readonly window: SlidingWindow
}

interface Lease {
  readonly kind: 'lease'
  held: number
}

type Counter = Budget | Rate | Lease

const fewCounters = 1_024
const searchPauseMs = 1_000

/** Counts in this process: exact, without timers, nothing outlives its use. Two processes know nothing of each other. */
export function createMemoryCounters({ clock, maxCounters = 500_000 }: MemoryCountersOptions): CounterStore {
  return new MemoryCounters(clock, maxCounters)
}

class MemoryCounters implements CounterStore {
  readonly #clock: Pick<Clock, 'now'>
  readonly #maxCounters: number
  readonly #counters = new Map<string, Counter>()
  readonly #live = new LiveReservations()
  readonly #ended: RecentNames
  /** How many counters there may be before the idle ones are looked for again, and not before when. */
  #searchAbove = fewCounters
  #searchAfter = 0

  constructor(clock: Pick<Clock, 'now'>, maxCounters: number) {
    this.#clock = clock
    this.#maxCounters = maxCounters
    this.#ended = new RecentNames(settledMemoryMs, clock.now())
  }

  async reserve(holds: readonly Hold[], { id, tenant, ttlMs }: ReserveOptions): Promise<ReserveResult> {
    const now = this.#sweep()
    const known = this.#live.get(id)
    if (known) return { granted: known.reservation }
    const keys = holds.map((hold) => keyOf(tenant, hold.counter))
    const missing = holds.filter((hold, at) => hold.kind === 'budget' && !this.#account(keys[at]))
    if (missing.length > 0) return { missing: missing.map((hold) => hold.counter) }
    const refused = this.#shortage(holds, keys, now)
    if (refused) return { refused }
    this.#makeRoom(keys, now)
    const parts = holds.map((hold, at) => take(this.#open(keys[at] ?? '', hold), hold, { id, now }))
    const used = keys.map((key) => usedOf(this.#counters.get(key)))
    const reservation: Reservation = { id, tenant, holds, used }
    this.#live.put({ reservation, parts, expiresAt: now + ttlMs }, ttlMs)
    return { granted: reservation }
  }

  async renew(reservations: readonly Reservation[], ttlMs: number): Promise<readonly string[]> {
    const now = this.#sweep()
    return reservations.flatMap(({ id }) => {
      const live = this.#live.get(id)
      if (!live) return [id]
      this.#live.put({ ...live, expiresAt: now + ttlMs }, ttlMs)
      return []
    })
  }

  async settle(
    reservation: Reservation,
    actual: readonly number[],
    at: number,
  ): Promise<readonly (number | undefined)[]> {
    return this.#end(reservation, (counter, amount) => spend(counter, amount, at), actual)
  }

  async release(reservation: Reservation): Promise<void> {
    this.#end(reservation, () => undefined, [])
  }

  async seed(tenant: string, counters: readonly SeededCounter[]): Promise<void> {
    const now = this.#sweep()
    for (const { counter, spent, until, endsAt } of counters) {
      const key = keyOf(tenant, counter)
      this.#makeRoom([key], now)
      const budget = this.#open(key, { counter, kind: 'budget', amount: 0, limit: 0, endsAt })
      if (budget.kind !== 'budget') continue
      if (!budget.account) budget.account = { ledger: spent, settled: 0, until }
      else if (budget.account.until === until) budget.account.ledger = spent
    }
  }

  async forget(tenant: string, counters: readonly string[]): Promise<void> {
    for (const counter of counters) {
      const budget = this.#counters.get(keyOf(tenant, counter))
      if (budget?.kind === 'budget') budget.account = undefined
    }
  }

  async read(tenant: string, holds: readonly Hold[]): Promise<readonly CounterLevel[]> {
    const now = this.#sweep()
    return holds.map(({ counter }) => {
      const found = this.#counters.get(keyOf(tenant, counter))
      if (found?.kind === 'rate') found.window.sweep(now)
      return levelOf(found)
    })
  }

  /** Gives back what expired reservations held. */
  #sweep(): number {
    const now = this.#clock.now()
    for (const live of this.#live.takeExpired(now)) giveBack(live)
    return now
  }

  /** Ends a reservation once; a second time gives the empty list. */
  #end(
    reservation: Reservation,
    count: (counter: Budget, amount: number) => number | undefined,
    actual: readonly number[],
  ): readonly (number | undefined)[] {
    const now = this.#sweep()
    const { id, tenant, holds } = reservation
    if (this.#ended.has(id)) return []
    this.#ended.add(id, now)
    const live = this.#live.get(id)
    this.#live.delete(id)
    if (live) giveBack(live)
    return holds.map((hold, at) => {
      if (hold.kind === 'lease') return undefined
      const key = keyOf(tenant, hold.counter)
      const counter = this.#counters.get(key)
      const amount = actual[at] ?? 0
      if (counter?.kind === 'budget') return count(counter, amount)
      if (hold.kind === 'rate') this.#trueUp({ hold, key, id, part: live?.parts[at], amount, now })
      return undefined
    })
  }

  #trueUp({ hold, key, id, part, amount, now }: TrueUp): void {
    const rate = this.#counters.get(key)
    if (rate?.kind === 'rate') {
      rate.window.sweep(now)
      const taken = part && 'leavesAt' in part ? part : rate.window.find(id)
      if (taken) rate.window.lower(taken, amount)
    }
    const excess = amount - hold.amount
    if (excess <= 0) return
    const opened = this.#open(key, hold)
    if (opened.kind === 'rate') opened.window.take(id, excess, now + (hold.windowMs ?? 0))
  }

  #account(key: string | undefined): Account | undefined {
    const counter = key === undefined ? undefined : this.#counters.get(key)
    return counter?.kind === 'budget' ? counter.account : undefined
  }

  #shortage(holds: readonly Hold[], keys: readonly string[], now: number): Shortage | undefined {
    let longest: { shortage: Shortage; wait: number } | undefined
    holds.forEach((hold, index) => {
      const counter = this.#counters.get(keys[index] ?? '')
      if (counter?.kind === 'rate') counter.window.sweep(now)
      const used = usedOf(counter)
      if (used + hold.amount <= hold.limit) return
      const wait = waitFor(hold, counter, now)
      if (longest && wait <= longest.wait) return
      const isKnown = wait < Infinity && hold.kind !== 'lease'
      longest = { wait, shortage: { index, used, retryAfterMs: isKnown ? wait : undefined } }
    })
    return longest?.shortage
  }

  #open(key: string, hold: Hold): Counter {
    const known = this.#counters.get(key)
    if (known) return known
    const made = createCounter(hold)
    this.#counters.set(key, made)
    return made
  }

  /** @throws GatewayError unavailable where all counters matter and there may be no more of them */
  #makeRoom(keys: readonly string[], now: number): void {
    const needed = keys.filter((key) => !this.#counters.has(key)).length
    const wanted = this.#counters.size + needed
    if (needed === 0 || wanted <= Math.min(this.#searchAbove, this.#maxCounters)) return
    if (now >= this.#searchAfter) {
      for (const [key, counter] of this.#counters) {
        if (isIdle(counter, now) && !keys.includes(key)) this.#counters.delete(key)
      }
      this.#searchAbove = Math.max(fewCounters, this.#counters.size * 2)
      this.#searchAfter = now + searchPauseMs
    }
    if (this.#counters.size + needed <= this.#maxCounters) return
    throw new GatewayError('unavailable', 'There are more budgets and limits in use than maxCounters allows.')
  }
}

interface TrueUp {
  readonly hold: Hold
  readonly key: string
  /** Of the reservation. */
  readonly id: string
  /** What it took, where it still lives. */
  readonly part: LiveReservation['parts'][number] | undefined
  readonly amount: number
  readonly now: number
}

const keyOf = (tenant: string, counter: string): string => `${tenant} ${counter}`

function createCounter({ kind, endsAt }: Hold): Counter {
  if (kind === 'budget') return { kind, held: 0, endsAt, account: undefined }
  return kind === 'lease' ? { kind, held: 0 } : { kind, window: new SlidingWindow() }
}

function take(
  counter: Counter,
  hold: Hold,
  { id, now }: { id: string; now: number },
): LiveReservation['parts'][number] {
  if (counter.kind === 'rate') return counter.window.take(id, hold.amount, now + (hold.windowMs ?? 0))
  counter.held += hold.amount
  return counter
}

/** Lets go of what a reservation held. What it took of rates leaves by itself. */
function giveBack({ reservation, parts }: LiveReservation): void {
  parts.forEach((part, at) => {
    if ('held' in part) part.held -= reservation.holds[at]?.amount ?? 0
  })
}

function spend(budget: Budget, amount: number, at: number): number | undefined {
  const { account } = budget
  if (!account || at < account.until) return undefined
  account.settled += amount
  return account.ledger + account.settled
}

function usedOf(counter: Counter | undefined): number {
  const { used, held } = levelOf(counter)
  return used + held
}

function levelOf(counter: Counter | undefined): CounterLevel {
  if (!counter) return { used: 0, held: 0 }
  if (counter.kind === 'rate') return { used: counter.window.total, held: 0 }
  if (counter.kind === 'lease') return { used: 0, held: counter.held }
  const { account, held } = counter
  return { used: account ? account.ledger + account.settled : 0, held, seededUntil: account?.until }
}

/** Milliseconds until the hold fits at the latest; Infinity where nobody knows, 0 for a slot, which any call may free. */
function waitFor({ kind, amount, limit, endsAt }: Hold, counter: Counter | undefined, now: number): number {
  if (amount > limit) return Infinity
  if (counter?.kind === 'rate') return (counter.window.freesAt(counter.window.total + amount - limit) ?? now) - now
  if (kind === 'budget') return endsAt === undefined ? Infinity : Math.max(0, endsAt - now)
  return 0
}

function isIdle(counter: Counter, now: number): boolean {
  if (counter.kind === 'lease') return counter.held === 0
  if (counter.kind === 'budget') return counter.held === 0 && counter.endsAt !== undefined && counter.endsAt <= now
  counter.window.sweep(now)
  return counter.window.isEmpty
}
