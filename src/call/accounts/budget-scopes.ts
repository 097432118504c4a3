import type { Deployment } from '../../deployment.js'
import type { Scope } from '../../ports.js'
import { isModelMatch } from '../../ports/ledger.js'
import type { BilledCall } from './accounts.js'

/** What a budget or limit of the host's holds a scope to. */
export type SharedLimit = Omit<Scope, 'kind' | 'id'>

/** Budgets and limits that the host sets for all callers together. */
export interface SharedBudgets {
  /** Of every call. */
  readonly everybody: SharedLimit | undefined
  /** By model group. */
  readonly models: Readonly<Record<string, SharedLimit>>
  /** By tag of the caller: what a request calls itself is a label, and opens or closes no account. */
  readonly tags: Readonly<Record<string, SharedLimit>>
  /** By provider: what its deployments may be sent, whoever calls. */
  readonly providers: Readonly<Record<string, SharedLimit>>
  /** By id of the deployment. */
  readonly deployments: Readonly<Record<string, SharedLimit>>
}

/** Finds what counts against whose budgets. */
export interface SharedScopes {
  /** Everything that a call counts against: what all calls share, the caller's scopes, then its model's and its tags'. */
  ofCall(call: BilledCall): readonly Scope[]
  /** What one attempt counts against, whoever calls: the provider, then the deployment. */
  ofAttempt(deployment: Deployment): readonly Scope[]
  /** What an attempt at another model group than the one that was asked for counts against beside the call's own. */
  ofFallback(modelName: string, asked: FallbackFrom): readonly Scope[]
}

/** The call that a fallback serves. */
export interface FallbackFrom {
  readonly modelName: string
  /** Everything that the call counts against. */
  readonly scopes: readonly Scope[]
}

const nothing: readonly Scope[] = []

/** Makes the scopes of the host's budgets once, for all calls. */
export function createSharedScopes(budgets: SharedBudgets): SharedScopes {
  const all: readonly Scope[] = budgets.everybody
    ? [{ ...budgets.everybody, kind: 'gateway', id: 'everybody' }]
    : nothing
  const models = toScopes('model', budgets.models)
  const tags = toScopes('tag', budgets.tags)
  const providers = toScopes('provider', budgets.providers)
  const deployments = toScopes('deployment', budgets.deployments)
  const ofTags = (names: readonly string[] | undefined): readonly Scope[] =>
    names && tags.size > 0 ? names.flatMap((name) => tags.get(name) ?? nothing) : nothing
  return {
    ofCall({ caller, group }) {
      const own = caller.scopes ?? nothing
      const shared = [...all, ...own, ...(models.get(group.name) ?? nothing), ...ofTags(caller.tags)]
      return shared.length === own.length ? own : shared
    },
    ofAttempt({ provider, id }) {
      if (providers.size + deployments.size === 0) return nothing
      return [...(providers.get(provider) ?? nothing), ...(deployments.get(id) ?? nothing)]
    },
    ofFallback(modelName, asked) {
      if (modelName === asked.modelName) return nothing
      return [...(models.get(modelName) ?? nothing), ...asked.scopes.flatMap((scope) => withoutHeld(scope, asked))]
    },
  }
}

/** The scope with its budgets and limits of models alone, without those that the call holds already. */
function withoutHeld({ kind, id, ...own }: Scope, { modelName }: FallbackFrom): readonly Scope[] {
  const modelBudgets = others(own.modelBudgets, modelName)
  const modelLimits = others(own.modelLimits, modelName)
  if (!modelBudgets && !modelLimits) return nothing
  return [{ kind, id, ...(modelBudgets && { modelBudgets }), ...(modelLimits && { modelLimits }) }]
}

function others<T>(byModel: Readonly<Record<string, T>> | undefined, modelName: string) {
  if (!byModel) return undefined
  const found = Object.entries(byModel).filter(([pattern]) => !isModelMatch(pattern, modelName))
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

function toScopes(kind: Scope['kind'], table: SharedBudgets['models']): ReadonlyMap<string, readonly Scope[]> {
  return new Map(Object.entries(table).map(([id, limits]) => [id, [{ ...limits, kind, id }]]))
}

/** True where a scope has any budget or limit. */
export function isLimited({ budget, modelBudgets, modelLimits, rpm, tpm, maxParallelRequests }: Scope): boolean {
  return (budget ?? modelBudgets ?? modelLimits ?? rpm ?? tpm ?? maxParallelRequests) !== undefined
}

/** The budgets alone: a further attempt of a call costs more, but is no further request of its caller. */
export function budgetsOf(scopes: readonly Scope[]): readonly Scope[] {
  return scopes.flatMap(({ kind, id, budget, modelBudgets }) =>
    budget || modelBudgets ? [{ kind, id, ...(budget && { budget }), ...(modelBudgets && { modelBudgets }) }] : [],
  )
}
