import type { FailureKind } from '../errors.js'
import type { FailureClass } from './failure-class.js'
import { LatencyWindow } from './latency-window.js'

/** Why a deployment rests: the class of the failure, never its words, which may tell of another caller. */
export interface CooldownCause {
  readonly kind: FailureKind
  readonly status: number
}

/** What a strategy may know of a deployment, this process and its peers together. */
export interface DeploymentStats {
  /** Attempts under way. */
  readonly inFlight: number
  /** Attempts begun in the running minute. */
  requests(now: number): number
  /** Tokens, input and output, of answers of the running minute. */
  tokens(now: number): number
  /** Milliseconds to the first content of a stream, lately; undefined before the first. */
  firstTokenMs(now: number): number | undefined
  /** Milliseconds per output token of whole answers, lately; undefined before the first. */
  perTokenMs(now: number): number | undefined
}

/** What other processes said of a deployment, summed up. */
export interface PeerStats {
  readonly inFlight: number
  readonly minute: number
  readonly requests: number
  readonly tokens: number
  readonly firstTokenMs: number | undefined
  readonly perTokenMs: number | undefined
  /** One of them is trying whether a cooldown may end. */
  readonly probing: boolean
}

const minuteMs = 60_000
/** Minutes for which what peers measured counts. */
export const recentMinutes = 2
const noPeers: PeerStats = Object.freeze({
  inFlight: 0,
  minute: 0,
  requests: 0,
  tokens: 0,
  firstTokenMs: undefined,
  perTokenMs: undefined,
  probing: false,
})

/** Counts of one minute; those of another minute are none. */
class MinuteCounts {
  minute = 0
  requests = 0
  tokens = 0
  failures = 0
  failuresByClass: Partial<Record<FailureClass, number>> = {}

  at(now: number): this {
    const minute = Math.floor(now / minuteMs)
    if (minute !== this.minute) {
      this.minute = minute
      this.requests = 0
      this.tokens = 0
      this.failures = 0
      this.failuresByClass = {}
    }
    return this
  }
}

/** Everything that changes about a deployment; one per id, whatever becomes of the model list. */
export class DeploymentState implements DeploymentStats {
  readonly id: string
  readonly own = new MinuteCounts()
  readonly firstToken = new LatencyWindow()
  readonly perToken = new LatencyWindow()
  readonly whole = new LatencyWindow()
  peers: PeerStats = noPeers
  ownInFlight = 0
  consecutiveFailures = 0
  /** Milliseconds since the epoch. */
  answeredAt = Number.NEGATIVE_INFINITY
  /** Milliseconds since the epoch; 0 while healthy. Past, it is half open: one attempt may try. */
  coolingUntil = 0
  /** When the cooldown was decided. */
  cooledAt = 0
  /** The peer that decided it; undefined where it was decided here. */
  cooledBy: string | undefined
  /** Milliseconds after a cooldown that are left to the attempts of peers, so that one of all processes tries. */
  turnMs = 0
  cause: CooldownCause | undefined
  /** One attempt is trying whether the cooldown may end. */
  probing = false

  constructor(id: string) {
    this.id = id
  }

  get inFlight(): number {
    return this.ownInFlight + this.peers.inFlight
  }

  requests(now: number): number {
    const { requests, minute } = this.own.at(now)
    return requests + (this.peers.minute === minute ? this.peers.requests : 0)
  }

  tokens(now: number): number {
    const { tokens, minute } = this.own.at(now)
    return tokens + (this.peers.minute === minute ? this.peers.tokens : 0)
  }

  firstTokenMs(now: number): number | undefined {
    return this.firstToken.average(now) ?? (this.#hasRecentPeers(now) ? this.peers.firstTokenMs : undefined)
  }

  perTokenMs(now: number): number | undefined {
    return this.perToken.average(now) ?? (this.#hasRecentPeers(now) ? this.peers.perTokenMs : undefined)
  }

  /** Latencies of peers grow old as our own do, so that a slow spell is forgotten. */
  #hasRecentPeers(now: number): boolean {
    return Math.floor(now / minuteMs) - this.peers.minute <= recentMinutes
  }

  /** True where calls may go: healthy, or half open with nobody trying yet. */
  isOpen(now: number): boolean {
    if (this.coolingUntil === 0) return true
    return now >= this.coolingUntil + this.turnMs && !this.probing && !this.peers.probing
  }
}
