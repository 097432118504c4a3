import { GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'

/**
 * Awaits something that is not ours for so long and no longer; what comes later is dropped.
 * @throws GatewayError unavailable after the deadline, otherwise what it rejects with
 */
export function within<T>(clock: Clock, milliseconds: number, ask: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = new GatewayError('unavailable', `There was no answer within ${milliseconds} ms.`)
    const timer = clock.setTimeout(() => reject(late), milliseconds)
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
