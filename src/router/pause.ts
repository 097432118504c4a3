import type { Clock } from '../ports.js'
import type { CallSignal } from '../upstream/call-signal.js'

/**
 * Waits, unless the call ends first.
 * @throws GatewayError why the call ended
 */
export function pause(milliseconds: number, clock: Clock, signal: CallSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      signal.listen(undefined)
      resolve()
    }, milliseconds)
    signal.leave()
    signal.listen((error) => {
      timer.cancel()
      reject(error)
    })
  })
}
