/** An amount that was taken at one moment. */
export interface Taken {
  readonly id: string
  /** When it leaves the window, in milliseconds since the epoch. */
  readonly leavesAt: number
  amount: number
  hasLeft: boolean
}

// Below this, moving the rest of the list to its front is not worth it.
const leastCompaction = 1_024

/** What was taken within the last so many milliseconds, exactly: every amount leaves at its own moment. */
export class SlidingWindow {
  #entries: Taken[] = []
  #head = 0
  #total = 0

  /** The sum of what has not left, as of the last `sweep`. */
  get total(): number {
    return this.#total
  }

  get isEmpty(): boolean {
    return this.#head === this.#entries.length
  }

  /** Lets go of what has left by now. */
  sweep(now: number): void {
    for (let first = this.#entries[this.#head]; first && first.leavesAt <= now; first = this.#entries[this.#head]) {
      this.#total -= first.amount
      first.hasLeft = true
      this.#head++
    }
    if (this.#head < leastCompaction || this.#head * 2 < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#head)
    this.#head = 0
  }

  take(id: string, amount: number, leavesAt: number): Taken {
    const taken = { id, amount, leavesAt, hasLeft: false }
    this.#entries.push(taken)
    this.#total += amount
    return taken
  }

  /** Lowers what was taken, unless it has left. */
  lower(taken: Taken, amount: number): void {
    if (taken.hasLeft || amount >= taken.amount) return
    this.#total -= taken.amount - amount
    taken.amount = amount
  }

  find(id: string): Taken | undefined {
    return this.#entries.findLast((taken) => taken.id === id && !taken.hasLeft)
  }

  /** When at least `amount` of what is there will have left; undefined where there is not so much. */
  freesAt(amount: number): number | undefined {
    let freed = 0
    for (let at = this.#head; at < this.#entries.length; at++) {
      const taken = this.#entries[at]
      freed += taken?.amount ?? 0
      if (freed >= amount) return taken?.leavesAt
    }
    return undefined
  }
}
