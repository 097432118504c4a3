import type { Clock } from '../ports.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { RunningCalls } from './context.js'

/** Keeps the set of running calls of one gateway. */
export function createRunningCalls(clock: Clock): RunningCalls {
  const running = new Set<CallSignal>()
  let closed = false
  let onIdle: (() => void) | undefined
  return {
    get closed() {
      return closed
    },
    get size() {
      return running.size
    },
    enter(signal) {
      running.add(signal)
    },
    leave(signal) {
      running.delete(signal)
      if (running.size === 0) onIdle?.()
    },
    async drain(drainMs, reason) {
      closed = true
      if (running.size > 0 && drainMs > 0) {
        await new Promise<void>((resolve) => {
          const timer = clock.setTimeout(resolve, drainMs)
          onIdle = () => {
            timer.cancel()
            resolve()
          }
        })
      }
      for (const signal of running) signal.end(reason)
    },
  }
}
