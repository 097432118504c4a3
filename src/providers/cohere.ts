import { cohereProtocol } from '../protocols/cohere/index.js'
import { authorizeBearer, withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { Provider } from './provider.js'

/** Cohere's own platform. */
export const cohere: Provider = {
  name: 'cohere',
  displayName: 'Cohere',
  aliases: ['cohere_chat'],
  protocol: cohereProtocol,
  baseUrl: 'https://api.cohere.com',
  baseUrlEnv: ['COHERE_API_BASE'],
  apiKeyEnv: ['COHERE_API_KEY', 'CO_API_KEY'],
  apiKeyRequired: true,
  capabilities: { chat: true, stream: true, completions: true, embeddings: true, images: false },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, ['/v2/chat', '/v2/embed', '/v1/chat', '/v1/embed', '/v2', '/v1']),
  authorize: (request, deployment) => authorizeBearer(withDeploymentHeaders(request, deployment), deployment),
}
