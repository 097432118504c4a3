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
 * The place of a method such as `text/chat`; `deployment/{id}` models bring model and project with them. A deployment
 * without project and space takes them from the request.
 * @throws InvalidRequestError where neither knows any
 */
export function placeOf(deployment: Deployment, method: string, request: JsonObject): Place {
  const { model, apiVersion, settings } = deployment
  const version = `version=${encodeURIComponent(apiVersion ?? defaultVersion)}`
  const own = /^deployments?\/(.+)$/.exec(model)?.[1]
  if (own !== undefined) {
    return { path: `/ml/v1/deployments/${encodeURIComponent(own)}/${method}?${version}`, body: {} }
  }
  const project = stringOf(settings['projectId'])
  const space = stringOf(settings['spaceId'])
  const named = ['project_id', 'space_id'].some((name) => stringOf(request[name]) !== undefined)
  if (project === undefined && space === undefined && !named) {
    throw new InvalidRequestError(
      'IBM watsonx.ai needs a project or a space: set settings.projectId or settings.spaceId of the deployment.',
      'settings',
    )
  }
  const home = {
    ...(project !== undefined && { project_id: project, space_id: undefined }),
    ...(project === undefined && space !== undefined && { project_id: undefined, space_id: space }),
  }
  return { path: `/ml/v1/${method}?${version}`, body: { model_id: model, ...home } }
}
