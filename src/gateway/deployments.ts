import type { Deployment } from '../deployment.js'
import { GatewayError } from '../errors.js'
import { type ModelOptions, checkModel } from '../options.js'
import { type DeploymentContext, createDeployment } from '../providers/create-deployment.js'
import type { ModelDirectory } from '../router/directory.js'

/** The model list at run time. Every change is made in one step; calls under way keep what they began with. */
export interface Deployments {
  list(): readonly Deployment[]
  get(id: string): Deployment | undefined
  /** @throws TypeError for wrong options @throws GatewayError for one that cannot work, and conflict for an id that exists */
  add(model: ModelOptions): Deployment
  /** Puts another in the place of the deployment `id`, which keeps its id and what is known of its health. @throws as `add`, and not_found */
  update(id: string, model: ModelOptions): Deployment
  /** True if there was one. */
  remove(id: string): boolean
  /** Puts a whole new list in the place of the old one, or throws and changes nothing. */
  replace(models: readonly ModelOptions[]): readonly Deployment[]
}

/** @throws TypeError where two models are given one id */
export function checkIds(models: readonly ModelOptions[]): void {
  const known = new Set<string>()
  for (const { id } of models) {
    if (id === undefined) continue
    if (known.has(id)) throw new TypeError(`Two models have the id ${JSON.stringify(id)}.`)
    known.add(id)
  }
}

/** Builds the methods of `gateway.deployments`. */
export function createDeployments(directory: ModelDirectory, context: DeploymentContext): Deployments {
  const make = (model: ModelOptions): Deployment => {
    checkModel(model)
    return createDeployment(model, context)
  }
  const find = (id: string): Deployment | undefined => directory.groups.all.find((deployment) => deployment.id === id)
  return {
    list: () => directory.groups.all,
    get: find,
    add(model) {
      const deployment = make(model)
      if (find(deployment.id)) throw new GatewayError('conflict', `There is a deployment ${deployment.id} already.`)
      directory.put(deployment)
      return deployment
    },
    update(id, model) {
      if (!find(id)) throw new GatewayError('not_found', `There is no deployment ${id}.`)
      const deployment = make({ ...model, id })
      directory.put(deployment)
      return deployment
    },
    remove: (id) => directory.remove(id),
    replace(models) {
      checkIds(models)
      const list = models.map(make)
      directory.replace(list)
      return list
    },
  }
}
