import type { Clock } from '../ports.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { RunningCalls } from './context.js'

/** Keeps the running calls of one gateway. */
export function createRunningCalls(clock: Clock): RunningCalls {
  // Not a Set: the table of one refers to the next each time it is made anew, so a dead table in V8's old generation
  // keeps every later table and its calls until a full collection.
  const running: CallSignal[] = []
  let closed = false
  let onIdle: (() => void) | undefined
  return {
    get closed() {
      return closed
    },
    get size() {
      return running.length
    },
    enter(signal) {
      signal.place = running.push(signal) - 1
    },
    leave(signal) {
      const { place } = signal
      if (place === undefined) return
      signal.place = undefined
      const last = running.pop()
      if (last && last !== signal) running[(last.place = place)] = last
      if (running.length === 0) onIdle?.()
    },
    async drain(drainMs, reason) {
      closed = true
      if (running.length > 0 && drainMs > 0) {
        await new Promise<void>((resolve) => {
          const timer = clock.setTimeout(resolve, drainMs)
          onIdle = () => {
            timer.cancel()
            resolve()
          }
        })
      }
      // Whoever is ended leaves.
      for (const signal of running.slice()) signal.end(reason)
    },
  }
}
