import type { FailureKind, GatewayError } from '../errors.js'
import type { Clock } from '../ports.js'
import { type CooldownPolicy, cooldownAfter } from './cooldown.js'
import { type CooldownCause, DeploymentState } from './deployment-state.js'
import { failureClassOf } from './failure-class.js'
import type { Member } from './model-group.js'
import { type Slots, createSlots } from './slots.js'

/** Something that happened to a deployment's health. */
export type RouterEvent =
  | {
      readonly type: 'cooldown'
      readonly deployment: string
      readonly modelName: string
      readonly cause: CooldownCause
      /** Milliseconds since the epoch. */
      readonly until: number
      readonly at: number
    }
  | { readonly type: 'recovered'; readonly deployment: string; readonly modelName: string; readonly at: number }

/** How an attempt ended well. */
export interface AttemptSuccess {
  /** Milliseconds to the first content; streams only. */
  readonly firstTokenMs?: number | undefined
  /** Milliseconds of the whole answer; whole answers only. */
  readonly totalMs?: number | undefined
  readonly outputTokens?: number | undefined
  readonly totalTokens?: number | undefined
}

/** That a deployment rests, or works again, as a peer decided. */
export interface CooldownDecision {
  /** Name of the peer. */
  readonly by: string
  /** In milliseconds since the epoch. */
  readonly at: number
  /** In milliseconds since the epoch; 0 ends a cooldown. */
  readonly until: number
  readonly cause: CooldownCause | undefined
}

/** What is known of all deployments, here and in memory: never waited for. */
export interface RouterState {
  /** The state of an id; made when first asked for. */
  of(id: string): DeploymentState
  /** The state of an id; undefined where no deployment has it. */
  known(id: string): DeploymentState | undefined
  /** Forgets a deployment that was removed. */
  forget(id: string): void
  readonly all: Iterable<DeploymentState>
  /** Counts an attempt in flight; true where it tries whether a cooldown may end. */
  begin(member: Member): boolean
  /** The attempt is over, however it went; `probe` is what `begin` gave. */
  end(member: Member, probe: boolean): void
  succeeded(member: Member, success: AttemptSuccess): void
  /** The attempt that tried whether a cooldown may end goes well so far: others need not wait for its end. */
  probed(member: Member): void
  /** A deployment works again, whatever its cooldown said. */
  recovered(member: Member): void
  /** Counts a failure against the deployment's health, unless the taxonomy says it is not its fault. */
  failed(member: Member, error: GatewayError, replaceable: boolean): void
  /** Takes over what a peer decided, unless something was decided later here. */
  setCooldown(state: DeploymentState, decision: CooldownDecision): void
  /** Calls that wait until a deployment is less busy; served by `end`. */
  readonly slots: Slots
  /** Told whenever anything changes that peers should know; set by the sharing of state. */
  onChange: ((state: DeploymentState) => void) | undefined
}

/** What the state needs. */
export interface RouterStateParts {
  readonly clock: Clock
  readonly cooldown: CooldownPolicy
  /** How long calls wait for busy deployments, in milliseconds. @default 10,000 */
  readonly maxQueueMs?: number | undefined
  /** Never throws. */
  readonly emit: (event: RouterEvent) => void
}

/** Keeps the state of every deployment of one gateway. */
export function createRouterState({ clock, cooldown, maxQueueMs = 10_000, emit }: RouterStateParts): RouterState {
  const states = new Map<string, DeploymentState>()
  const slots = createSlots(clock, maxQueueMs)
  const of = (id: string): DeploymentState => {
    const known = states.get(id)
    if (known) return known
    const made = new DeploymentState(id)
    states.set(id, made)
    return made
  }
  const recover = ({ state, deployment }: Member): void => {
    state.coolingUntil = 0
    decideHere(state, clock.now())
    state.cause = undefined
    emit({ type: 'recovered', deployment: state.id, modelName: deployment.modelName, at: state.cooledAt })
  }
  return {
    of,
    known: (id) => states.get(id),
    forget: (id) => states.delete(id),
    get all() {
      return states.values()
    },
    slots,
    onChange: undefined,
    begin({ state }) {
      state.ownInFlight += 1
      state.own.at(clock.now()).requests += 1
      const probe = state.coolingUntil !== 0
      if (probe) state.probing = true
      this.onChange?.(state)
      return probe
    },
    end(member, probe) {
      const { state } = member
      state.ownInFlight -= 1
      if (probe) state.probing = false
      slots.freed(member)
      this.onChange?.(state)
    },
    succeeded(member, success) {
      const { state } = member
      const now = clock.now()
      state.consecutiveFailures = 0
      state.answeredAt = now
      state.own.at(now).tokens += success.totalTokens ?? 0
      recordLatency(state, success, now)
      if (state.coolingUntil !== 0 && now >= state.coolingUntil) recover(member)
    },
    probed(member) {
      const { state } = member
      state.probing = false
      if (state.coolingUntil !== 0 && clock.now() >= state.coolingUntil) recover(member)
      this.onChange?.(state)
    },
    recovered(member) {
      if (member.state.coolingUntil !== 0) recover(member)
      member.state.consecutiveFailures = 0
      this.onChange?.(member.state)
    },
    failed(member, error, replaceable) {
      const { state, deployment } = member
      if (!error.rule.unhealthy || isOfName(member, error)) return
      const now = clock.now()
      countFailure(state, error, now)
      if (error.kind === 'timeout') recordTimeout(state, now)
      const durationMs = deployment.cooldownMs
      const duration = cooldownAfter({ state, error, now, replaceable, durationMs }, cooldown)
      // What was under way when the cooldown began does not prolong it.
      const until = now + (state.coolingUntil > now ? (error.retryAfterMs ?? 0) : (duration ?? 0))
      if (duration === undefined || until <= state.coolingUntil) return
      state.coolingUntil = until
      decideHere(state, now)
      state.cause ??= { kind: error.kind, status: error.status }
      const { cause } = state
      emit({ type: 'cooldown', deployment: state.id, modelName: deployment.modelName, cause, until, at: now })
      this.onChange?.(state)
    },
    setCooldown(state, { by, at, until, cause }) {
      if (at < state.cooledAt) return
      state.coolingUntil = until
      state.cooledAt = at
      state.cooledBy = by
      state.cause = cause
    },
  }
}

/** Whoever decides goes first when the cooldown is over. */
function decideHere(state: DeploymentState, now: number): void {
  state.cooledAt = now
  state.cooledBy = undefined
  state.turnMs = 0
}

const ofNames: ReadonlySet<FailureKind> = new Set([
  'upstream_not_found',
  'upstream_model_not_found',
  'upstream_permission',
])

/** Behind a wildcard the caller names the model: one that is not there, or not open to us, says nothing about the others. */
function isOfName({ isNamedByCaller }: Member, { kind }: GatewayError): boolean {
  return isNamedByCaller && ofNames.has(kind)
}

function recordLatency(state: DeploymentState, success: AttemptSuccess, now: number): void {
  if (success.firstTokenMs !== undefined) state.firstToken.add(success.firstTokenMs, now)
  if (success.totalMs === undefined) return
  state.whole.add(success.totalMs, now)
  state.perToken.add(success.totalMs / Math.max(1, success.outputTokens ?? 1), now)
}

function recordTimeout(state: DeploymentState, now: number): void {
  for (const window of [state.firstToken, state.perToken]) window.addTimeout(now)
}

function countFailure(state: DeploymentState, error: GatewayError, now: number): void {
  state.consecutiveFailures += 1
  const counts = state.own.at(now)
  counts.failures += 1
  const kind = failureClassOf(error.kind)
  counts.failuresByClass[kind] = (counts.failuresByClass[kind] ?? 0) + 1
}
