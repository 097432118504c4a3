import type { Reservation } from '../ports/counters.js'
import type { Taken } from './sliding-window.js'

/** A counter that some reservation holds a part of: never dropped. */
export interface HeldCounter {
  held: number
}

/** A reservation that nobody has ended, and what it took of rates or where else it counts, in the order of its holds. */
export interface LiveReservation {
  readonly reservation: Reservation
  readonly parts: readonly (Taken | HeldCounter)[]
  readonly expiresAt: number
}

/**
 * Reservations by id, and which have expired. Those of one life span lie in the order in which they expire, so that
 * nothing is ever searched.
 */
export class LiveReservations {
  readonly #lifeOf = new Map<string, number>()
  readonly #byLife = new Map<number, Map<string, LiveReservation>>()

  get(id: string): LiveReservation | undefined {
    const life = this.#lifeOf.get(id)
    return life === undefined ? undefined : this.#byLife.get(life)?.get(id)
  }

  /** Puts a reservation last of its life span; one that is known is moved. */
  put(live: LiveReservation, ttlMs: number): void {
    const { id } = live.reservation
    this.delete(id)
    const queue = this.#byLife.get(ttlMs) ?? new Map<string, LiveReservation>()
    this.#byLife.set(ttlMs, queue.set(id, live))
    this.#lifeOf.set(id, ttlMs)
  }

  delete(id: string): void {
    const life = this.#lifeOf.get(id)
    if (life === undefined) return
    this.#lifeOf.delete(id)
    const queue = this.#byLife.get(life)
    queue?.delete(id)
    if (queue?.size === 0) this.#byLife.delete(life)
  }

  /** Takes out those that have expired by now. */
  takeExpired(now: number): LiveReservation[] {
    const expired: LiveReservation[] = []
    for (const queue of this.#byLife.values()) {
      for (const live of queue.values()) {
        if (live.expiresAt > now) break
        expired.push(live)
      }
    }
    for (const { reservation } of expired) this.delete(reservation.id)
    return expired
  }
}
