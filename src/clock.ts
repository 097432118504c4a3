import { GatewayError } from './errors.js'
import type { Clock } from './ports.js'

/** Real time; timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout(callback, milliseconds) {
    const timer = setTimeout(callback, milliseconds)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

/**
 * Keeps the process alive until work is done that somebody waits for at its end: timers of ours do not, and a process
 * without any other would end in the middle, without a word.
 */
export async function keepingAlive<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 2_147_483_647)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}

/**
 * Awaits something that is not ours for so long and no longer; what comes later is dropped.
 * @throws GatewayError unavailable after the deadline, otherwise what it rejects with
 */
export function within<T>(clock: Clock, milliseconds: number, ask: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): GatewayError => new GatewayError('unavailable', `There was no answer within ${milliseconds} ms.`)
    const timer = clock.setTimeout(() => reject(late()), milliseconds)
    const end = <V>(tell: (value: V) => void) => {
      return (value: V): void => {
        timer.cancel()
        tell(value)
      }
    }
    startWith(ask).then(end(resolve), end(reject))
  })
}

/** What is thrown at once is a rejection too. */
async function startWith<T>(ask: () => Promise<T>): Promise<T> {
  return ask()
}
