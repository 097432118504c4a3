import type { Deployment } from '../deployment.js'
import type { DeploymentState, DeploymentStats } from './deployment-state.js'

/** A deployment that may be picked, and what is known of it. */
export interface Candidate {
  readonly deployment: Deployment
  readonly stats: DeploymentStats
}

/** A deployment as part of a group. */
export class Member implements Candidate {
  readonly deployment: Deployment
  readonly state: DeploymentState
  /** True where the caller's own words are part of the model's name: the member of a wildcard. */
  readonly isNamedByCaller: boolean

  constructor(deployment: Deployment, state: DeploymentState, isNamedByCaller = false) {
    this.deployment = deployment
    this.state = state
    this.isNamedByCaller = isNamedByCaller
  }

  get stats(): DeploymentStats {
    return this.state
  }
}

/** The members of one `order`; lower ones are asked first. */
export interface Tier {
  readonly order: number
  readonly members: readonly Member[]
  /** Sums of the weights up to and including each member; all 1 where the weights add up to nothing. */
  readonly cumulated: Float64Array
}

/** All deployments that answer to one name. */
export interface ModelGroup {
  readonly name: string
  readonly tiers: readonly Tier[]
  readonly members: readonly Member[]
}

/** The group of deployments that are listed under its name. */
export function toModelGroup(
  name: string,
  deployments: readonly Deployment[],
  stateOf: (id: string) => DeploymentState,
): ModelGroup {
  return groupOf(
    name,
    deployments.map((deployment) => new Member(deployment, stateOf(deployment.id))),
  )
}

/** Sorts members into tiers and sums up their weights, once. */
export function groupOf(name: string, unsorted: readonly Member[]): ModelGroup {
  const members = unsorted.toSorted((a, b) => a.deployment.order - b.deployment.order)
  const orders = [...new Set(members.map((member) => member.deployment.order))]
  const tiers = orders.map((order) =>
    toTier(
      order,
      members.filter((member) => member.deployment.order === order),
    ),
  )
  return { name, tiers, members }
}

function toTier(order: number, members: readonly Member[]): Tier {
  const weightless = members.every((member) => member.deployment.weight === 0)
  const cumulated = new Float64Array(members.length)
  let sum = 0
  for (const [position, { deployment }] of members.entries()) {
    sum += weightless ? 1 : deployment.weight
    cumulated[position] = sum
  }
  return { order, members, cumulated }
}
