import type { Timeouts } from '../deployment.js'
import { GatewayError } from '../errors.js'
import type { Clock, Timer } from '../ports.js'
import type { JsonObject } from '../wire/json.js'
import type { SentRequest } from './message.js'

/** The part of a call that a deadline is set for. */
export type Phase = keyof Timeouts

/** How far an attempt's requests have come. */
export interface TrackedAttempt {
  /** A request of it is, or was, on a connection. */
  sent: boolean
  /** The latest part of it is on a connection; see `parts`. */
  partSent: boolean
  /** The provider has begun an answer to the latest part whose status says success. */
  accepted: boolean
  /** Of a call that takes several requests, each billed by itself: all of them in turn; empty for one request. */
  parts: readonly AttemptPart[]
  /** The usage of a whole answer in the provider's own words, or of a stream that failed before it had content. */
  told: JsonObject | undefined
}

/** One of the requests that a call is made in. */
export interface AttemptPart {
  /** What it asks for, in the shape of the call's own request. */
  readonly request: JsonObject
  answered: boolean
  /** As its answer told it. */
  usage: JsonObject | undefined
}

const never = Number.POSITIVE_INFINITY

const expiryTexts: Readonly<Record<Phase, string>> = {
  connect: 'No connection to the provider within',
  headers: 'The provider did not begin to answer within',
  firstToken: 'The provider sent no content within',
  idle: 'The provider stopped sending for',
  total: 'The call was not finished within',
}

/** The error that a deadline gives when it is missed; answers 504. */
export function timeoutError(phase: Phase, milliseconds: number): GatewayError {
  return new GatewayError('timeout', `${expiryTexts[phase]} ${milliseconds} ms.`, { code: `${snake(phase)}_timeout` })
}

const snake = (phase: Phase): string => (phase === 'firstToken' ? 'first_token' : phase)

/**
 * Everything that can end one call early: the client leaving, the gateway closing, the total deadline, and the
 * deadline of the running phase. One timer serves all deadlines: it is set again only when it fires too early.
 */
export class CallSignal {
  readonly #clock: Clock
  readonly #startedAt: number
  readonly #parent: CallSignal | undefined
  #forks: Set<CallSignal> | undefined
  #totalMs = 0
  #totalAt = never
  #isAnswered = false
  #onEnd: (() => void) | undefined
  #phase: Phase = 'total'
  #phaseMs = 0
  #phaseAt = never
  #timer: Timer | undefined
  #firesAt = never
  #listener: ((error: GatewayError) => void) | undefined
  #ended: GatewayError | undefined
  /** The attempt under way; told at once when a request of it is on a connection, and when it is answered with success. */
  attempt: TrackedAttempt | undefined
  /** Where it stands among the running calls, which keep it; undefined while it is none of them. */
  place: number | undefined
  /** What was sent last; read only to take its credentials out of an error. */
  sent: SentRequest | undefined

  /** `onEnd` is told when the call ends early, whether or not a step listens: a stream may have no reader. */
  constructor(clock: Clock, totalMs: number, onEnd?: () => void, parent?: CallSignal) {
    this.#clock = clock
    this.#onEnd = onEnd
    this.#parent = parent
    this.#startedAt = parent ? parent.#startedAt : clock.now()
    this.limitTotal(totalMs)
  }

  /**
   * A signal for one of several attempts at a time, with deadlines of its own. It ends with the call; the call ends with
   * it only once it carries the answer. `dispose` it when its attempt is over.
   */
  fork(): CallSignal {
    const fork = new CallSignal(this.#clock, this.#totalMs, undefined, this)
    if (this.#ended) fork.end(this.#ended)
    this.#forks ??= new Set()
    this.#forks.add(fork)
    return fork
  }

  /** Sets the total deadline, in milliseconds from the start of the call; each deployment that is tried brings its own. */
  limitTotal(totalMs: number): void {
    this.#totalMs = totalMs
    this.#totalAt = totalMs > 0 ? this.#startedAt + totalMs : never
    // Between attempts it is the call that waits.
    this.#parent?.limitTotal(totalMs)
  }

  /** The call has its answer, whose rest is under way: from now on the total deadline ends the call, not just a step. */
  answered(): void {
    this.#isAnswered = true
  }

  /** Why the whole call ended early; undefined while it may go on. */
  get ended(): GatewayError | undefined {
    return this.#ended
  }

  /** Milliseconds left of the whole call. */
  get remainingMs(): number {
    return this.#totalAt === never ? never : this.#totalAt - this.#clock.now()
  }

  /** Sets who is told when the call or the running phase ends early; only the step that is under way listens. */
  listen(listener: ((error: GatewayError) => void) | undefined): void {
    this.#listener = listener
    if (listener && this.#ended) listener(this.#ended)
  }

  /** Ends the whole call: no further step is taken. The first reason stays. */
  end(error: GatewayError): void {
    if (this.#ended) return
    this.#ended = error
    this.#listener?.(error)
    for (const fork of this.#forks ?? []) fork.end(error)
    this.#onEnd?.()
    if (this.#isAnswered) this.#parent?.end(error)
  }

  /** Ends only the step that is under way, and closes what it left open; the call goes on with another. */
  endStep(error: GatewayError): void {
    const listener = this.#listener
    this.#listener = undefined
    this.leave()
    listener?.(error)
  }

  /** Starts a phase's deadline; 0 sets none. */
  enter(phase: Phase, milliseconds: number): void {
    if (this.#ended) return
    this.#phase = phase
    this.#phaseMs = milliseconds
    this.#phaseAt = milliseconds > 0 ? this.#clock.now() + milliseconds : never
    this.#arm()
  }

  /** Stops the phase's deadline while it is not the upstream that we wait for. */
  leave(): void {
    this.#phaseAt = never
  }

  /** Stops the timer; the call, or the fork's attempt, is over. */
  dispose(): void {
    for (const fork of this.#forks ?? []) fork.dispose()
    if (this.#parent) this.#parent.#forks?.delete(this)
    this.#timer?.cancel()
    this.#timer = undefined
    this.#listener = undefined
    this.#onEnd = undefined
    this.#firesAt = never
  }

  #arm(): void {
    const due = Math.min(this.#phaseAt, this.#totalAt)
    if (due >= this.#firesAt || due === never) return
    this.#timer?.cancel()
    this.#firesAt = due
    this.#timer = this.#clock.setTimeout(() => this.#fire(), Math.max(0, due - this.#clock.now()))
  }

  #expire(): void {
    const error = timeoutError('total', this.#totalMs)
    this.#phaseAt = never
    // Another deployment may have more time.
    if (this.#listener && !this.#isAnswered) this.#listener(error)
    else this.end(error)
  }

  #fire(): void {
    this.#timer = undefined
    this.#firesAt = never
    const now = this.#clock.now()
    if (now >= this.#totalAt) return this.#expire()
    if (now >= this.#phaseAt) {
      this.#phaseAt = never
      this.#listener?.(timeoutError(this.#phase, this.#phaseMs))
    }
    this.#arm()
  }
}
