import type { Clock, Logger, Timer } from '../ports.js'
import { type CounterStore, type Reservation, settledMemoryMs } from '../ports/counters.js'
import { forgetCounters } from './forget-counters.js'

/** The end of one reservation: settled by what was used, or released. */
export interface Ending {
  readonly store: CounterStore
  readonly reservation: Reservation
  /** Undefined: released. */
  readonly actual: readonly number[] | undefined
  /** The date of the ledger's rows. */
  readonly at: number
  /** Told what each budget has spent then, see `CounterStore.settle`. */
  readonly onSettled?: (spent: readonly (number | undefined)[]) => void
}

/** Ends reservations off the caller's path, and repeats what a store could not take. */
export interface Endings {
  end(ending: Ending): void
  /** Resolves when nothing is under way; what waits for its next try is not. */
  idle(): Promise<void>
  /** Tries once more what waits, has budgets forgotten that miss something, and stops. */
  close(): Promise<void>
}

/** What endings need. */
export interface EndingParts {
  readonly clock: Clock
  readonly logger: Logger
  /** How many may wait for a store that does not answer. @default 10,000 */
  readonly maxWaiting?: number
}

const retryMs = 500
const atOnce = 100
// Well within what a store remembers: a settlement whose answer was lost must not count twice.
const patienceMs = settledMemoryMs * 0.75
// Budgets that are to be forgotten wait by name: at most as many as the host has.
const maxForgotten = 100_000

interface Waiting {
  readonly ending: Ending
  readonly until: number
}

/**
 * Builds the endings of one admission. What cannot be settled in time is not lost: its budgets are forgotten as soon as
 * the store answers again, and the next call adds them up from the ledger.
 */
export function createEndings(parts: EndingParts): Endings {
  return new ReservationEndings(parts)
}

/** False where the store is not in this process, or did not take it. */
function endNow({ store: { immediate }, reservation, actual, at, onSettled }: Ending): boolean {
  if (!immediate) return false
  try {
    if (!actual) immediate.release(reservation)
    else {
      const spent = immediate.settle(reservation, actual, at)
      onSettled?.(spent)
    }
    return true
  } catch {
    return false
  }
}

class ReservationEndings implements Endings {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #maxWaiting: number
  readonly #running = new Set<Promise<boolean>>()
  #waiting: Waiting[] = []
  readonly #forgotten = new Map<CounterStore, Map<string, Set<string>>>()
  #forgottenCount = 0
  #timer: Timer | undefined
  #isClosed = false

  constructor({ clock, logger, maxWaiting = 10_000 }: EndingParts) {
    this.#clock = clock
    this.#logger = logger
    this.#maxWaiting = maxWaiting
  }

  end(ending: Ending): void {
    if (!endNow(ending)) this.#start({ ending, until: this.#clock.now() + patienceMs })
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  async close(): Promise<void> {
    await this.idle()
    this.#timer?.cancel()
    const waiting = this.#waiting
    this.#waiting = []
    for (const one of waiting) this.#start(one)
    this.#isClosed = true
    await this.idle()
    await this.#forget()
    if (this.#waiting.length > 0) {
      this.#logger.warn({ count: this.#waiting.length }, 'Calls were not settled in the counters; the ledger has them.')
    }
  }

  #start(waiting: Waiting): void {
    const run = this.#run(waiting).finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  /** False where the store could not take it. */
  async #run(waiting: Waiting): Promise<boolean> {
    const { store, reservation, actual, at, onSettled } = waiting.ending
    try {
      const spent = actual ? await store.settle(reservation, actual, at) : await store.release(reservation)
      if (spent) onSettled?.(spent)
      return true
    } catch (error) {
      this.#logger.debug({ reservation: reservation.id, error }, 'The counter store did not end a reservation.')
      this.#keep(waiting)
      return false
    }
  }

  #keep(waiting: Waiting): void {
    if (this.#clock.now() >= waiting.until) this.#giveUp(waiting.ending)
    else this.#waiting.push(waiting)
    if (this.#waiting.length > this.#maxWaiting) {
      const oldest = this.#waiting.shift()
      if (oldest) this.#giveUp(oldest.ending)
    }
    if (!this.#isClosed) this.#timer ??= this.#clock.setTimeout(() => void this.#tick(), retryMs)
  }

  /** What is held ends by itself; what was spent is found in the ledger. */
  #giveUp({ store, reservation, actual }: Ending): void {
    if (!actual) return
    const tenants = this.#forgotten.get(store) ?? new Map<string, Set<string>>()
    this.#forgotten.set(store, tenants)
    const counters = tenants.get(reservation.tenant) ?? new Set<string>()
    tenants.set(reservation.tenant, counters)
    for (const { kind, counter } of reservation.holds) {
      if (kind !== 'budget' || counters.has(counter)) continue
      if (this.#forgottenCount >= maxForgotten) {
        this.#logger.error(
          { counter },
          'The spend of a call is missing in a budget: the counter store was away too long.',
        )
        continue
      }
      counters.add(counter)
      this.#forgottenCount++
    }
  }

  async #tick(): Promise<void> {
    await this.#forget()
    const batch = this.#waiting.splice(0, atOnce)
    const taken = await Promise.all(batch.map((waiting) => this.#run(waiting)))
    this.#timer = undefined
    if (this.#isClosed || (this.#waiting.length === 0 && this.#forgottenCount === 0)) return
    const isBack = taken.length > 0 && !taken.includes(false)
    this.#timer = this.#clock.setTimeout(() => void this.#tick(), isBack ? 0 : retryMs)
  }

  async #forget(): Promise<void> {
    for (const [store, tenants] of this.#forgotten) {
      for (const [tenant, counters] of tenants) {
        try {
          await forgetCounters(store, tenant, [...counters], (names) => {
            for (const name of names) counters.delete(name)
            this.#forgottenCount -= names.length
          })
        } catch {
          // Stays for the next round.
        }
      }
    }
  }
}
