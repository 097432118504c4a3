import type { LeaveSignal } from '../http/message.js'
import type { Clock } from '../ports.js'

/** How long somebody else may take. */
export interface Deadline {
  readonly milliseconds: number
  readonly clock: Clock
  /** Aborts when nobody waits for the call any more. */
  readonly signal?: LeaveSignal | undefined
}

/** The deadline was missed, or nobody waits any more. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/**
 * Awaits what is not ours; its own signal aborts with the deadline. What it still does afterwards is nobody's.
 * @throws DeadlineError, or what it throws
 */
export async function withinDeadline<T>(
  ask: (signal: AbortSignal) => PromiseLike<T> | T,
  { milliseconds, clock, signal }: Deadline,
): Promise<T> {
  const controller = new AbortController()
  let leave = (): void => {}
  const ended = new Promise<never>((_, reject) => {
    const end = (why: string) => (): void => {
      const error = new DeadlineError(why)
      controller.abort(error)
      reject(error)
    }
    const late = end(`It took longer than ${milliseconds} ms.`)
    const left = end('Nobody waits for it any more.')
    const timer = clock.setTimeout(late, milliseconds)
    if (signal?.aborted) left()
    else signal?.addEventListener('abort', left, { once: true })
    leave = () => {
      timer.cancel()
      signal?.removeEventListener('abort', left)
    }
  })
  try {
    return await Promise.race([ended, Promise.resolve(controller.signal).then(ask)])
  } finally {
    leave()
  }
}
