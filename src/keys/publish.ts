import type { Clock, Logger } from '../ports.js'

const publishMs = 1_000

/** Tells the other processes, for a second at most; one that is not told learns of a change when its memory expires. */
export function publishWithin(clock: Clock, logger: Pick<Logger, 'warn'>, publish: () => Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const end = (failure?: unknown): void => {
      timer.cancel()
      if (failure !== undefined) logger.warn({ error: failure }, 'Other processes were not told of a change.')
      resolve()
    }
    const timer = clock.setTimeout(() => end(new Error(`no answer within ${publishMs} ms`)), publishMs)
    startWith(publish).then(() => end(), end)
  })
}

/** What is thrown at once is a rejection too. */
async function startWith(publish: () => Promise<void>): Promise<void> {
  return publish()
}
