import { stabilityProtocol } from '../protocols/stability/index.js'
import { authorizeBearer, withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { Provider } from './provider.js'

/** Stability AI's own platform. */
export const stability: Provider = {
  name: 'stability',
  displayName: 'Stability AI',
  aliases: [],
  protocol: stabilityProtocol,
  baseUrl: 'https://api.stability.ai',
  baseUrlEnv: ['STABILITY_API_BASE'],
  apiKeyEnv: ['STABILITY_API_KEY'],
  apiKeyRequired: true,
  capabilities: { chat: false, stream: false, completions: false, embeddings: false, images: true },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, ['/v2beta/stable-image/generate', '/v2beta']),
  authorize: (request, deployment) => authorizeBearer(withDeploymentHeaders(request, deployment), deployment),
}
