import type { Clock } from './ports.js'

/** Real time; timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout(callback, milliseconds) {
    const timer = setTimeout(callback, milliseconds)
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

/**
 * Keeps the process alive until work is done that somebody waits for at its end: timers of ours do not, and a process
 * without any other would end in the middle, without a word.
 */
export async function keepingAlive<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 2_147_483_647)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}
