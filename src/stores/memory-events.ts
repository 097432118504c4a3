import { GatewayError } from '../errors.js'
import type { EventClaim, UsageEvent } from '../ports/ledger.js'

/** Events that wait to be told, in memory. */
export interface MemoryEvents {
  /** @throws GatewayError overloaded, with none kept, where there is no room: whoever adds them keeps them */
  add(events: readonly UsageEvent[]): void
  /** As `LedgerStore.takeEvents`. */
  take(claim: EventClaim): readonly UsageEvent[]
  forget(ids: readonly string[]): void
}

interface Waiting {
  readonly event: UsageEvent
  /** Taken until then. */
  readonly until: number
}

/** Takes no more once there are so many; a batch that is larger than the room that is left is taken whole. */
export function createMemoryEvents(most: number): MemoryEvents {
  const waiting = new Map<string, Waiting>()
  return {
    add(events) {
      if (events.length > 0 && waiting.size >= most) {
        throw new GatewayError(
          'overloaded',
          `${waiting.size} events wait to be told, and no more than ${most} are kept in memory.`,
        )
      }
      for (const event of events) waiting.set(event.id, { event, until: -Infinity })
    },
    take({ limit, now, until }) {
      const taken: UsageEvent[] = []
      for (const { event, until: takenUntil } of waiting.values()) {
        if (taken.length === limit) break
        if (takenUntil <= now) taken.push(event)
      }
      for (const event of taken) {
        // To the end: those never taken come first.
        waiting.delete(event.id)
        waiting.set(event.id, { event, until })
      }
      return taken
    },
    forget(ids) {
      for (const id of ids) waiting.delete(id)
    },
  }
}
