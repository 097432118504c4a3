import type { Clock } from '../ports.js'
import type { DeploymentState } from './deployment-state.js'
import type { Member, ModelGroup, Tier } from './model-group.js'
import { sampleWeighted } from './sample.js'
import { isBusy } from './slots.js'
import type { Strategy, StrategyView } from './strategies/strategy.js'

/** Why a member cannot be picked now. */
export type Obstacle =
  | 'failed'
  | 'cooling'
  | 'rates'
  | 'slots'
  | 'context_window'
  | 'capability'
  | 'region'
  | 'tags'
  | 'refused'

/** What one pick depends on besides the group. */
export interface Choice {
  /** Members that failed in this call already. */
  readonly failed: ReadonlySet<Member>
  /** What the request itself rules out; undefined where nothing was asked to be checked. */
  readonly check: ((member: Member) => Obstacle | undefined) | undefined
  /** Picks among those that remain before the strategy is asked; undefined for none. */
  readonly prefer: ((members: readonly Member[]) => Member | undefined) | undefined
  /** True where `rpm` and `tpm` are limits, not just weights. */
  readonly enforceRates: boolean
  readonly strategy: Strategy
  readonly view: StrategyView
}

/**
 * Why the member cannot be picked, or undefined where it can. That it is busy is said only of one that could serve the
 * call otherwise: it is worth waiting for.
 */
export function obstacleOf(member: Member, choice: Choice): Obstacle | undefined {
  const { state, deployment } = member
  const { now } = choice.view
  if (!state.isOpen(now)) return 'cooling'
  if (choice.failed.size > 0 && choice.failed.has(member)) return 'failed'
  const { rpm, tpm } = deployment
  if (choice.enforceRates) {
    if (rpm !== undefined && state.requests(now) >= rpm) return 'rates'
    if (tpm !== undefined && state.tokens(now) + choice.view.inputTokens > tpm) return 'rates'
  }
  return choice.check?.(member) ?? (isBusy(member) ? 'slots' : undefined)
}

/** Picks one member of the lowest tier that has any to offer; undefined where none has. */
export function choose(group: ModelGroup, choice: Choice): Member | undefined {
  const isFree = (member: Member): boolean => obstacleOf(member, choice) === undefined
  for (const tier of group.tiers) {
    const member = chooseInTier(tier, choice, isFree)
    if (member) return member
  }
  return undefined
}

function chooseInTier(tier: Tier, choice: Choice, isFree: (member: Member) => boolean): Member | undefined {
  const [only] = tier.members
  if (only && tier.members.length === 1) return isFree(only) ? only : undefined
  const { strategy, view, prefer } = choice
  if (strategy.sample && !prefer) {
    const sampled = strategy.sample(() => sampleWeighted(tier, isFree, view.random), view)
    if (sampled) return sampled as Member
  }
  const free = tier.members.filter(isFree)
  const [first] = free
  if (!first || free.length === 1) return first
  const preferred = prefer?.(free)
  if (preferred) return preferred
  const picked = strategy.pick(free, view)
  // A strategy of the host may give something else than one of the candidates.
  return free.find((member) => member === picked) ?? first
}

/** Earliest time at which a resting member may be tried, in milliseconds since the epoch; undefined where none rests. */
export function earliestRecovery(states: readonly DeploymentState[], clock: Clock): number | undefined {
  const now = clock.now()
  const times = states
    .filter((state) => !state.isOpen(now))
    .map((state) => Math.max(state.coolingUntil + state.turnMs, now))
  return times.length === 0 ? undefined : Math.min(...times)
}
