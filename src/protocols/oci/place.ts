import type { Deployment } from '../../deployment.js'
import { InvalidRequestError } from '../../errors.js'
import { type JsonObject, stringOf } from '../../wire/json.js'

/** The path of an action such as `chat`: https://docs.oracle.com/en-us/iaas/api/#/en/generative-ai-inference */
export const actionPath = (action: string): string => `/20231130/actions/${action}`

/**
 * Compartment and serving mode, which every request names.
 * @throws InvalidRequestError where the deployment names no compartment
 */
export function placeOf({ model, settings }: Deployment): JsonObject {
  const compartmentId = stringOf(settings['compartmentId'])
  if (compartmentId === undefined) {
    throw new InvalidRequestError('Oracle OCI needs settings.compartmentId of the deployment.', 'settings')
  }
  const endpointId = stringOf(settings['endpointId']) ?? (isEndpoint(model) ? model : undefined)
  const servingMode =
    endpointId === undefined ? { servingType: 'ON_DEMAND', modelId: model } : { servingType: 'DEDICATED', endpointId }
  return { compartmentId, servingMode }
}

const isEndpoint = (model: string): boolean => model.startsWith('ocid1.generativeaiendpoint.')
