import { GatewayError } from '../errors.js'
import type { Clock, Timer } from '../ports.js'
import { type Passage, createBreaker } from './breaker.js'

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
  /** Milliseconds for each operation of a store that answers others. @default 2,000, at least five deadlines */
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

/** Runs operations under one deadline and one breaker. */
function createGuard<Store>(options: GuardOptions<Store>): (operation: Operation) => Promise<unknown> {
  const {
    name,
    clock,
    deadlineMs = 50,
    silenceMs = deadlineMs,
    isConnected = () => true,
    busyMs = Math.max(2_000, 5 * deadlineMs),
    failures = 5,
    probeMs = 500,
    maxLate = 100,
    onState,
  } = options
  const breaker = createBreaker({
    clock,
    failures,
    probeMs,
    onChange: (failure) => onState?.(failure === undefined ? { state: 'up' } : { state: 'down', failure }),
  })
  const failed = (what: string, cause?: unknown): GatewayError =>
    new GatewayError('unavailable', `${name} ${what}.`, { cause })
  const tooBusy = (): GatewayError =>
    new GatewayError('overloaded', `${name} is too busy.`, { retryAfterMs: busyRetryMs })
  let late = 0
  let answeredAt = -Infinity

  const attempt = (operation: Operation, passage: Passage): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const start = clock.now()
      let stage: 'waiting' | 'late' | 'over' = 'waiting'
      const fail = (error: GatewayError): void => {
        passage.failed(error)
        reject(error)
      }
      const busy = (): void => {
        passage.succeeded()
        reject(tooBusy())
      }
      let timer: Timer | undefined
      let firesAt = 0
      const wait = (): void => {
        const now = clock.now()
        firesAt = Math.min(now + deadlineMs, start + Math.max(busyMs, deadlineMs))
        // An event loop that was busy runs timers first: what arrived meanwhile is read before the store is blamed.
        timer = clock.setTimeout(() => setImmediate(expire), firesAt - now)
      }
      const expire = (): void => {
        if (stage === 'over') return
        const now = clock.now()
        const answersOthers = now - answeredAt < deadlineMs
        const hadNoTime = now - firesAt > deadlineMs
        const isSlow = now - Math.max(start, answeredAt) < silenceMs && isConnected()
        if ((answersOthers || hadNoTime || isSlow) && now - start < busyMs) return wait()
        stage = 'late'
        late++
        if (answersOthers) return busy()
        fail(failed(`did not answer within ${Math.round(now - start)} ms`))
      }
      wait()
      const end = (tell: () => void): void => {
        if (stage === 'late') late--
        else tell()
        stage = 'over'
        timer?.cancel()
      }
      const succeed = (answer: unknown, tell: (answer: unknown) => void): void => {
        answeredAt = clock.now()
        passage.succeeded()
        tell(answer)
      }
      call(operation).then(
        (answer) => {
          // What a client had queued is answered once its server is back; what is merely slow is not worth a probe.
          if (stage === 'late' && clock.now() - start > probeMs) breaker.hurry()
          end(() => succeed(answer, resolve))
        },
        (thrown: unknown) =>
          end(() => (GatewayError.isInstance(thrown) ? succeed(thrown, reject) : fail(failed('failed', thrown)))),
      )
    })

  return async (operation) => {
    const passage = late < maxLate ? breaker.enter() : undefined
    if (!passage && late >= maxLate && clock.now() - answeredAt < deadlineMs) throw tooBusy()
    if (!passage) throw failed('does not answer and is left alone for a moment')
    return attempt(operation, passage)
  }
}

/** What an operation throws at once is a rejection too. */
async function call(operation: Operation): Promise<unknown> {
  return operation()
}
