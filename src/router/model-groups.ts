import { LRUCache } from 'lru-cache'
import type { Deployment } from '../deployment.js'
import { GatewayError } from '../errors.js'
import type { Caller } from '../ports.js'
import type { DeploymentState } from './deployment-state.js'
import { Member, type ModelGroup, groupOf, toModelGroup } from './model-group.js'

/** Another name of a group. */
export interface Alias {
  readonly modelName: string
  /** Left out of `GET /v1/models`. */
  readonly hidden: boolean
}

/** Which deployments answer to which model name. */
export interface ModelGroups {
  /**
   * The group of a name: the caller's own alias's, the alias's, the group with exactly this name, the deployment with this id alone, else the
   * most specific wildcard (`anthropic/*`) that matches, with the part it stands for put into the deployment's model.
   * @throws GatewayError model_not_found, model_not_allowed
   */
  resolve(model: string, caller: Caller): ModelGroup
  /** The group of a name, whoever calls; undefined for an unknown one. */
  find(model: string): ModelGroup | undefined
  /** The names that a caller may use, in the order of the model list. */
  list(caller: Caller): readonly string[]
  readonly all: readonly Deployment[]
}

interface Wildcard {
  readonly pattern: string
  readonly prefix: string
  readonly suffix: string
  readonly deployments: readonly Deployment[]
}

/** What an index of the model list is made from. */
export interface ModelGroupParts {
  readonly deployments: readonly Deployment[]
  readonly aliases?: ReadonlyMap<string, Alias>
  readonly stateOf: (id: string) => DeploymentState
}

// Groups made from wildcards; a client that invents names must not grow memory.
const rememberedNames = 1_000

/** Indexes the model list once, so that a name is found without a scan. */
export function createModelGroups({ deployments, aliases = new Map(), stateOf }: ModelGroupParts): ModelGroups {
  const byName = groupByName(deployments)
  const wildcards = [...byName]
    .filter(([name]) => name.includes('*'))
    .map(([pattern, members]) => toWildcard(pattern, members))
    // The longer the fixed part, the more specific.
    .toSorted((a, b) => b.pattern.length - a.pattern.length)
  const named = [...byName].filter(([name]) => !name.includes('*'))
  const exact = new Map(named.map(([name, list]) => [name, toModelGroup(name, list, stateOf)]))
  // Also those behind wildcards: what peers tell of a deployment is kept from the start.
  for (const { id } of deployments) stateOf(id)
  const byId = new Map(deployments.map((deployment) => [deployment.id, deployment]))
  const made = new LRUCache<string, ModelGroup>({ max: rememberedNames })

  const make = (model: string): ModelGroup | undefined => {
    const alone = byId.get(model)
    if (alone && !alone.modelName.includes('*')) return toModelGroup(alone.modelName, [alone], stateOf)
    // Half a character fits no address; no provider has such a name.
    if (/\p{Surrogate}/u.test(model)) return undefined
    const wildcard = isPlainName(model) ? wildcards.find((candidate) => matches(candidate, model)) : undefined
    if (!wildcard) return undefined
    const part = captured(wildcard, model)
    const members = wildcard.deployments.map((one) => new Member(fill(one, part, model), stateOf(one.id), true))
    return groupOf(model, members)
  }

  const find = (asked: string): ModelGroup | undefined => {
    const model = aliases.get(asked)?.modelName ?? asked
    const known = exact.get(model) ?? made.get(model)
    if (known) return known
    const group = make(model)
    if (group) made.set(model, group)
    return group
  }

  return {
    all: deployments,
    find,
    resolve(asked, caller) {
      const { aliases: own } = caller
      const model = own && Object.hasOwn(own, asked) ? (own[asked] ?? asked) : asked
      const found = find(model)
      if (!found) throw unknownModel(model)
      // A pattern speaks of names; an id that happens to match it is none.
      const isName =
        found.name === model || aliases.has(model) || caller.models === 'all' || caller.models.includes(model)
      if (!mayUse(caller, found.name) && !(isName && mayUse(caller, model))) {
        throw new GatewayError('model_not_allowed', `You may not use the model ${quote(model)}. ${hint}`, {
          param: 'model',
        })
      }
      return found
    },
    list(caller) {
      const shown = [...aliases].filter(([, alias]) => !alias.hidden).map(([name]) => name)
      return [...new Set([...byName.keys(), ...shown])].filter((name) => mayUse(caller, name))
    },
  }
}

const hint = 'GET /v1/models lists the models that you may use.'

function unknownModel(model: string): GatewayError {
  return new GatewayError('model_not_found', `The model ${quote(model)} does not exist. ${hint}`, { param: 'model' })
}

/** Names come from clients: short, and on one line. */
function quote(model: string): string {
  return JSON.stringify(model.length > 100 ? `${model.slice(0, 100)}…` : model)
}

/** True where the caller's list names the model, or holds a wildcard that covers it. */
export function mayUse(caller: Caller, model: string): boolean {
  if (caller.models === 'all') return true
  return caller.models.some(
    (allowed) => allowed === model || (allowed.includes('*') && matches(toWildcard(allowed, []), model)),
  )
}

// Far above any provider's; what is remembered of a wildcard's names must not be as large as a client likes.
const longestName = 512

/** False for endless names, and for a way through a file system: they end up in the paths of providers' addresses. */
function isPlainName(model: string): boolean {
  return model.length <= longestName && !/(?:^|[/\\])\.{0,2}(?:$|[/\\])/.test(model)
}

function groupByName(deployments: readonly Deployment[]): ReadonlyMap<string, readonly Deployment[]> {
  const groups = new Map<string, Deployment[]>()
  for (const deployment of deployments) {
    const group = groups.get(deployment.modelName)
    if (group) group.push(deployment)
    else groups.set(deployment.modelName, [deployment])
  }
  return groups
}

function toWildcard(pattern: string, deployments: readonly Deployment[]): Wildcard {
  const star = pattern.indexOf('*')
  return { pattern, prefix: pattern.slice(0, star), suffix: pattern.slice(star + 1), deployments }
}

function matches(wildcard: Wildcard, model: string): boolean {
  return (
    model.length > wildcard.prefix.length + wildcard.suffix.length &&
    model.startsWith(wildcard.prefix) &&
    model.endsWith(wildcard.suffix)
  )
}

function captured(wildcard: Wildcard, model: string): string {
  return model.slice(wildcard.prefix.length, model.length - wildcard.suffix.length)
}

function fill(deployment: Deployment, part: string, modelName: string): Deployment {
  return Object.freeze({ ...deployment, modelName, model: deployment.model.replace('*', () => part) })
}
