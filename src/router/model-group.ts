import type { Deployment } from '../deployment.js'
import type { DeploymentState, DeploymentStats } from './deployment-state.js'

/** A deployment that may be picked, and what is known of it. */
export interface Candidate {
  readonly deployment: Deployment
  /** Its share of the calls is that of its weight among the others'. */
  readonly weight: number
  readonly stats: DeploymentStats
}

/** A deployment as part of a group. */
export class Member implements Candidate {
  readonly deployment: Deployment
  readonly state: DeploymentState
  /** True where the caller's own words are part of the model's name: the member of a wildcard. */
  readonly isNamedByCaller: boolean
  /** Set by the tier: it depends on the others. */
  weight: number

  constructor(deployment: Deployment, state: DeploymentState, isNamedByCaller = false) {
    this.deployment = deployment
    this.state = state
    this.isNamedByCaller = isNamedByCaller
    this.weight = deployment.weight ?? 1
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

/** Sorts members into tiers, weighs them, and sums up their weights, once. */
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
  weigh(members)
  const weightless = members.every(({ weight }) => weight === 0)
  const cumulated = new Float64Array(members.length)
  let sum = 0
  for (const [position, { weight }] of members.entries()) {
    sum += weightless ? 1 : weight
    cumulated[position] = sum
  }
  return { order, members, cumulated }
}

const measures = ['weight', 'rpm', 'tpm'] as const

/** All by one measure, the first that any of them has, as a weight says nothing beside requests per minute; those without it count 1. */
function weigh(members: readonly Member[]): void {
  const measure = measures.find((name) => members.some(({ deployment }) => deployment[name] !== undefined))
  for (const member of members) member.weight = (measure && member.deployment[measure]) ?? 1
}
