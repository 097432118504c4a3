import type { CounterLevel, Hold, Reservation, SeededCounter } from '../../src/ports/counters.js'

interface Past {
  readonly id: string
  readonly holds: readonly Hold[]
  readonly at: number
  expiresAt: number
  ended: 'settled' | 'released' | undefined
  actual: readonly number[]
  endedAt: number
}

interface NaiveAccount {
  ledger: number
  until: number
  settled: { readonly amount: number; readonly at: number; readonly isTold: boolean }[]
  split?: number | undefined
}

const sumOf = (list: NaiveAccount['settled']): number => list.reduce((sum, { amount }) => sum + amount, 0)

/** What a counter store does, written down without any thought of speed: everything that ever happened is looked through. */
export class NaiveCounters {
  readonly #past: Past[] = []
  readonly #accounts = new Map<string, NaiveAccount>()

  reserve(id: string, holds: readonly Hold[], { now, ttlMs }: { now: number; ttlMs: number }): string {
    const missing = holds.filter((hold) => hold.kind === 'budget' && !this.#accounts.has(hold.counter))
    if (missing.length > 0) return `missing ${missing.map(({ counter }) => counter).join()}`
    if (holds.some((hold) => this.#full(hold, now) + hold.amount > hold.limit)) return 'refused'
    this.#past.push({ id, holds, at: now, expiresAt: now + ttlMs, ended: undefined, actual: [], endedAt: 0 })
    return `granted ${holds.map((hold) => this.#full(hold, now)).join()}`
  }

  renew({ id }: Reservation, ttlMs: number, now: number): boolean {
    const past = this.#past.find((one) => one.id === id)
    if (!past || past.ended || past.expiresAt <= now) return false
    past.expiresAt = now + ttlMs
    return true
  }

  end({ id }: Reservation, actual: readonly number[] | undefined, { now, at }: { now: number; at: number }): string {
    const past = this.#past.find((one) => one.id === id)
    if (!past || past.ended) return 'ended before'
    past.ended = actual ? 'settled' : 'released'
    past.actual = actual ?? past.holds.map(() => 0)
    past.endedAt = now
    if (!actual) return 'released'
    const spent = past.holds.map((hold, index) => {
      const account = this.#accounts.get(hold.counter)
      if (hold.kind !== 'budget' || !account || at < account.until) return undefined
      const isTold = account.split !== undefined && at >= account.split
      account.settled.push({ amount: actual[index] ?? 0, at, isTold })
      return account.ledger + sumOf(account.settled)
    })
    return `settled ${spent.join()}`
  }

  seed({ counter, spent, until }: SeededCounter): void {
    const known = this.#accounts.get(counter)
    if (!known) this.#accounts.set(counter, { ledger: spent, until, settled: [] })
    else if (known.split === until) {
      const before = known.ledger + sumOf(known.settled.filter(({ isTold }) => !isTold))
      const settled = known.settled.filter(({ isTold }) => isTold).map((one) => ({ ...one, isTold: false }))
      this.#accounts.set(counter, { ledger: Math.max(spent, before), until, settled })
    } else if (known.until === until) known.ledger = Math.max(spent, known.ledger)
  }

  split(counter: string, at: number): void {
    const known = this.#accounts.get(counter)
    if (known && known.split === undefined && at > known.until) known.split = at
  }

  forget(counter: string): void {
    this.#accounts.delete(counter)
  }

  level(hold: Hold, now: number): CounterLevel {
    const account = this.#accounts.get(hold.counter)
    if (hold.kind === 'rate') return { used: this.#taken(hold, now), held: 0 }
    const held = this.#sum(hold, (past) => (!past.ended && past.expiresAt > now ? 'amount' : 'nothing'))
    return { used: account ? account.ledger + sumOf(account.settled) : 0, held }
  }

  #full(hold: Hold, now: number): number {
    const { used, held } = this.level(hold, now)
    return used + held
  }

  #taken(hold: Hold, now: number): number {
    return this.#each(hold, (past, own, actual) => {
      const windowMs = own.windowMs ?? 0
      const early = past.at + windowMs > now ? (past.ended ? Math.min(own.amount, actual) : own.amount) : 0
      const late = past.ended === 'settled' && past.endedAt + windowMs > now ? Math.max(0, actual - own.amount) : 0
      return early + late
    })
  }

  #sum(hold: Hold, what: (past: Past) => 'amount' | 'nothing'): number {
    return this.#each(hold, (past, own) => (what(past) === 'amount' ? own.amount : 0))
  }

  #each(hold: Hold, count: (past: Past, own: Hold, actual: number) => number): number {
    let sum = 0
    for (const past of this.#past) {
      past.holds.forEach((own, index) => {
        if (own.counter === hold.counter) sum += count(past, own, past.actual[index] ?? 0)
      })
    }
    return sum
  }
}
