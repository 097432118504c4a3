import type { Deployment } from '../deployment.js'
import { GatewayError, toGatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import type { CallSignal } from '../upstream/call-signal.js'
import { type AttemptLease, beginLease } from './attempt-lease.js'
import { type Choice, choose, obstacleOf } from './choose.js'
import { type FallbackPolicy, fallbacksAfter } from './fallbacks.js'
import type { Member, ModelGroup } from './model-group.js'
import { nobodyFree } from './nobody-free.js'
import { pause } from './pause.js'
import { type GroupFacts, noFacts } from './pre-call-checks.js'
import { type RetryPolicy, backOff, isUnsent, mayRepeat, retriesFor } from './retry.js'
import type { RouterState } from './router-state.js'
import type { Strategy } from './strategies/strategy.js'
import type { AttemptReason, CallTrail } from './trail.js'

/** What the routes of one gateway share. */
export interface RouterParts {
  readonly state: RouterState
  readonly clock: Clock
  readonly random: () => number
  readonly strategy: Strategy
  readonly retry: RetryPolicy
  readonly fallbacks: FallbackPolicy
  /** True where `rpm` and `tpm` of deployments are limits. */
  readonly enforceRates: boolean
  /** The group of a name; undefined for an unknown one. */
  readonly find: (modelName: string) => ModelGroup | undefined
}

/** What one call wants of its route. */
export interface RouteRequest {
  readonly group: ModelGroup
  readonly signal: CallSignal
  readonly trail: CallTrail
  readonly stream: boolean
  /** Attempts after the first in one group; the gateway's where undefined. */
  readonly retries: number | undefined
  /** Groups that take over in place of the gateway's table; undefined leaves that in force, empty switches it off. */
  readonly fallbacks: readonly string[] | undefined
  /** What the request asks of the members of a group. @default nothing */
  readonly factsOf?: ((group: ModelGroup) => GroupFacts) | undefined
  readonly prefer: Choice['prefer']
}

/** A deployment that was picked for one attempt, which is under way. */
export interface Picked {
  readonly deployment: Deployment
  readonly member: Member
  readonly lease: AttemptLease
}

/**
 * One call's way from deployment to deployment and from group to group, until one answers or nothing is left that may
 * be tried. It can be resumed: after an answer that broke off, `run` goes on where it was, with what is left.
 */
export class Route {
  readonly #request: RouteRequest
  readonly #parts: RouterParts
  readonly #visited = new Set<string>()
  readonly #waiting: string[] = []
  #group: ModelGroup
  #facts: GroupFacts
  #failed = new Set<Member>()
  /** Those of them that a repetition cannot help. */
  #hopeless = new Set<Member>()
  #attempts = 0
  #attemptsInGroup = 0
  #fallbacks = 0
  #next: AttemptReason = 'first'
  #waits = 0
  #first: GatewayError | undefined

  constructor(request: RouteRequest, parts: RouterParts) {
    this.#request = request
    this.#parts = parts
    this.#group = request.group
    this.#facts = request.factsOf?.(request.group) ?? noFacts
    this.#visited.add(request.group.name)
    request.trail.modelName = request.group.name
  }

  /** The group that is being asked. */
  get group(): ModelGroup {
    return this.#group
  }

  /**
   * Tries deployments until `attempt` gives an answer; its lease is still open then, and whoever gets the answer ends
   * it. A failed attempt's lease is ended here.
   * @throws GatewayError the first cause, or the caller's own fault
   */
  async run<T>(attempt: (picked: Picked) => Promise<T>): Promise<T> {
    for (;;) {
      const picked = this.#pick() ?? (await this.#waitForSlot())
      if (!picked) {
        await this.#leaveGroup(nobodyFree(this.#group, this.#choice(), this.#parts.clock))
        continue
      }
      try {
        return await attempt(picked)
      } catch (thrown) {
        await this.failed(picked, toGatewayError(thrown))
      }
    }
  }

  /** Begins an attempt at a member; for those that `run` does not begin itself. */
  begin(member: Member, reason: AttemptReason = this.#next): Picked {
    const { trail } = this.#request
    const { clock, state } = this.#parts
    const { deployment } = member
    const entry = trail.begin({
      target: deployment,
      modelName: this.#group.name,
      reason,
      startedAt: clock.now(),
    })
    this.#attempts += 1
    this.#attemptsInGroup += 1
    const lease = beginLease(member, entry, { state, clock, isReplaceable: this.#isReplaceable, onEnd: trail.onEnd })
    return { deployment, member, lease }
  }

  /**
   * An attempt failed: ends its lease and moves on, waiting as long as it must. `reason` is why the next attempt is
   * made, where it is not just a retry.
   * @throws GatewayError where nothing is left to try
   */
  async failed(picked: Picked, error: GatewayError, reason?: AttemptReason): Promise<void> {
    this.excluded(picked, error)
    const { signal } = this.#request
    if (signal.ended) throw signal.ended
    // What was refused before it was sent cost nothing.
    if (isUnsent(error)) {
      this.#attempts -= 1
      this.#attemptsInGroup -= 1
    }
    const wait = this.#waitInGroup(error)
    if (wait === undefined) await this.#leaveGroup(error)
    else {
      this.#first ??= error
      if (wait > 0) await pause(wait, this.#parts.clock, signal)
    }
    if (reason) this.#next = reason
  }

  /**
   * An attempt failed beside another one that goes on: ends its lease and excludes its member. Where the other fails
   * too, `failed` moves on from there.
   */
  excluded({ lease, member }: Picked, error: GatewayError): void {
    lease.failed(error)
    this.#failed.add(member)
    if (!mayRepeat(error, this.#parts.retry)) this.#hopeless.add(member)
  }

  /** Another member that could be asked beside the running attempts; undefined where there is none, or no attempt left. */
  spare(running: readonly Picked[]): Member | undefined {
    if (!this.#mayGoOn()) return undefined
    const failed = new Set([...this.#failed, ...running.map(({ member }) => member)])
    return choose(this.#group, { ...this.#choice(), failed })
  }

  async #leaveGroup(error: GatewayError): Promise<void> {
    this.#first ??= error
    if (this.#nextGroup(error)) return
    // The caller's own fault in the group that was asked for is what has to be mended; everywhere else the first cause is.
    const isAskedFor = this.#group.name === this.#request.group.name || error.kind === 'content_policy'
    throw isAskedFor && !error.rule.reroute ? error : this.#first
  }

  /** Milliseconds before the next attempt in this group; undefined where there is none. */
  #waitInGroup(error: GatewayError): number | undefined {
    const { retry, clock, random } = this.#parts
    const { signal, retries = retry.retries } = this.#request
    if (this.#attemptsInGroup > retriesFor(error, retry, retries) || !this.#mayGoOn()) return undefined
    const repeatable = mayRepeat(error, retry)
    if (this.#failed.size > 0 && (this.#choose() || (!repeatable && this.#busy().length > 0))) {
      this.#next = 'reroute'
      return 0
    }
    if (!repeatable) return undefined
    const wait = backOff(this.#waits, error, retry, random)
    if (wait === undefined || wait >= signal.remainingMs) return undefined
    const failed = this.#failed
    this.#failed = new Set(this.#hopeless)
    const repeated = choose(this.#group, { ...this.#choice(), view: { ...this.#view(), now: clock.now() + wait } })
    if (!repeated) {
      this.#failed = failed
      return undefined
    }
    this.#waits += 1
    this.#next = 'retry'
    return wait
  }

  /** Attempts are left, and one stays for a group that could take over. */
  #mayGoOn(): boolean {
    return this.#attempts < this.#parts.retry.maxAttempts - (this.#hasFallback() ? 1 : 0)
  }

  #nextGroup(error: GatewayError): boolean {
    const { fallbacks, retry, find } = this.#parts
    const { fallbacks: own } = this.#request
    // A refusal is not routed around, unless the host says where to.
    if (error.kind === 'content_policy' && !fallbacks.contentPolicy) return false
    if (own?.length !== 0) {
      const targets = fallbacksAfter(error, this.#group.name, fallbacks, own)
      this.#waiting.push(...targets.filter((name) => !this.#waiting.includes(name)))
    }
    while (this.#waiting.length > 0 && this.#attempts < retry.maxAttempts && this.#fallbacks < fallbacks.most) {
      const group = find(this.#waiting.shift() ?? '')
      if (!this.#isNew(group)) continue
      this.#visited.add(group.name)
      this.#group = group
      this.#facts = this.#request.factsOf?.(group) ?? noFacts
      this.#failed = new Set()
      this.#hopeless = new Set()
      this.#attemptsInGroup = 0
      this.#waits = 0
      this.#fallbacks += 1
      this.#next = 'fallback'
      return true
    }
    return false
  }

  /** Whether anything else could serve the call, so that a failing deployment may rest. */
  readonly #isReplaceable = (): boolean => {
    return this.#group.members.length > 1 || this.#hasFallback()
  }

  #hasFallback(): boolean {
    if (this.#waiting.length > 0) return true
    if (this.#fallbacks >= this.#parts.fallbacks.most) return false
    const down = new GatewayError('unavailable', '')
    const targets = fallbacksAfter(down, this.#group.name, this.#parts.fallbacks, this.#request.fallbacks)
    return targets.some((name) => this.#isNew(this.#parts.find(name)))
  }

  #isNew(group: ModelGroup | undefined): group is ModelGroup {
    return group !== undefined && !this.#visited.has(group.name)
  }

  #pick(): Picked | undefined {
    const { slots } = this.#parts.state
    // Whoever waits goes first, also to room of which nobody told: made by a peer, or by the end of a cooldown.
    if (!slots.isEmpty) for (const member of this.#group.members) slots.freed(member)
    return this.#take()
  }

  #take(): Picked | undefined {
    const member = this.#choose()
    return member && this.begin(member)
  }

  /** Waits in line where deployments are just busy; undefined where none is, or none has room in time. */
  async #waitForSlot(): Promise<Picked | undefined> {
    const members = this.#busy()
    if (members.length === 0) return undefined
    const { signal } = this.#request
    // Until the first attempt nobody has set a deadline for the call.
    const totals = members.map(({ deployment }) => deployment.timeouts.total)
    signal.limitTotal(totals.includes(0) ? 0 : Math.max(...totals))
    return this.#parts.state.slots.wait({ members, signal, take: () => this.#take() })
  }

  #busy(): readonly Member[] {
    const choice = this.#choice()
    return this.#group.members.filter((member) => obstacleOf(member, choice) === 'slots')
  }

  #choose(): Member | undefined {
    return choose(this.#group, this.#choice())
  }

  #choice(): Choice {
    const { strategy, enforceRates } = this.#parts
    const { prefer } = this.#request
    const { check } = this.#facts
    return { failed: this.#failed, check, prefer, enforceRates, strategy, view: this.#view() }
  }

  #view(): Choice['view'] {
    const { clock, random } = this.#parts
    const { stream } = this.#request
    const { inputTokens } = this.#facts
    return { now: clock.now(), random, stream, inputTokens }
  }
}
