import type { Clock } from '../../src/ports.js'

/** A clock that stands still until told to advance. */
export class FakeClock implements Clock {
  #now = 1_800_000_000_000
  #timers: { readonly at: number; readonly callback: () => void }[] = []

  now(): number {
    return this.#now
  }

  setTimeout(callback: () => void, milliseconds: number): { cancel(): void } {
    const timer = { at: this.#now + milliseconds, callback }
    this.#timers.push(timer)
    return { cancel: () => (this.#timers = this.#timers.filter((other) => other !== timer)) }
  }

  /** Lets time pass; due timers fire in their order. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= until).toSorted((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#timers = this.#timers.filter((timer) => timer !== due)
      this.#now = Math.max(this.#now, due.at)
      due.callback()
    }
    this.#now = until
  }

  get pending(): number {
    return this.#timers.length
  }
}
