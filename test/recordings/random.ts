/** A seeded generator of numbers in [0, 1), so that a failing run can be repeated (mulberry32, public domain). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** The bytes cut at random places into pieces, some of them one byte long. */
export function cutAtRandom(bytes: Buffer, random: () => number): readonly Buffer[] {
  const pieces: Buffer[] = []
  let position = 0
  while (position < bytes.length) {
    const longest = random() < 0.2 ? 1 : Math.ceil(bytes.length / 4)
    const length = 1 + Math.floor(random() * longest)
    pieces.push(bytes.subarray(position, position + length))
    position += length
  }
  return pieces
}

/** The bytes one by one. */
export function cutEverywhere(bytes: Buffer): readonly Buffer[] {
  return Array.from(bytes, (_byte, index) => bytes.subarray(index, index + 1))
}
