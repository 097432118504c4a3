import type { Deployment } from '../../deployment.js'
import type { Operation } from '../../wire/operations.js'
import { basePathOf, deploymentName, v1Prefix, versionOf } from './surface.js'

/** How a deployment of Azure AI is reached: Foundry's OpenAI surface, its older `/models` route, or a server of its own. */
export type FoundryRoute = 'v1' | 'models' | 'serverless'

type Place = Pick<Deployment, 'baseUrl' | 'apiVersion' | 'settings' | 'model'>

const defaultModelsVersion = '2024-05-01-preview'
const undated = ['v1', 'latest', 'preview']

/** The route of a deployment, from its address and API version. */
export function routeOf(deployment: Place): FoundryRoute {
  const version = versionOf(deployment)
  const host = hostOf(deployment)
  const base = basePathOf(deployment)
  if (base.endsWith('/models')) return 'models'
  if (base.includes('/openai')) return 'v1'
  if (!/\.(?:services\.ai|openai|cognitiveservices)\.azure\.com$/.test(host)) return 'serverless'
  return version === undefined || undated.includes(version) ? 'v1' : 'models'
}

/** True for models of Anthropic, which Foundry serves in their own dialect. */
export function isClaude({ model }: Pick<Deployment, 'model'>): boolean {
  return /^claude/i.test(deploymentName(model))
}

/** The path of Anthropic's Messages API at a resource. */
export function messagesPath(deployment: Place): string {
  return basePathOf(deployment).endsWith('/anthropic') ? '/v1/messages' : '/anthropic/v1/messages'
}

const endpoints: Readonly<Record<Operation, string>> = {
  chat: '/chat/completions',
  completions: '/completions',
  embeddings: '/embeddings',
  images: '/images/generations',
  moderations: '/moderations',
}

/** The path of an operation in OpenAI's dialect. */
export function foundryPath(operation: Operation, deployment: Place): string {
  if (operation === 'images' && /^flux[.-]2/i.test(deploymentName(deployment.model))) return fluxPath(deployment)
  return pathTo(endpoints[operation], deployment)
}

/** The path of embeddings of images. */
export function imageEmbeddingsPath(deployment: Place): string {
  return pathTo('/images/embeddings', deployment)
}

function pathTo(endpoint: string, deployment: Place): string {
  const base = basePathOf(deployment)
  switch (routeOf(deployment)) {
    case 'v1':
      return v1Prefix(base) + endpoint
    case 'models': {
      const version = versionOf(deployment) ?? defaultModelsVersion
      return `${base.endsWith('/models') ? '' : '/models'}${endpoint}?api-version=${encodeURIComponent(version)}`
    }
    case 'serverless': {
      const version = versionOf(deployment)
      return version === undefined ? endpoint : `${endpoint}?api-version=${encodeURIComponent(version)}`
    }
  }
}

// https://learn.microsoft.com/azure/ai-foundry/foundry-models/how-to/use-foundry-models-flux
function fluxPath(deployment: Place): string {
  const version = versionOf(deployment) ?? 'preview'
  const name = deploymentName(deployment.model).toLowerCase().replace('.', '-')
  return `/providers/blackforestlabs/v1/${encodeURIComponent(name)}?api-version=${encodeURIComponent(version)}`
}

function hostOf({ baseUrl }: Place): string {
  return baseUrl === undefined ? '' : new URL(baseUrl).hostname
}
