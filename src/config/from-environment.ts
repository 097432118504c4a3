import { firstSet, type Environment } from '../providers/environment.js'
import { createRegistry } from '../providers/registry.js'
import type { ConfigModel } from './models.js'

/**
 * A wildcard (`openai/*`) for every built-in provider that can be called with what the environment holds: its key
 * variable is set, and it has an address.
 */
export function modelsFromEnvironment(env: Environment): ConfigModel[] {
  return createRegistry([])
    .list()
    .filter(({ status, apiKeyEnv, baseUrl, baseUrlEnv }) => {
      const addressed = baseUrl !== undefined || firstSet(env, baseUrlEnv) !== undefined
      return status !== 'retired' && addressed && firstSet(env, apiKeyEnv) !== undefined
    })
    .map(({ name }) => ({ modelName: `${name}/*`, model: `${name}/*` }))
}
