import type { GatewayError } from '../errors.js'
import type { Clock, Timer } from '../ports.js'

class Wait {
  dueAt: number
  readonly reject: (error: GatewayError) => void
  before: Wait | undefined
  after: Wait | undefined

  constructor(dueAt: number, reject: (error: GatewayError) => void) {
    this.dueAt = dueAt
    this.reject = reject
  }
}

/** A timer that is further off has met a clock that was set, or a process that stood still. */
const toleranceMs = 1_000

/** Bounds what many requests wait for, each for the same time: one timer serves them all, as hardly any is ever late. */
export class Deadlines {
  readonly #clock: Clock
  readonly #milliseconds: number
  readonly #late: () => GatewayError
  #oldest: Wait | undefined
  #latest: Wait | undefined
  #timer: Timer | undefined
  #firesAt = 0

  /** `late` makes the error that a wait of more than so many milliseconds rejects with. */
  constructor(clock: Clock, milliseconds: number, late: () => GatewayError) {
    this.#clock = clock
    this.#milliseconds = milliseconds
    this.#late = late
  }

  /** The value at once where it is none to wait for, else a promise of it; also of promises of other libraries and realms. */
  bound<T>(value: PromiseLike<T> | T): Promise<T> | T {
    if (!isPromiseLike(value)) return value
    return new Promise((resolve, reject) => {
      const wait = this.#begin(reject)
      const native = value instanceof Promise ? value : Promise.resolve(value)
      native.then(
        (settled: T) => {
          this.#end(wait)
          resolve(settled)
        },
        (thrown: unknown) => {
          this.#end(wait)
          reject(thrown)
        },
      )
    })
  }

  #begin(reject: (error: GatewayError) => void): Wait {
    const wait = new Wait(this.#clock.now() + this.#milliseconds, reject)
    wait.before = this.#latest
    if (this.#latest) this.#latest.after = wait
    else this.#oldest = wait
    this.#latest = wait
    if (!this.#timer) this.#arm(wait)
    return wait
  }

  #end(wait: Wait): void {
    const { before, after } = wait
    if (before) before.after = after
    else if (this.#oldest === wait) this.#oldest = after
    if (after) after.before = before
    else if (this.#latest === wait) this.#latest = before
    wait.before = wait.after = undefined
  }

  #expire(): void {
    this.#timer = undefined
    const now = this.#clock.now()
    if (Math.abs(now - this.#firesAt) > toleranceMs) this.#follow(now)
    for (let wait = this.#oldest; wait && wait.dueAt <= now; wait = this.#oldest) {
      this.#end(wait)
      wait.reject(this.#late())
    }
    if (this.#oldest) this.#arm(this.#oldest)
  }

  /** Follows a clock that was set: nobody is late before its time, and none has more than that from now on. */
  #follow(now: number): void {
    const ahead = Math.max(0, now - this.#firesAt)
    const latest = now + this.#milliseconds
    for (let wait = this.#oldest; wait; wait = wait.after) wait.dueAt = Math.min(wait.dueAt + ahead, latest)
  }

  #arm({ dueAt }: Wait): void {
    const now = this.#clock.now()
    const milliseconds = Math.min(Math.max(1, dueAt - now), this.#milliseconds)
    this.#firesAt = now + milliseconds
    this.#timer = this.#clock.setTimeout(() => this.#expire(), milliseconds)
  }
}

/** Also true for promises of other libraries and realms. */
function isPromiseLike<T>(value: PromiseLike<T> | T): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value
}
