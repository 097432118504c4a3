import { GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import {
  type CounterLevel,
  type CounterStore,
  type Hold,
  type ImmediateCounters,
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
  /** Of what was settled, what has a date at or after `at`. */
  split: { readonly at: number; settled: number } | undefined
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
  /** By tenant, then by name: texts that callers keep are found faster than texts that are put together. */
  readonly #tenants = new Map<string, Map<string, Counter>>()
  #size = 0
  readonly #live = new LiveReservations()
  readonly #ended: RecentNames
  readonly immediate: ImmediateCounters = {
    reserve: (holds, options) => this.#reserve(holds, options),
    settle: (reservation, actual, at) => this.#settle(reservation, actual, at),
    release: (reservation) => void this.#end(reservation, forgive, []),
  }
  /** How many counters there may be before the idle ones are looked for again, and not before when. */
  #searchAbove = fewCounters
  #searchAfter = 0

  constructor(clock: Pick<Clock, 'now'>, maxCounters: number) {
    this.#clock = clock
    this.#maxCounters = maxCounters
    this.#ended = new RecentNames(settledMemoryMs, clock.now())
  }

  async reserve(holds: readonly Hold[], options: ReserveOptions): Promise<ReserveResult> {
    return this.#reserve(holds, options)
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
    return this.#settle(reservation, actual, at)
  }

  async release(reservation: Reservation): Promise<void> {
    this.#end(reservation, forgive, [])
  }

  async seed(tenant: string, counters: readonly SeededCounter[]): Promise<void> {
    const now = this.#sweep()
    for (const { counter, spent, until, endsAt } of counters) {
      const hold: Hold = { counter, kind: 'budget', amount: 0, limit: 0, endsAt }
      this.#makeRoom(tenant, [hold], now)
      const budget = this.#open(tenant, hold)
      if (budget.kind !== 'budget') continue
      budget.account = seededAccount(budget.account, spent, until)
    }
  }

  async split(tenant: string, counters: readonly string[], at: number): Promise<void> {
    for (const counter of counters) {
      const budget = this.#tenants.get(tenant)?.get(counter)
      if (budget?.kind !== 'budget' || !budget.account || budget.account.until >= at) continue
      budget.account.split ??= { at, settled: 0 }
    }
  }

  async forget(tenant: string, counters: readonly string[]): Promise<void> {
    for (const counter of counters) {
      const budget = this.#tenants.get(tenant)?.get(counter)
      if (budget?.kind === 'budget') budget.account = undefined
    }
  }

  async read(tenant: string, holds: readonly Hold[]): Promise<readonly CounterLevel[]> {
    const now = this.#sweep()
    return holds.map(({ counter }) => {
      const found = this.#tenants.get(tenant)?.get(counter)
      if (found?.kind === 'rate') found.window.sweep(now)
      return levelOf(found)
    })
  }

  #reserve(holds: readonly Hold[], { id, tenant, ttlMs }: ReserveOptions): ReserveResult {
    const now = this.#sweep()
    const known = this.#live.get(id)
    if (known) return { granted: known.reservation }
    const counters = this.#tenants.get(tenant) ?? noCounters
    const missing = missingOf(holds, counters)
    if (missing.length > 0) return { missing }
    const refused = shortageOf(holds, counters, now)
    if (refused) return { refused }
    this.#makeRoom(tenant, holds, now)
    const parts: LiveReservation['parts'][number][] = []
    const used: number[] = []
    for (const hold of holds) {
      const counter = this.#open(tenant, hold)
      parts.push(take(counter, hold, id, now))
      used.push(usedOf(counter))
    }
    const reservation: Reservation = { id, tenant, holds, used }
    this.#live.put({ reservation, parts, expiresAt: now + ttlMs }, ttlMs)
    return { granted: reservation }
  }

  #settle(reservation: Reservation, actual: readonly number[], at: number): readonly (number | undefined)[] {
    return this.#end(reservation, (counter, amount) => spend(counter, amount, at), actual)
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
    const counters = this.#tenants.get(tenant) ?? noCounters
    return holds.map((hold, at) => {
      if (hold.kind === 'lease') return undefined
      const counter = counters.get(hold.counter)
      const amount = actual[at] ?? 0
      if (counter?.kind === 'budget') return count(counter, amount)
      if (hold.kind === 'rate') this.#trueUp({ hold, counter, reservation, part: live?.parts[at], amount, now })
      return undefined
    })
  }

  #trueUp({ hold, counter: rate, reservation: { id, tenant }, part, amount, now }: TrueUp): void {
    if (rate?.kind === 'rate') {
      rate.window.sweep(now)
      const taken = part && 'leavesAt' in part ? part : rate.window.find(id)
      if (taken) rate.window.lower(taken, amount)
    }
    const excess = amount - hold.amount
    if (excess <= 0) return
    const opened = this.#open(tenant, hold)
    if (opened.kind === 'rate') opened.window.take(id, excess, now + (hold.windowMs ?? 0))
  }

  #open(tenant: string, hold: Hold): Counter {
    const counters = this.#tenants.get(tenant) ?? new Map<string, Counter>()
    const known = counters.get(hold.counter)
    if (known) return known
    const made = createCounter(hold)
    counters.set(hold.counter, made)
    this.#tenants.set(tenant, counters)
    this.#size += 1
    return made
  }

  /** @throws GatewayError unavailable where all counters matter and there may be no more of them */
  #makeRoom(tenant: string, holds: readonly Hold[], now: number): void {
    const counters = this.#tenants.get(tenant) ?? noCounters
    let needed = 0
    for (const { counter } of holds) if (!counters.has(counter)) needed += 1
    if (needed === 0 || this.#size + needed <= Math.min(this.#searchAbove, this.#maxCounters)) return
    if (now >= this.#searchAfter) {
      this.#dropIdle(tenant, new Set(holds.map(({ counter }) => counter)), now)
      this.#searchAbove = Math.max(fewCounters, this.#size * 2)
      this.#searchAfter = now + searchPauseMs
    }
    if (this.#size + needed <= this.#maxCounters) return
    throw new GatewayError('unavailable', 'There are more budgets and limits in use than maxCounters allows.')
  }

  #dropIdle(asking: string, wanted: ReadonlySet<string>, now: number): void {
    for (const [tenant, counters] of this.#tenants) {
      for (const [name, counter] of counters) {
        if (!isIdle(counter, now) || (tenant === asking && wanted.has(name))) continue
        counters.delete(name)
        this.#size -= 1
      }
      if (counters.size === 0) this.#tenants.delete(tenant)
    }
  }
}

const noCounters: ReadonlyMap<string, Counter> = new Map()

function missingOf(holds: readonly Hold[], counters: ReadonlyMap<string, Counter>): readonly string[] {
  const missing: string[] = []
  for (const { kind, counter } of holds) {
    if (kind !== 'budget') continue
    const known = counters.get(counter)
    if (known?.kind !== 'budget' || !known.account) missing.push(counter)
  }
  return missing
}

function shortageOf(holds: readonly Hold[], counters: ReadonlyMap<string, Counter>, now: number): Shortage | undefined {
  let longest: { shortage: Shortage; wait: number } | undefined
  for (const [index, hold] of holds.entries()) {
    const counter = counters.get(hold.counter)
    if (counter?.kind === 'rate') counter.window.sweep(now)
    const used = usedOf(counter)
    if (used + hold.amount <= hold.limit) continue
    const wait = waitFor(hold, counter, now)
    if (longest && wait <= longest.wait) continue
    const isKnown = wait < Infinity && hold.kind !== 'lease'
    longest = { wait, shortage: { index, used, retryAfterMs: isKnown ? wait : undefined } }
  }
  return longest?.shortage
}

interface TrueUp {
  readonly hold: Hold
  readonly counter: Counter | undefined
  readonly reservation: Reservation
  /** What it took, where it still lives. */
  readonly part: LiveReservation['parts'][number] | undefined
  readonly amount: number
  readonly now: number
}

function createCounter({ kind, endsAt }: Hold): Counter {
  if (kind === 'budget') return { kind, held: 0, endsAt, account: undefined }
  return kind === 'lease' ? { kind, held: 0 } : { kind, window: new SlidingWindow() }
}

function take(counter: Counter, hold: Hold, id: string, now: number): LiveReservation['parts'][number] {
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

/** Of what is released nothing is counted. */
const forgive = (): undefined => undefined

function seededAccount(account: Account | undefined, spent: number, until: number): Account {
  if (!account) return { ledger: spent, settled: 0, until, split: undefined }
  const { ledger, settled, split } = account
  if (split?.at === until) {
    // Rows may be late; what was settled, rounded up call by call, is a little more than they are.
    return {
      ledger: Math.max(spent, ledger + settled - split.settled),
      settled: split.settled,
      until,
      split: undefined,
    }
  }
  if (account.until === until) account.ledger = Math.max(spent, ledger)
  return account
}

function spend(budget: Budget, amount: number, at: number): number | undefined {
  const { account } = budget
  if (!account || at < account.until) return undefined
  account.settled += amount
  if (account.split && at >= account.split.at) account.split.settled += amount
  return account.ledger + account.settled
}

function usedOf(counter: Counter | undefined): number {
  if (!counter) return 0
  if (counter.kind === 'rate') return counter.window.total
  if (counter.kind === 'lease') return counter.held
  const { account, held } = counter
  return account ? account.ledger + account.settled + held : held
}

function levelOf(counter: Counter | undefined): CounterLevel {
  if (!counter) return { used: 0, held: 0 }
  if (counter.kind === 'rate') return { used: counter.window.total, held: 0 }
  if (counter.kind === 'lease') return { used: 0, held: counter.held }
  const { account, held } = counter
  const used = account ? account.ledger + account.settled : 0
  return { used, held, seededUntil: account?.until, splitAt: account?.split?.at }
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
