/** Numbers in [0, 1) that are the same at every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Sum of the squared deviations from what was expected, each over what was expected. */
export function chiSquare(counts: readonly number[], shares: readonly number[]): number {
  const all = counts.reduce((sum, count) => sum + count, 0)
  const total = shares.reduce((sum, share) => sum + share, 0)
  return counts.reduce((sum, count, index) => {
    const expected = (all * (shares[index] ?? 0)) / total
    return sum + (count - expected) ** 2 / expected
  }, 0)
}

/** What `chiSquare` of four counts exceeds with a probability of 0.01 where nothing is wrong. */
export const chiSquareLimitOfFour = 11.345
