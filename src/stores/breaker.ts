import type { Clock } from '../ports.js'

/** When a breaker opens, and how it closes again. */
export interface BreakerOptions {
  readonly clock: Pick<Clock, 'now'>
  /** Failures in a row that open it. */
  readonly failures: number
  /** How long after a failed probe the next one is let through, in milliseconds. */
  readonly probeMs: number
  /** Hears of the failure that opened it, and, without a failure, that it closed. */
  readonly onChange: (failure: unknown) => void
}

/** One operation that was let through; the first of the two calls counts. */
export interface Passage {
  succeeded(): void
  failed(failure: unknown): void
}

/** Stops asking somebody who does not answer, but for one probe at a time. */
export interface Breaker {
  /** Undefined while nothing is let through. */
  enter(): Passage | undefined
  /** Lets the next probe through now: there is reason to believe that it will be answered. */
  hurry(): void
}

/** Builds a breaker that is closed. */
export function createBreaker({ clock, failures, probeMs, onChange }: BreakerOptions): Breaker {
  let inRow = 0
  /** When the next probe may go; undefined while closed, Infinity while one is under way. */
  let nextProbe: number | undefined

  const close = (): void => {
    inRow = 0
    nextProbe = undefined
    onChange(undefined)
  }
  const open = (failure: unknown): void => {
    nextProbe = clock.now() + probeMs
    onChange(failure)
  }
  // Operations from before it opened end late, and say nothing about now.
  const ordinary: Passage = {
    succeeded() {
      if (nextProbe === undefined) inRow = 0
    },
    failed(failure) {
      if (nextProbe === undefined && ++inRow >= failures) open(failure)
    },
  }
  const probe: Passage = {
    succeeded: close,
    failed: () => void (nextProbe = clock.now() + probeMs),
  }
  return {
    enter() {
      if (nextProbe === undefined) return ordinary
      if (clock.now() < nextProbe) return undefined
      nextProbe = Infinity
      return probe
    },
    hurry() {
      if (nextProbe !== undefined && nextProbe !== Infinity) nextProbe = clock.now()
    },
  }
}
