import type { Clock } from './ports.js'

/** When a store's client holds too much that it does not settle. */
export interface LateLimits {
  readonly clock: Pick<Clock, 'now'>
  /** Operations that may be late at a time. */
  readonly most: number
  /** How often one more is asked while as many are late, in milliseconds. */
  readonly stuckMs: number
}

/** Operations that a store's client still holds after their deadline. */
export interface LateOperations {
  /** As many are late as may be. */
  readonly isFull: boolean
  /** Whether an operation may be asked now. */
  readonly mayAsk: boolean
  /** One is asked. What is given is told that it was answered in time. */
  asked(): () => void
  /** One becomes late. What is given is told that it settled after all. */
  add(): () => void
}

/**
 * Counts them. Where as many are late as may be, one more is asked from time to time; if that is answered, the others
 * are taken for lost and count no more, so that what never settles closes nothing for good.
 */
export function createLateOperations({ clock, most, stuckMs }: LateLimits): LateOperations {
  let held = new Set<object>()
  let nextTry = 0
  const isFull = (): boolean => held.size >= most
  return {
    get isFull() {
      return isFull()
    },
    get mayAsk() {
      return !isFull() || clock.now() >= nextTry
    },
    asked() {
      if (!isFull()) return () => {}
      nextTry = clock.now() + stuckMs
      return () => void (held = new Set())
    },
    add() {
      const operation = {}
      const { size } = held.add(operation)
      if (size === most) nextTry = clock.now() + stuckMs
      return () => void held.delete(operation)
    },
  }
}
