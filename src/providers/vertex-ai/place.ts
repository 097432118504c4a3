import type { Deployment } from '../../deployment.js'
import { InvalidRequestError } from '../../errors.js'
import { projectInCredentials } from '../../upstream/google-credentials.js'
import { givenCredentials } from '../google-access.js'
import { settingOf } from '../settings.js'

/** Stands in a path for a project that only the credentials know; replaced when the call is signed. */
export const unknownProject = '{project}'

// Served by no single region: https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations
const globalModels = /^(?:gemini-[3-9]|claude)/

/** The location that a deployment's calls go to. @throws InvalidRequestError where it is no name of one */
export function locationOf(deployment: Deployment): string {
  const location = settingOf(deployment, 'location') ?? (globalModels.test(deployment.model) ? 'global' : 'us-central1')
  if (/^[a-z][a-z0-9-]*$/.test(location)) return location
  throw new InvalidRequestError('settings.location must be like us-central1, eu or global.', 'settings')
}

/** Vertex AI's host for a location; `us` and `eu` are served by several regions. */
export function vertexBaseUrl(deployment: Deployment): string {
  const location = locationOf(deployment)
  if (location === 'global') return 'https://aiplatform.googleapis.com'
  if (location === 'us' || location === 'eu') return `https://aiplatform.${location}.rep.googleapis.com`
  return `https://${location}-aiplatform.googleapis.com`
}

function projectOf(deployment: Deployment): string {
  const project = settingOf(deployment, 'project') ?? projectInCredentials(givenCredentials(deployment))
  return project === undefined ? unknownProject : encodeURIComponent(project)
}

/** The path of a resource in a deployment's project; `version` where the deployment sets none. */
export function projectPath(deployment: Deployment, resource: string, version = 'v1'): string {
  const api = encodeURIComponent(deployment.apiVersion ?? version)
  return `/${api}/projects/${projectOf(deployment)}/locations/${locationOf(deployment)}/${resource}`
}

/** True where an API key stands for project and location; an access token given as key is none. */
export function isExpress({ apiKey }: Deployment): boolean {
  return apiKey !== undefined && !isAccessToken(apiKey.reveal())
}

/** True for an OAuth access token of Google. */
export function isAccessToken(key: string): boolean {
  return key.startsWith('ya29.')
}

/** A model of a publisher: `publishers/anthropic/models/claude-…:rawPredict`. */
export function publisherPath(publisher: string): (deployment: Deployment, method: string, version?: string) => string {
  return (deployment, method, version) =>
    projectPath(deployment, `publishers/${publisher}/models/${encodeURIComponent(deployment.model)}:${method}`, version)
}

/** A model of Google's own, a tuned one at an endpoint (`1234567890`, `gemini/1234567890`), or a whole resource name. */
export function googlePath(deployment: Deployment, method: string): string {
  const { model, apiVersion } = deployment
  const api = encodeURIComponent(apiVersion ?? 'v1')
  if (model.startsWith('projects/')) return `/${api}/${model.split('/').map(encodeURIComponent).join('/')}:${method}`
  const endpoint = /^(?:gemini\/|endpoints\/)?(\d+)$/.exec(model)?.[1]
  if (endpoint !== undefined) return projectPath(deployment, `endpoints/${endpoint}:${method}`)
  const name = encodeURIComponent(model.replace(/^(?:publishers\/google\/models|google|models)\//, ''))
  const resource = `publishers/google/models/${name}:${method}`
  return isExpress(deployment) ? `/${api}/${resource}` : projectPath(deployment, resource)
}
