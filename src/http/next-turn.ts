import timers from 'node:timers'

// Taken before the tests of a host put a clock of their own in its place, under which a request would never go on.
const { setImmediate: afterThisTurn } = timers

/** Resolves a turn of the event loop later; whoever asks within one turn shares its promise. */
export function createNextTurn(): () => Promise<void> {
  let next: Promise<void> | undefined
  const begin = (): Promise<void> =>
    new Promise((resolve) => {
      afterThisTurn(() => {
        next = undefined
        resolve()
      })
    })
  return () => (next ??= begin())
}
