const separator = 0x1f
const primes = { first: 0x9e3779b1, second: 0x5f356495 }

/**
 * A running hash of texts that is the same in every process. Quick and well spread; not for secrets, and no proof that
 * two texts are equal.
 */
export class TextHash {
  #first = 0x2c1b3c6d
  #second = 0x297a2d39

  /** The text is set off from what comes before and after. */
  add(text: string): this {
    let first = this.#first
    let second = this.#second
    for (let at = 0; at <= text.length; at += 1) {
      const code = at < text.length ? text.charCodeAt(at) : separator
      first = Math.imul(first ^ code, primes.first)
      first ^= first >>> 15
      second = Math.imul(second ^ code, primes.second)
      second ^= second >>> 13
    }
    this.#first = first
    this.#second = second
    return this
  }

  /** A number in (0, 1) from this and another hash: each pair gives one of its own. */
  fractionWith(other: TextHash): number {
    const high = mix(this.#first ^ mix(other.#first)) >>> 0
    const low = mix(this.#second ^ mix(other.#second)) >>> 11
    return (high * 2 ** 21 + low + 0.5) / 2 ** 53
  }
}

/** The finalizer of MurmurHash3: every bit of the input changes about half of those of the result. */
function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
