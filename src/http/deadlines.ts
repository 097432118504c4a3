import type { GatewayError } from '../errors.js'
import type { Clock, Timer } from '../ports.js'

class Wait {
  readonly dueAt: number
  readonly reject: (error: GatewayError) => void
  before: Wait | undefined
  after: Wait | undefined

  constructor(dueAt: number, reject: (error: GatewayError) => void) {
    this.dueAt = dueAt
    this.reject = reject
  }
}

/** Bounds what many requests wait for, each for the same time: one timer serves them all, as hardly any is ever late. */
export class Deadlines {
  readonly #clock: Clock
  readonly #milliseconds: number
  readonly #late: () => GatewayError
  #oldest: Wait | undefined
  #latest: Wait | undefined
  #timer: Timer | undefined

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
      const settle =
        <Value>(tell: (value: Value) => void) =>
        (settled: Value): void => {
          this.#end(wait)
          tell(settled)
        }
      Promise.resolve(value).then(settle(resolve), settle(reject))
    })
  }

  #begin(reject: (error: GatewayError) => void): Wait {
    const wait = new Wait(this.#clock.now() + this.#milliseconds, reject)
    wait.before = this.#latest
    if (this.#latest) this.#latest.after = wait
    else this.#oldest = wait
    this.#latest = wait
    if (!this.#timer) this.#arm(this.#milliseconds)
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
    for (let wait = this.#oldest; wait && wait.dueAt <= now; wait = this.#oldest) {
      this.#end(wait)
      wait.reject(this.#late())
    }
    if (this.#oldest) this.#arm(Math.max(1, this.#oldest.dueAt - now))
  }

  #arm(milliseconds: number): void {
    this.#timer = this.#clock.setTimeout(() => this.#expire(), milliseconds)
  }
}

/** Also true for promises of other libraries and realms. */
function isPromiseLike<T>(value: PromiseLike<T> | T): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && 'then' in value
}
