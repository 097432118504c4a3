import { capabilitiesOf } from '../../catalog/capabilities.js'
import type { Deployment } from '../../deployment.js'

/** True where the model takes `thinking`; one that nobody knows is taken for a new one. */
export function thinks({ model, capabilities }: Deployment): boolean {
  return capabilitiesOf('cohere', model, capabilities).reasoning
}
