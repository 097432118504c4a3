import type { Clock } from '../ports.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { DeploymentState } from './deployment-state.js'
import type { Member } from './model-group.js'

/** A call that waits until one of several busy deployments has room. */
export interface SlotRequest<T> {
  /** Those whose room would help. */
  readonly members: readonly Member[]
  readonly signal: CallSignal
  /** Takes room at once, so that nobody comes between; undefined where there is none for this call. */
  readonly take: () => T | undefined
}

/** The lines of calls that wait for deployments at their `maxParallelRequests`: first come, first served. */
export interface Slots {
  /** True while nobody waits. */
  readonly isEmpty: boolean
  /**
   * What `take` gave; undefined when it gave nothing within the time that a call may wait, or where too many wait.
   * @throws GatewayError why the call ended
   */
  wait<T>(request: SlotRequest<T>): Promise<T | undefined>
  /** The member may have room: whoever has waited longest takes it before anyone new can. */
  freed(member: Member): void
}

type Offer = () => void

/** Calls that wait for one deployment; each holds its request in memory. */
const mostWaiting = 1_000

/** True where as many attempts are under way as the deployment may serve at once. */
export function isBusy({ state, deployment: { maxParallelRequests } }: Member): boolean {
  return maxParallelRequests !== undefined && state.inFlight >= maxParallelRequests
}

/** Keeps the lines of one gateway; `maxQueueMs` is how long a call waits at most, 0 for not at all. */
export function createSlots(clock: Clock, maxQueueMs: number): Slots {
  const lines = new Map<DeploymentState, Set<Offer>>()
  const join = (state: DeploymentState, offer: Offer): void => {
    const line = lines.get(state) ?? new Set()
    line.add(offer)
    lines.set(state, line)
  }
  const leave = (state: DeploymentState, offer: Offer): void => {
    const line = lines.get(state)
    line?.delete(offer)
    if (line?.size === 0) lines.delete(state)
  }
  return {
    get isEmpty() {
      return lines.size === 0
    },
    wait({ members, signal, take }) {
      const milliseconds = Math.min(maxQueueMs, signal.remainingMs)
      const isCrowded = members.some(({ state }) => (lines.get(state)?.size ?? 0) >= mostWaiting)
      if (milliseconds <= 0 || isCrowded) return Promise.resolve(undefined)
      return new Promise((resolve, reject) => {
        const end = (): void => {
          timer.cancel()
          signal.listen(undefined)
          for (const { state } of members) leave(state, offer)
        }
        const offer = (last = false): void => {
          try {
            const taken = take()
            if (taken === undefined && !last) return
            end()
            resolve(taken)
          } catch (error) {
            // The fault of the one that waits must not become that of the one that made room.
            end()
            reject(error)
          }
        }
        const timer = clock.setTimeout(() => offer(true), milliseconds)
        for (const { state } of members) join(state, offer)
        signal.leave()
        signal.listen((error) => {
          end()
          reject(error)
        })
      })
    },
    freed(member) {
      for (const offer of lines.get(member.state) ?? []) {
        // Nobody further back could take it either.
        if (isBusy(member) || !member.state.isOpen(clock.now())) return
        offer()
      }
    },
  }
}
