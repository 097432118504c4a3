import { randomUUID } from 'node:crypto'
import type { Clock, Logger, Timer } from '../ports.js'
import type { CooldownReport, RouterReport, RouterStore } from '../ports/router-store.js'
import type { FailureKind } from '../errors.js'
import { failureRules } from '../errors.js'
import type { DeploymentState } from './deployment-state.js'
import { Peers } from './peers.js'
import type { RouterState } from './router-state.js'

/** Keeps the states of several processes together; never on the way of a call. */
export interface SharedState {
  /** Stops telling and asking. */
  close(): void
}

/** What sharing needs. */
export interface SharingParts {
  readonly state: RouterState
  /** Guarded: every operation ends soon, whatever the store does. */
  readonly store: RouterStore
  readonly clock: Clock
  readonly logger: Logger
}

// Seen elsewhere within 250 ms: at most 100 ms until it is told, 100 ms until the others ask.
const intervalMs = 100
const heartbeatMs = 1_000
/** How long one process leaves a deployment that has rested to another: that the other is trying it is known by then. */
const turnMs = 500

/**
 * Tells peers what changed here, at most every 100 ms and only if something did, and takes in what they tell: at once
 * where the store can push, else every 100 ms. While calls run, a heartbeat every second keeps their counts alive.
 */
export function shareState(parts: SharingParts): SharedState {
  return new Sharing(parts)
}

class Sharing implements SharedState {
  readonly #parts: SharingParts
  readonly #process = randomUUID()
  readonly #changed = new Set<DeploymentState>()
  readonly #peers = new Peers()
  readonly #met = new WeakSet<DeploymentState>()
  readonly #unwatch: (() => void) | undefined
  #timer: Timer | undefined
  #firesAt = Number.POSITIVE_INFINITY
  #running = false
  #again = false
  #closed = false
  #toldAt = 0
  #failing = false

  constructor(parts: SharingParts) {
    this.#parts = parts
    parts.state.onChange = (one) => {
      this.#changed.add(one)
      this.#schedule(intervalMs)
    }
    this.#unwatch = parts.store.watch?.(() => this.#schedule(0))
    this.#schedule(0)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#unwatch?.()
    this.#parts.state.onChange = undefined
  }

  #schedule(milliseconds: number): void {
    const { clock } = this.#parts
    const at = clock.now() + milliseconds
    if (this.#closed || at >= this.#firesAt) return
    this.#timer?.cancel()
    this.#firesAt = at
    this.#timer = clock.setTimeout(() => this.#tick(), milliseconds)
  }

  #tick(): void {
    this.#timer = undefined
    this.#firesAt = Number.POSITIVE_INFINITY
    if (this.#closed) return
    if (this.#running) {
      this.#again = true
      return
    }
    this.#running = true
    void this.#exchange().finally(() => {
      this.#running = false
      const isDue = this.#again || this.#failing || this.#changed.size > 0 || !this.#unwatch
      this.#schedule(isDue ? intervalMs : heartbeatMs)
      this.#again = false
    })
  }

  async #exchange(): Promise<void> {
    const { clock, store, logger } = this.#parts
    const now = clock.now()
    const reported = this.#due(now)
    try {
      const report = reported.length > 0 ? toReport(this.#process, reported, now) : undefined
      const news = await store.exchange(this.#process, report)
      if (report) this.#toldAt = now
      this.#takeIn(news, now)
      this.#failing = false
    } catch (error) {
      // Nothing is lost: totals are told again as soon as the store is back.
      for (const one of reported) this.#changed.add(one)
      this.#goAlone()
      if (!this.#failing) logger.warn({ error }, 'The state of deployments cannot be shared at the moment.')
      this.#failing = true
    }
  }

  /** What is to be told: what changed, and from time to time what is in flight. */
  #due(now: number): readonly DeploymentState[] {
    const isBeat = now - this.#toldAt >= heartbeatMs
    const busy = isBeat ? [...this.#parts.state.all].filter((one) => one.ownInFlight > 0) : []
    const due = [...new Set([...this.#changed, ...busy])]
    this.#changed.clear()
    return due
  }

  #takeIn(news: readonly RouterReport[], now: number): void {
    const { state } = this.#parts
    for (const report of news) if (report.process !== this.#process) this.#peers.hear(report, now)
    const touched = this.#peers.settle(now)
    for (const one of state.all) {
      if (touched.has(one.id) || !this.#met.has(one)) takeOver(state, one, this.#peers, now)
      this.#met.add(one)
      if (one.coolingUntil !== 0) one.turnMs = this.#peers.turnOf(this.#process, one.cooledBy, now) * turnMs
    }
  }

  /** Nobody can be heard: what is left to others might be left to nobody. */
  #goAlone(): void {
    for (const one of this.#parts.state.all) {
      one.turnMs = 0
      if (one.peers.probing) one.peers = { ...one.peers, probing: false }
    }
  }
}

function toReport(process: string, states: readonly DeploymentState[], now: number): RouterReport {
  return {
    process,
    deployments: states.map((state) => {
      const { minute, requests, tokens } = state.own.at(now)
      return {
        id: state.id,
        inFlight: state.ownInFlight,
        minute,
        requests,
        tokens,
        firstTokenMs: state.firstToken.average(now),
        perTokenMs: state.perToken.average(now),
        ...(state.probing && { probing: true }),
      }
    }),
    // What a peer decided is told by that peer.
    cooldowns: states.filter((state) => state.cooledAt > 0 && state.cooledBy === undefined).map(toCooldownReport),
  }
}

function toCooldownReport({ id, cooledAt, coolingUntil, cause }: DeploymentState): CooldownReport {
  return { id, at: cooledAt, until: coolingUntil, kind: cause?.kind ?? '', status: cause?.status ?? 0 }
}

/** Takes over what peers told of a deployment. */
function takeOver(state: RouterState, one: DeploymentState, peers: Peers, now: number): void {
  one.peers = peers.statsOf(one.id, now)
  const decision = peers.cooldownOf(one.id)
  if (!decision) return
  const { kind, status } = decision
  const isKnown = Object.hasOwn(failureRules, kind)
  state.setCooldown(one, { ...decision, cause: isKnown ? { kind: kind as FailureKind, status } : undefined })
}
