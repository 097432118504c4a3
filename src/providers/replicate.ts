import { replicateProtocol } from '../protocols/replicate/index.js'
import { authorizeBearer, withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { Provider } from './provider.js'

/** Replicate; a stream is made from the finished prediction, since its own streams live on other hosts. */
export const replicate: Provider = {
  name: 'replicate',
  displayName: 'Replicate',
  aliases: [],
  protocol: replicateProtocol,
  baseUrl: 'https://api.replicate.com/v1',
  baseUrlEnv: ['REPLICATE_API_BASE'],
  apiKeyEnv: ['REPLICATE_API_KEY', 'REPLICATE_API_TOKEN'],
  apiKeyRequired: true,
  capabilities: { chat: true, stream: true, completions: false, embeddings: false, images: true },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, ['/predictions', '/models']),
  authorize: (request, deployment) => authorizeBearer(withDeploymentHeaders(request, deployment), deployment),
}
