import type { Callbacks } from '../callbacks/index.js'
import type { Logger } from '../ports.js'
import type { GatewayEvent } from '../events.js'

/** Tells a host's listener; one that throws, or gives a promise that fails, is a line in the log and nothing else. */
export function toEmit(
  onEvent: ((event: GatewayEvent) => void) | undefined,
  logger: Logger,
  callbacks?: Pick<Callbacks, 'event'>,
): (event: GatewayEvent) => void {
  if (!onEvent) return (event) => callbacks?.event(event)
  const report = (error: unknown): void => logger.error({ error }, 'onEvent failed.')
  return (event) => {
    callbacks?.event(event)
    try {
      // A listener may be an async function all the same.
      const result: unknown = onEvent(event)
      if (result instanceof Promise) result.catch(report)
    } catch (error) {
      report(error)
    }
  }
}
