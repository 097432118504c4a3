import type { Deployment } from '../deployment.js'
import { type Alias, type ModelGroups, createModelGroups } from './model-groups.js'
import type { RouterState } from './router-state.js'

/** The model list as it is now. Calls under way keep the groups that they began with. */
export interface ModelDirectory {
  readonly groups: ModelGroups
  /** Adds a deployment, or replaces the one with its id, in one step. */
  put(deployment: Deployment): void
  /** True if there was one. */
  remove(id: string): boolean
  /** Replaces the whole list in one step. */
  replace(deployments: readonly Deployment[]): void
}

/** Keeps the model list; every change builds a new index beside the old one. */
export function createDirectory(
  deployments: readonly Deployment[],
  aliases: ReadonlyMap<string, Alias>,
  state: RouterState,
): ModelDirectory {
  const index = (list: readonly Deployment[]): ModelGroups =>
    createModelGroups({ deployments: list, aliases, stateOf: (id) => state.of(id) })
  let groups = index(deployments)
  const change = (list: readonly Deployment[]): void => {
    const kept = new Set(list.map((deployment) => deployment.id))
    const gone = groups.all.filter((deployment) => !kept.has(deployment.id))
    groups = index(list)
    for (const { id } of gone) state.forget(id)
  }
  return {
    get groups() {
      return groups
    },
    put(deployment) {
      const known = groups.all.some((other) => other.id === deployment.id)
      if (!known) return change([...groups.all, deployment])
      change(groups.all.map((other) => (other.id === deployment.id ? deployment : other)))
    },
    remove(id) {
      const rest = groups.all.filter((deployment) => deployment.id !== id)
      if (rest.length === groups.all.length) return false
      change(rest)
      return true
    },
    replace: change,
  }
}
