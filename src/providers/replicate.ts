import { replicateProtocol } from '../protocols/replicate/index.js'
import { authorizeBearer, withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { Provider } from './provider.js'

/** Replicate; a prediction that has no stream of its own is streamed once it is finished. */
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
