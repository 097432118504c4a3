/** Resolves a turn of the event loop later; whoever asks within one turn shares its promise. */
export function createNextTurn(): () => Promise<void> {
  let next: Promise<void> | undefined
  const begin = (): Promise<void> =>
    new Promise((resolve) => {
      setImmediate(() => {
        next = undefined
        resolve()
      })
    })
  return () => (next ??= begin())
}
