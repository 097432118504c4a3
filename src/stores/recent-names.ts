/** Remembers names for at least `lifeMs` and at most twice as long, without a timer. */
export class RecentNames {
  readonly #lifeMs: number
  #young = new Set<string>()
  #old = new Set<string>()
  #turnsAt: number

  constructor(lifeMs: number, now: number) {
    this.#lifeMs = lifeMs
    this.#turnsAt = now + lifeMs
  }

  add(name: string, now: number): void {
    if (now >= this.#turnsAt) {
      this.#old = now >= this.#turnsAt + this.#lifeMs ? new Set() : this.#young
      this.#young = new Set()
      this.#turnsAt = now + this.#lifeMs
    }
    this.#young.add(name)
  }

  has(name: string): boolean {
    return this.#young.has(name) || this.#old.has(name)
  }
}
