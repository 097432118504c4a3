import type { Deployment } from '../../deployment.js'
import type { Operation } from '../../wire/operations.js'
import { settingOf } from '../settings.js'

type Place = Pick<Deployment, 'baseUrl' | 'apiVersion' | 'settings' | 'model'>

const endpoints: Readonly<Record<Operation, string>> = {
  chat: '/chat/completions',
  completions: '/completions',
  embeddings: '/embeddings',
  images: '/images/generations',
  moderations: '/moderations',
}

// Words for the surface without dated versions: https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
const undated = ['v1', 'latest', 'preview']
// What a deployment's own address is asked with where no version is named.
const defaultDate = '2024-10-21'
const firstWithResponses = '2025-03-01'

/** The API version that a deployment names, if any. */
export function versionOf(deployment: Place): string | undefined {
  return deployment.apiVersion ?? settingOf(deployment, 'apiVersion')
}

/** The dated API version that a deployment's calls go to; undefined on the surface that has none. */
export function datedVersionOf(deployment: Place): string | undefined {
  const version = versionOf(deployment)
  if (version !== undefined) return undated.includes(version) ? undefined : version
  return basePathOf(deployment).includes('/deployments/') ? defaultDate : undefined
}

/** The deployment's name at Azure: the model without what only tells us its family, or the API to use. */
export function deploymentName(model: string): string {
  return model.replace(/^(?:responses|o_series|gpt5_series|model_router)\//, '')
}

/** The path of an operation: below the deployment for dated versions, else `/openai/v1`. */
export function azurePath(operation: Operation, deployment: Place): string {
  const endpoint = endpoints[operation]
  const dated = datedVersionOf(deployment)
  const name = encodeURIComponent(deploymentName(deployment.model))
  const base = basePathOf(deployment)
  if (dated === undefined) return `${v1Prefix(base)}${endpoint}${queryOf(versionOf(deployment))}`
  const query = `?api-version=${encodeURIComponent(dated)}`
  if (base.includes('/deployments/')) return endpoint + query
  // Cloudflare's gateway names resource and deployment in its own path.
  if (isCloudflare(deployment)) return `/${name}${endpoint}${query}`
  return `${base.endsWith('/openai') ? '' : '/openai'}/deployments/${name}${endpoint}${query}`
}

/** The path of the Responses API, which dated versions have since 2025-03. */
export function responsesPath(deployment: Place): string {
  const dated = datedVersionOf(deployment)
  const base = basePathOf(deployment)
  if (dated === undefined) return `${v1Prefix(base)}/responses${queryOf(versionOf(deployment))}`
  const isOld = /^\d/.test(dated) && dated < firstWithResponses
  if (isOld) return `${v1Prefix(base)}/responses`
  return `${base.endsWith('/openai') ? '' : '/openai'}/responses?api-version=${encodeURIComponent(dated)}`
}

/** What of `/openai/v1` a base URL does not hold yet. */
export function v1Prefix(basePath: string): string {
  if (basePath.endsWith('/openai/v1')) return ''
  return basePath.endsWith('/openai') ? '/v1' : '/openai/v1'
}

function queryOf(version: string | undefined): string {
  return version === undefined || version === 'v1' ? '' : `?api-version=${version}`
}

/** The path of a deployment's base URL, without trailing slash. */
export function basePathOf({ baseUrl }: Place): string {
  return baseUrl === undefined ? '' : new URL(baseUrl).pathname.replace(/\/+$/, '')
}

function isCloudflare({ baseUrl }: Place): boolean {
  return baseUrl !== undefined && new URL(baseUrl).host === 'gateway.ai.cloudflare.com'
}
