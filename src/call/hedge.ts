import { GatewayError, toGatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import { quantileOf } from '../router/latency-window.js'
import type { ModelGroup } from '../router/model-group.js'
import type { HedgingOptions } from '../router/options.js'
import type { Picked, Route } from '../router/route.js'
import type { CallSignal } from '../upstream/call-signal.js'
import type { JsonObject } from '../wire/json.js'

/** Tells when an attempt has taken so long that a second one is worth its price. */
export interface Hedging {
  /** Milliseconds without an answer, or without the first content of a stream; undefined where too little is known. */
  delayFor(group: ModelGroup, stream: boolean): number | undefined
}

interface Known {
  readonly at: number
  readonly delayMs: number | undefined
}

const keepMs = 1_000

/** Measures the delay of each model group at most once a second. */
export function createHedging(options: HedgingOptions, clock: Clock): Hedging {
  const { afterMs, quantile = 0.95, minimumSamples = 20 } = options
  const streams = new WeakMap<ModelGroup, Known>()
  const wholes = new WeakMap<ModelGroup, Known>()
  return {
    delayFor(group, stream) {
      if (afterMs !== undefined) return afterMs
      const now = clock.now()
      const delays = stream ? streams : wholes
      const known = delays.get(group)
      if (known && now - known.at < keepMs) return known.delayMs
      const latencies = group.members.flatMap(({ state }) => (stream ? state.firstToken : state.whole).young(now))
      const delayMs = quantileOf(latencies, quantile, minimumSamples)
      delays.set(group, { at: now, delayMs })
      return delayMs
    },
  }
}

/** False for requests with tools that run at the provider: what they do would be done twice. */
export function mayHedge(request: JsonObject): boolean {
  const tools = request['tools']
  return !Array.isArray(tools) || tools.every((tool: JsonObject) => tool['type'] === 'function')
}

/** What attempts beside each other share. */
export interface Race<T> {
  readonly route: Route
  /** Of the call; each attempt gets a fork of it. */
  readonly signal: CallSignal
  readonly clock: Clock
  readonly attempt: (picked: Picked, signal: CallSignal) => Promise<T>
}

/** The attempt that answered first. Its signal lives on, for the rest of a stream. */
export interface Winner<T> {
  readonly answer: T
  readonly picked: Picked
  readonly signal: CallSignal
}

interface Runner<T> {
  readonly picked: Picked
  readonly signal: CallSignal
  /** Never rejects. */
  readonly outcome: Promise<Outcome<T>>
}

interface Outcome<T> {
  readonly runner: Runner<T>
  /** Undefined where the attempt failed. */
  readonly won: Winner<T> | undefined
  readonly error: GatewayError
}

const lost = new GatewayError('client_closed', 'Another attempt answered first.')

/**
 * Makes an attempt, and a second one at another deployment where the first gives nothing within `delayMs`. The first
 * answer wins; the other attempt is cancelled, and may be billed all the same.
 * @throws GatewayError of the first attempt once all have failed, or at once where the fault is the caller's own
 */
export async function raceAttempts<T>(first: Picked, delayMs: number, race: Race<T>): Promise<Winner<T>> {
  const { route, signal, clock } = race
  const primary = start(first, race)
  const runners = [primary]
  if (!(await settlesWithin(primary.outcome, delayMs, clock)) && !signal.ended) {
    const member = route.spare([first])
    if (member) runners.push(start(route.begin(member, 'hedge'), race))
  }
  return firstToWin(primary, runners, route)
}

function start<T>(picked: Picked, { signal, attempt }: Race<T>): Runner<T> {
  const fork = signal.fork()
  const outcome = attempt(picked, fork).then(
    (answer): Outcome<T> => ({ runner, won: { answer, picked, signal: fork }, error: lost }),
    (thrown: unknown): Outcome<T> => ({ runner, won: undefined, error: toGatewayError(thrown) }),
  )
  const runner: Runner<T> = { picked, signal: fork, outcome }
  return runner
}

function settlesWithin(outcome: Promise<unknown>, milliseconds: number, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimeout(() => resolve(false), milliseconds)
    void outcome.then(() => {
      timer.cancel()
      resolve(true)
    })
  })
}

async function firstToWin<T>(primary: Runner<T>, runners: readonly Runner<T>[], route: Route): Promise<Winner<T>> {
  const hedged = runners.length > 1
  let left = runners
  let cause: GatewayError | undefined
  for (;;) {
    const { runner, won, error } = await Promise.race(left.map(({ outcome }) => outcome))
    left = left.filter((other) => other !== runner)
    if (won) {
      left.forEach(abandon)
      return won
    }
    runner.signal.dispose()
    if (runner === primary) cause = error
    // The other attempt would only repeat the caller's own fault.
    const isFinal = runner === primary && !error.rule.reroute && !error.rule.retry
    if (isFinal) left.forEach(abandon)
    else if (hedged) route.excluded(runner.picked, error)
    if (isFinal || left.length === 0) throw cause ?? error
  }
}

function abandon({ picked, signal }: Runner<unknown>): void {
  picked.lease.cancelled()
  signal.end(lost)
  signal.dispose()
}
