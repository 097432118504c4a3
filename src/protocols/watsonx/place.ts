import type { Deployment } from '../../deployment.js'
import { InvalidRequestError } from '../../errors.js'
import { type JsonObject, stringOf } from '../../wire/json.js'

// https://cloud.ibm.com/apidocs/watsonx-ai#active-version-dates
const defaultVersion = '2024-05-31'

/** Where a call of a deployment goes: the path of a method, and what names model and project in its body. */
export interface Place {
  readonly path: string
  readonly body: JsonObject
}

/**
 * The place of a method such as `text/chat`; `deployment/{id}` models bring model and project with them.
 * @throws InvalidRequestError where neither project nor space is known
 */
export function placeOf(deployment: Deployment, method: string): Place {
  const { model, apiVersion, settings } = deployment
  const version = `version=${encodeURIComponent(apiVersion ?? defaultVersion)}`
  const own = /^deployments?\/(.+)$/.exec(model)?.[1]
  if (own !== undefined) {
    return { path: `/ml/v1/deployments/${encodeURIComponent(own)}/${method}?${version}`, body: {} }
  }
  const project = stringOf(settings['projectId'])
  const space = stringOf(settings['spaceId'])
  if (project === undefined && space === undefined) {
    throw new InvalidRequestError(
      'IBM watsonx.ai needs a project or a space: set settings.projectId or settings.spaceId of the deployment.',
      'settings',
    )
  }
  const home = project === undefined ? { space_id: space } : { project_id: project }
  return { path: `/ml/v1/${method}?${version}`, body: { model_id: model, ...home } }
}
