import type { Deployment } from '../deployment.js'
import { stringOf } from '../wire/json.js'

/**
 * The model that a deployment's rules are looked up under: what its `info.base_model` names (Azure's deployments are
 * called anything), else `model`.
 */
export function baseModelOf({ info }: Pick<Deployment, 'info'>, model: string): string {
  const named = stringOf(info['base_model'])
  return named === undefined ? model : named.slice(named.lastIndexOf('/') + 1)
}
