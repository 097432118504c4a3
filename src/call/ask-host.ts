import { GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import type { CallSignal } from '../upstream/call-signal.js'

/** How long a host's hook may take. */
export interface HostDeadline {
  readonly milliseconds: number
  readonly clock: Clock
  readonly signal: CallSignal
}

/**
 * Awaits a hook of the host during a call: a hook that hangs or throws must not hold or crash it.
 * @throws GatewayError unavailable after the deadline, internal for what the hook throws, or why the call ended
 */
export async function askHost<T>(
  what: string,
  ask: () => PromiseLike<T> | T,
  { milliseconds, clock, signal }: HostDeadline,
): Promise<T> {
  let leave = (): void => {}
  const ended = new Promise<never>((_, reject) => {
    const late = new GatewayError('unavailable', `The host did not give ${what} in time.`)
    const timer = clock.setTimeout(() => reject(late), milliseconds)
    signal.listen(reject)
    // Keeps the whole call's own deadline running.
    signal.enter('connect', 0)
    leave = () => {
      timer.cancel()
      signal.listen(undefined)
    }
  })
  try {
    return await Promise.race([ended, Promise.resolve().then(ask)])
  } catch (thrown) {
    if (GatewayError.isInstance(thrown)) throw thrown
    throw new GatewayError('internal', `The host failed to give ${what}.`, { cause: thrown })
  } finally {
    leave()
  }
}
