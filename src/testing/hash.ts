const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** FNV-1a of a text's UTF-16 units, 32 bits, unsigned. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return hash >>> 0
}

/** The next number of a xorshift sequence, 32 bits, unsigned; a state of 0 stays 0. */
export function nextOf(state: number): number {
  let next = state
  next ^= next << 13
  next ^= next >>> 17
  next ^= next << 5
  return next >>> 0
}

/** 24 letters and digits made of a hash. */
export function toId(hash: number): string {
  let state = hash || 1
  let id = ''
  for (let index = 0; index < 24; index++) {
    state = nextOf(state)
    id += alphabet[state % alphabet.length] ?? ''
  }
  return id
}
