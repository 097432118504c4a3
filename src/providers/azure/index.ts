import type { Deployment } from '../../deployment.js'
import { missingBaseUrl, withoutEnding } from '../base-url.js'
import type { Provider } from '../provider.js'
import { settingOf } from '../settings.js'
import { authorizeAzure } from './authorize.js'
import { entraSettings } from './entra.js'
import { azureProtocol } from './protocol.js'

const endpoints = ['/chat/completions', '/completions', '/embeddings', '/images/generations', '/responses']

/**
 * Azure OpenAI. `apiVersion` chooses the surface: a date (`2024-10-21`) asks `/openai/deployments/<model>`, none or `v1`
 * the newer `/openai/v1`. Signs with `apiKey`, or at Entra ID with one of the settings.
 */
export const azure: Provider = {
  name: 'azure',
  displayName: 'Azure OpenAI',
  aliases: ['azure_text'],
  protocol: azureProtocol,
  baseUrl: resourceUrl,
  baseUrlEnv: ['AZURE_API_BASE', 'AZURE_OPENAI_ENDPOINT'],
  apiKeyEnv: ['AZURE_API_KEY', 'AZURE_OPENAI_API_KEY'],
  apiKeyRequired: false,
  capabilities: { chat: true, stream: true, completions: true, embeddings: true, images: true },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, endpoints),
  settings: {
    /** `my-resource` of https://my-resource.openai.azure.com, instead of a base URL. */
    resourceName: { env: ['AZURE_RESOURCE_NAME'] },
    apiVersion: { env: ['AZURE_API_VERSION'] },
    ...entraSettings,
  },
  authorize: authorizeAzure((key) => ({ 'api-key': key })),
}

function resourceUrl(deployment: Deployment): string {
  if (deployment.baseUrl !== undefined) return deployment.baseUrl
  const resource = settingOf(deployment, 'resourceName')
  if (resource === undefined || !/^[A-Za-z0-9-]+$/.test(resource)) throw missingBaseUrl(azure)
  return `https://${resource}.openai.azure.com`
}
