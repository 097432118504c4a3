import type { Clock, Logger, Timer } from '../ports.js'
import type { CounterStore, Reservation } from '../ports/counters.js'

/** Keeps the reservations of running calls alive. */
export interface Renewal {
  add(store: CounterStore, reservation: Reservation): void
  delete(store: CounterStore, reservation: Reservation): void
  close(): void
}

/** What renewal needs. */
export interface RenewalParts {
  readonly clock: Clock
  readonly logger: Logger
  readonly ttlMs: number
}

// One question has one deadline: it must not be about everything that a busy process runs.
const renewedAtOnce = 500

/** Builds the renewal of one admission: one timer for all running calls, and none while there are none. */
export function createRenewal({ clock, logger, ttlMs }: RenewalParts): Renewal {
  const running = new Map<CounterStore, Map<string, Reservation>>()
  let timer: Timer | undefined
  let isClosed = false

  const renew = async (store: CounterStore, reservations: readonly Reservation[]): Promise<void> => {
    try {
      // Those that ended meanwhile are gone rightly.
      const gone = (await store.renew(reservations, ttlMs)).filter((id) => running.get(store)?.has(id))
      if (gone.length > 0)
        logger.warn({ count: gone.length }, 'Reservations of running calls are gone from the counter store.')
    } catch (error) {
      logger.debug({ count: reservations.length, error }, 'Reservations were not renewed; the next round tries again.')
    }
  }
  const tick = async (): Promise<void> => {
    for (const [store, reservations] of running) {
      const all = [...reservations.values()]
      for (let at = 0; at < all.length; at += renewedAtOnce) await renew(store, all.slice(at, at + renewedAtOnce))
    }
    timer = undefined
    schedule()
  }
  const schedule = (): void => {
    if (timer || isClosed || running.size === 0) return
    timer = clock.setTimeout(() => void tick(), ttlMs / 3)
  }
  return {
    add(store, reservation) {
      const known = running.get(store)
      if (known) known.set(reservation.id, reservation)
      else running.set(store, new Map([[reservation.id, reservation]]))
      schedule()
    },
    delete(store, { id }) {
      const known = running.get(store)
      known?.delete(id)
      if (known?.size === 0) running.delete(store)
    },
    close() {
      isClosed = true
      timer?.cancel()
    },
  }
}
