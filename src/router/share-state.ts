import { randomUUID } from 'node:crypto'
import type { Clock, Logger, Timer } from '../ports.js'
import type { CooldownReport, DeploymentReport, RouterReport, RouterStore } from '../ports/router-store.js'
import type { FailureKind } from '../errors.js'
import { failureRules } from '../errors.js'
import { type DeploymentState, type PeerStats, recentMinutes } from './deployment-state.js'
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
// What a process has in flight counts for so long after it was last heard of; what it did, as long as it is recent.
const peerMs = 5_000
const forgottenMs = (recentMinutes + 1) * 60_000
const heartbeatMs = 1_000

/**
 * Tells peers what changed here, at most every 100 ms and only if something did, and takes in what they tell: at once
 * where the store can push, else every 100 ms. While calls run, a heartbeat every second keeps their counts alive.
 */
export function shareState({ state, store, clock, logger }: SharingParts): SharedState {
  const process = randomUUID()
  const changed = new Set<DeploymentState>()
  const peers = new Map<string, Peer>()
  let timer: Timer | undefined
  let firesAt = Number.POSITIVE_INFINITY
  let running = false
  let again = false
  let closed = false
  let toldAt = 0
  let failing = false

  const tick = (): void => {
    timer = undefined
    firesAt = Number.POSITIVE_INFINITY
    if (closed) return
    if (running) {
      again = true
      return
    }
    running = true
    void exchange().finally(() => {
      running = false
      schedule(again || failing || changed.size > 0 || !unwatch ? intervalMs : heartbeatMs)
      again = false
    })
  }
  const schedule = (milliseconds: number): void => {
    const at = clock.now() + milliseconds
    if (closed || at >= firesAt) return
    timer?.cancel()
    firesAt = at
    timer = clock.setTimeout(tick, milliseconds)
  }
  const exchange = async (): Promise<void> => {
    const now = clock.now()
    const told = now - toldAt >= heartbeatMs ? [...state.all].filter((one) => one.ownInFlight > 0) : []
    const reported = [...new Set([...changed, ...told])]
    changed.clear()
    try {
      const report = reported.length > 0 ? toReport(process, reported, now) : undefined
      const news = await store.exchange(process, report)
      if (report) toldAt = now
      takeIn(news, now)
      failing = false
    } catch (error) {
      // Nothing is lost: totals are told again as soon as the store is back.
      for (const one of reported) changed.add(one)
      if (!failing) logger.warn({ error }, 'The state of deployments cannot be shared at the moment.')
      failing = true
    }
  }
  const takeIn = (news: readonly RouterReport[], now: number): void => {
    const touched = new Set<string>()
    for (const { process: peer, deployments, cooldowns } of news) {
      if (peer === process) continue
      const known = new Map(peers.get(peer)?.reports)
      for (const report of deployments) {
        known.set(report.id, report)
        touched.add(report.id)
      }
      peers.set(peer, { heardAt: now, isSilent: false, reports: known })
      for (const cooldown of cooldowns) takeCooldown(state, cooldown)
    }
    for (const [name, peer] of peers) {
      const silentMs = now - peer.heardAt
      if (silentMs <= (peer.isSilent ? forgottenMs : peerMs)) continue
      if (peer.isSilent) peers.delete(name)
      else peers.set(name, toSilent(peer))
      for (const id of peer.reports.keys()) touched.add(id)
    }
    for (const id of touched)
      state.of(id).peers = sumUp(
        id,
        [...peers.values()].map(({ reports }) => reports),
        now,
      )
  }

  state.onChange = (one) => {
    changed.add(one)
    schedule(intervalMs)
  }
  const unwatch = store.watch?.(() => schedule(0))
  schedule(0)
  return {
    close() {
      closed = true
      timer?.cancel()
      unwatch?.()
      state.onChange = undefined
    },
  }
}

/** Another process, as it was last heard of. */
interface Peer {
  readonly heardAt: number
  /** True once what it had in flight no longer counts. */
  readonly isSilent: boolean
  readonly reports: ReadonlyMap<string, DeploymentReport>
}

function toSilent({ heardAt, reports }: Peer): Peer {
  const idle = [...reports].map(([id, report]) => [id, { ...report, inFlight: 0 }] as const)
  return { heardAt, isSilent: true, reports: new Map(idle) }
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
      }
    }),
    cooldowns: states.filter((state) => state.cooledAt > 0).map(toCooldownReport),
  }
}

function toCooldownReport({ id, cooledAt, coolingUntil, cause }: DeploymentState): CooldownReport {
  return { id, at: cooledAt, until: coolingUntil, kind: cause?.kind ?? '', status: cause?.status ?? 0 }
}

function takeCooldown(state: RouterState, { id, at, until, kind, status }: CooldownReport): void {
  const known = Object.hasOwn(failureRules, kind)
  state.setCooldown(id, until, at, known ? { kind: kind as FailureKind, status } : undefined)
}

function sumUp(id: string, peers: readonly ReadonlyMap<string, DeploymentReport>[], now: number): PeerStats {
  const minute = Math.floor(now / 60_000)
  const reports = peers.flatMap((reports) => reports.get(id) ?? [])
  const current = reports.filter((report) => report.minute === minute)
  const recent = reports.filter((report) => minute - report.minute <= recentMinutes)
  return {
    minute,
    inFlight: reports.reduce((sum, report) => sum + report.inFlight, 0),
    requests: current.reduce((sum, report) => sum + report.requests, 0),
    tokens: current.reduce((sum, report) => sum + report.tokens, 0),
    firstTokenMs: average(recent.map((report) => report.firstTokenMs)),
    perTokenMs: average(recent.map((report) => report.perTokenMs)),
  }
}

function average(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length
}
