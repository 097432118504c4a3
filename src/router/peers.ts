import type { CooldownReport, DeploymentReport, RouterReport } from '../ports/router-store.js'
import { type PeerStats, recentMinutes } from './deployment-state.js'

// What a process has in flight counts for so long after it was last heard of; what it did, as long as it is recent.
const livelyMs = 5_000
const minuteMs = 60_000
const forgottenMs = (recentMinutes + 1) * minuteMs
/** As long as somebody may still tell of the cooldown that was ended. */
const endedMs = minuteMs

/** What a peer decided about a deployment's rest. */
export interface PeerCooldown extends CooldownReport {
  /** Name of the process. */
  readonly by: string
}

/** Another process, as it was last heard of. */
interface Peer {
  readonly heardAt: number
  /** True once what it had in flight no longer counts. */
  readonly isSilent: boolean
  readonly reports: ReadonlyMap<string, DeploymentReport>
}

/** What other processes told, also of deployments that are not known here; times in milliseconds since the epoch. */
export class Peers {
  readonly #peers = new Map<string, Peer>()
  readonly #cooldowns = new Map<string, PeerCooldown>()
  #touched = new Set<string>()

  /** Takes in what a process told. */
  hear({ process, deployments, cooldowns }: RouterReport, now: number): void {
    const known = [...(this.#peers.get(process)?.reports ?? [])].filter(([, report]) => !isOld(report, now))
    const reports = new Map([...known, ...deployments.map((report) => [report.id, report] as const)])
    this.#peers.set(process, { heardAt: now, isSilent: false, reports })
    for (const { id } of deployments) this.#touched.add(id)
    for (const cooldown of cooldowns) {
      // Of two decisions of one moment the store gives the same to all.
      if (cooldown.at < (this.#cooldowns.get(cooldown.id)?.at ?? 0)) continue
      this.#cooldowns.set(cooldown.id, { ...cooldown, by: process })
      this.#touched.add(cooldown.id)
    }
  }

  /** Lets go of what is over; gives the ids of which something changed since this was asked last. */
  settle(now: number): ReadonlySet<string> {
    for (const [name, peer] of this.#peers) {
      const silentMs = now - peer.heardAt
      if (silentMs <= (peer.isSilent ? forgottenMs : livelyMs)) continue
      if (peer.isSilent) this.#peers.delete(name)
      else this.#peers.set(name, toSilent(peer))
      for (const id of peer.reports.keys()) this.#touched.add(id)
    }
    for (const [id, { at, until }] of this.#cooldowns)
      if (Math.max(until, at + endedMs) < now) this.#cooldowns.delete(id)
    const touched = this.#touched
    this.#touched = new Set()
    return touched
  }

  /** The latest decision about a deployment that is not long over. */
  cooldownOf(id: string): PeerCooldown | undefined {
    return this.#cooldowns.get(id)
  }

  /** What all of them together did with a deployment. */
  statsOf(id: string, now: number): PeerStats {
    const minute = Math.floor(now / minuteMs)
    const reports = [...this.#peers.values()].flatMap((peer) => peer.reports.get(id) ?? [])
    const current = reports.filter((report) => report.minute === minute)
    const recent = reports.filter((report) => minute - report.minute <= recentMinutes)
    return {
      minute,
      inFlight: reports.reduce((sum, report) => sum + report.inFlight, 0),
      requests: current.reduce((sum, report) => sum + report.requests, 0),
      tokens: current.reduce((sum, report) => sum + report.tokens, 0),
      firstTokenMs: average(recent.map((report) => report.firstTokenMs)),
      perTokenMs: average(recent.map((report) => report.perTokenMs)),
      probing: reports.some((report) => report.probing === true && report.inFlight > 0),
    }
  }

  /**
   * How many processes a deployment that has rested is left to before it is this one's turn: whoever decided on its rest
   * comes first, then those that told something within a minute, by name.
   */
  turnOf(process: string, decider: string | undefined, now: number): number {
    if (decider === undefined) return 0
    const recent = [...this.#peers].filter(([name, { heardAt }]) => name !== decider && now - heardAt <= minuteMs)
    const before = recent.filter(([name]) => name < process).length
    return before + (this.#peers.has(decider) ? 1 : 0)
  }
}

/** Nothing of it counts any more. */
function isOld({ minute, inFlight }: DeploymentReport, now: number): boolean {
  return inFlight === 0 && Math.floor(now / minuteMs) - minute > recentMinutes
}

function toSilent({ heardAt, reports }: Peer): Peer {
  const idle = [...reports].map(([id, report]) => [id, { ...report, inFlight: 0 }] as const)
  return { heardAt, isSilent: true, reports: new Map(idle) }
}

function average(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length
}
