import { GatewayError } from '../errors.js'
import type { LeaveSignal } from '../http/message.js'
import type { Clock } from '../ports.js'

/** How long something is waited for, and who may stop waiting. */
export interface WaitLimits {
  readonly clock: Clock
  readonly milliseconds: number
  /** Of whoever waits. */
  readonly signal: LeaveSignal | undefined
}

/** What waiting gives when time is up. */
export const late: unique symbol = Symbol('late')

/**
 * Waits for something that never rejects, but no longer than told.
 * @throws GatewayError client_closed when whoever waits leaves
 */
export function waitFor<T>(event: Promise<T>, limits: WaitLimits): Promise<T | typeof late> {
  const { clock, milliseconds, signal } = limits
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      timer.cancel()
      reject(new GatewayError('client_closed', 'The client went away before the answer was complete.'))
    }
    const settle = (value: T | typeof late): void => {
      timer.cancel()
      signal?.removeEventListener('abort', leave)
      resolve(value)
    }
    const timer = clock.setTimeout(() => settle(late), milliseconds)
    if (signal?.aborted) return leave()
    signal?.addEventListener('abort', leave, { once: true })
    void event.then(settle)
  })
}

/** Lets time pass. @throws GatewayError client_closed when whoever waits leaves */
export async function pause(limits: WaitLimits): Promise<void> {
  await waitFor(new Promise<never>(() => {}), limits)
}
