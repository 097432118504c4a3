import { GatewayError } from '../errors.js'
import type { Clock, Timer } from '../ports.js'
import { type Breaker, type Passage, createBreaker } from './breaker.js'
import { type LateOperations, createLateOperations } from '../late-operations.js'

/** A store answers again, or is left alone for a while because of `failure`. */
export type StoreState = { readonly state: 'up' } | { readonly state: 'down'; readonly failure: unknown }

/** How long a store is waited for, and when it is no longer asked. */
export interface GuardOptions<Store> {
  /** For messages: `the cache store`. */
  readonly name: string
  readonly clock: Clock
  /**
   * Milliseconds for each operation. A store that answers others meanwhile is busy, not away: it is waited for up to
   * `busyMs`. @default 50
   */
  readonly deadlineMs?: number
  /** Milliseconds of silence until a store is away whose connection is not known to be lost: slow till then. @default `deadlineMs` */
  readonly silenceMs?: number
  /** False where its connection is known to be lost. @default never known */
  readonly isConnected?: () => boolean
  /** Milliseconds for each operation of a store that answers others. @default 2,000, at least five times `silenceMs` */
  readonly busyMs?: number
  /** Failures in a row after which nothing is asked. @default 5 */
  readonly failures?: number
  /** How often one operation is let through to see whether the store is back, in milliseconds. @default 500 */
  readonly probeMs?: number
  /**
   * Operations that may be waiting in the store's client after their deadline; while there are as many, none is asked,
   * so that a client which queues for a server that is away queues no more than these. @default 100
   */
  readonly maxLate?: number
  /**
   * How often one is asked all the same while as many are late, in milliseconds; where it is answered, those that were
   * late are lost, and count no more. @default 30,000
   */
  readonly stuckMs?: number
  /** Methods that give their result at once and are passed on as they are, such as `watch`. @default none */
  readonly synchronous?: readonly SynchronousMethod<Store>[]
  /** Called once per change. */
  readonly onState?: (state: StoreState) => void
}

/** Names of the methods that do not give a promise. */
type SynchronousMethod<Store> = {
  [K in keyof Store]-?: NonNullable<Store[K]> extends (...args: never[]) => infer Result
    ? Result extends PromiseLike<unknown>
      ? never
      : K
    : never
}[keyof Store]

type Operation = () => unknown

/**
 * Gives every operation of a store a deadline and all of them one breaker; what comes after the deadline is dropped.
 * The methods reject with GatewayError `overloaded` where a store answers others but not in time, and else `unavailable`,
 * `cause` being what the store threw. A GatewayError that the store itself throws is an answer, and passed on.
 */
export function guardStore<Store extends object>(store: Store, options: GuardOptions<Store>): Store {
  const run = createGuard(options)
  const passed = new Set<PropertyKey>(options.synchronous ?? [])
  const members = new Map<PropertyKey, unknown>()
  const toMember = (key: PropertyKey): unknown => {
    const member: unknown = Reflect.get(store, key)
    if (typeof member !== 'function') return member
    const call = (args: readonly unknown[]): unknown => Reflect.apply(member, store, args)
    return passed.has(key) ? (...args: unknown[]) => call(args) : (...args: unknown[]) => run(() => call(args))
  }
  // Around an object of our own, as nothing may be hidden of a host's frozen one.
  const shell: Store = Object.create(store)
  return new Proxy(shell, {
    get(_, key) {
      if (!members.has(key)) members.set(key, toMember(key))
      return members.get(key)
    },
  })
}

const busyRetryMs = 1_000

/** What `guardStore` works by, with nothing left out. */
interface Limits {
  readonly name: string
  readonly clock: Clock
  readonly deadlineMs: number
  readonly silenceMs: number
  readonly isConnected: () => boolean
  readonly busyMs: number
  readonly probeMs: number
}

/** Runs operations under one deadline and one breaker. */
function createGuard<Store>(options: GuardOptions<Store>): (operation: Operation) => Promise<unknown> {
  const { name, clock, deadlineMs = 50, probeMs = 500, failures = 5, maxLate = 100, stuckMs = 30_000 } = options
  const { silenceMs = deadlineMs, isConnected = () => true, busyMs = Math.max(2_000, 5 * silenceMs), onState } = options
  const onChange = (failure: unknown): void =>
    onState?.(failure === undefined ? { state: 'up' } : { state: 'down', failure })
  const guard = new Guard(
    { name, clock, deadlineMs, silenceMs, isConnected, busyMs, probeMs },
    createBreaker({ clock, failures, probeMs, onChange }),
    createLateOperations({ clock, most: maxLate, stuckMs }),
  )
  return (operation) => guard.run(operation)
}

/** What the operations of one store share. */
class Guard {
  readonly limits: Limits
  readonly late: LateOperations
  readonly breaker: Breaker
  answeredAt = -Infinity

  constructor(limits: Limits, breaker: Breaker, late: LateOperations) {
    this.limits = limits
    this.breaker = breaker
    this.late = late
  }

  /** Rejects as `guardStore` says. */
  async run(operation: Operation): Promise<unknown> {
    const { late, breaker } = this
    const { isFull } = late
    const passage = late.mayAsk ? breaker.enter() : undefined
    if (passage) return new Attempt(this, passage).run(operation)
    throw isFull && this.isAnswering ? this.tooBusy() : this.failure('does not answer and is left alone for a moment')
  }

  /** The store answered something within the last moment. */
  get isAnswering(): boolean {
    return this.limits.clock.now() - this.answeredAt < this.limits.silenceMs
  }

  failure(what: string, cause?: unknown): GatewayError {
    return new GatewayError('unavailable', `${this.limits.name} ${what}.`, { cause })
  }

  tooBusy(): GatewayError {
    return new GatewayError('overloaded', `${this.limits.name} is too busy.`, { retryAfterMs: busyRetryMs })
  }
}

/** One operation under way, until it is answered or its time is up. */
class Attempt {
  readonly #guard: Guard
  readonly #passage: Passage
  readonly #answeredInTime: () => void
  readonly #start: number
  #firesAt = 0
  #timer: Timer | undefined
  #isOver = false
  /** Set once the deadline has passed: what is told when it settles after all. */
  #settledLate: (() => void) | undefined
  #reject: (error: GatewayError) => void = () => {}

  constructor(guard: Guard, passage: Passage) {
    this.#guard = guard
    this.#passage = passage
    this.#answeredInTime = guard.late.asked()
    this.#start = guard.limits.clock.now()
  }

  run(operation: Operation): Promise<unknown> {
    return new Promise((resolve, reject: (error: unknown) => void) => {
      this.#reject = reject
      this.#wait()
      call(operation).then(
        (answer) => this.#end(() => this.#succeed(() => resolve(answer))),
        (thrown: unknown) =>
          this.#end(() => {
            if (GatewayError.isInstance(thrown)) this.#succeed(() => reject(thrown))
            else this.#fail(this.#guard.failure('failed', thrown))
          }, true),
      )
    })
  }

  #wait(): void {
    const { clock, deadlineMs, busyMs } = this.#guard.limits
    const now = clock.now()
    this.#firesAt = Math.min(now + deadlineMs, this.#start + Math.max(busyMs, deadlineMs))
    // An event loop that was busy runs timers first: what arrived meanwhile is read before the store is blamed.
    this.#timer = clock.setTimeout(() => setImmediate(() => this.#expire()), this.#firesAt - now)
  }

  #expire(): void {
    if (this.#isOver) return
    const guard = this.#guard
    const { clock, deadlineMs, silenceMs, isConnected, busyMs } = guard.limits
    const now = clock.now()
    const hadNoTime = now - this.#firesAt > deadlineMs
    const isSlow = now - Math.max(this.#start, guard.answeredAt) < silenceMs && isConnected()
    const isAway = !guard.isAnswering && !isSlow
    if ((!isAway || hadNoTime) && now - this.#start < busyMs) return this.#wait()
    this.#settledLate = guard.late.add()
    // Only who is silent is away: else somebody would count beside a store that counts.
    if (isAway) return this.#fail(guard.failure(`did not answer within ${Math.round(now - this.#start)} ms`))
    this.#passage.succeeded()
    this.#reject(guard.tooBusy())
  }

  #end(tell: () => void, isFailure = false): void {
    const { limits, breaker } = this.#guard
    this.#isOver = true
    this.#timer?.cancel()
    if (!this.#settledLate) return tell()
    this.#settledLate()
    // What a client had queued is answered once its server is back; what is merely slow is not worth a probe.
    if (!isFailure && limits.clock.now() - this.#start > limits.probeMs) breaker.hurry()
  }

  #succeed(tell: () => void): void {
    this.#guard.answeredAt = this.#guard.limits.clock.now()
    this.#answeredInTime()
    this.#passage.succeeded()
    tell()
  }

  #fail(error: GatewayError): void {
    this.#passage.failed(error)
    this.#reject(error)
  }
}

/** What an operation throws at once is a rejection too. */
async function call(operation: Operation): Promise<unknown> {
  return operation()
}
