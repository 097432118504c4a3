import type { LeaveSignal } from '../http/message.js'
import type { Clock } from '../ports.js'
import { late, waitFor } from './wait.js'

/** How work that others wait for came to its end. */
type FlightEnd<T> = { readonly landed: T } | 'scattered' | 'failed'

/** Work that one caller does and that others with the same key wait for. Whoever got it must end it. */
export interface Flight<T> {
  /** Gives the outcome to all that wait, and to all that come until `leave`. */
  land(value: T): void
  /** There will be no outcome to share: all that wait go on, each on its own. */
  scatter(): void
  /** The work is over. Where nothing had landed, one of those that wait takes it up. Repeating it does nothing. */
  leave(): void
}

/** What entering gives: the work itself, what somebody else's work gave, or neither: go on alone. */
export type Entered<T> = { readonly flight: Flight<T> } | { readonly landed: T } | 'alone'

/** Work under way in this process, by key. */
export interface Flights<T> {
  /**
   * Takes the work up where nobody has; waits for it otherwise, `waitMs` at most. Work that fails is taken up by one of
   * those that wait, never by all at once.
   * @throws GatewayError client_closed
   */
  enter(key: string, waitMs: number, signal: LeaveSignal | undefined): Promise<Entered<T>>
}

interface Running<T> {
  readonly startedAt: number
  readonly end: Promise<FlightEnd<T>>
}

/** Builds the list of work under way, empty. */
export function createFlights<T>(clock: Clock): Flights<T> {
  const running = new Map<string, Running<T>>()

  const start = (key: string): Flight<T> => {
    let settle: (end: FlightEnd<T>) => void = () => {}
    const entry: Running<T> = { startedAt: clock.now(), end: new Promise((resolve) => (settle = resolve)) }
    running.set(key, entry)
    const forget = (): void => {
      if (running.get(key) === entry) running.delete(key)
    }
    return {
      land: (value) => settle({ landed: value }),
      scatter() {
        forget()
        settle('scattered')
      },
      leave() {
        forget()
        settle('failed')
      },
    }
  }

  return {
    async enter(key, waitMs, signal) {
      const deadline = clock.now() + waitMs
      for (;;) {
        const current = running.get(key)
        // Work as old as anybody would wait is given up: its owner may have forgotten it.
        if (!current || clock.now() - current.startedAt > waitMs) return { flight: start(key) }
        const milliseconds = deadline - clock.now()
        if (milliseconds <= 0) return 'alone'
        const end = await waitFor(current.end, { clock, milliseconds, signal })
        if (end === late || end === 'scattered') return 'alone'
        if (end !== 'failed') return end
      }
    },
  }
}
