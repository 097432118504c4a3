import { petalsProtocol } from '../protocols/petals/index.js'
import { authorizeBearer, withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { Provider } from './provider.js'

/** A Petals server of the host's own: the public swarm serves no model any more. */
export const petals: Provider = {
  name: 'petals',
  displayName: 'Petals',
  aliases: [],
  protocol: petalsProtocol,
  baseUrl: undefined,
  baseUrlEnv: ['PETALS_API_BASE'],
  apiKeyEnv: [],
  apiKeyRequired: false,
  capabilities: { chat: true, stream: true, completions: true, embeddings: false, images: false },
  status: 'self-hosted',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, ['/api/v1/generate', '/api/v2/generate', '/api/v1', '/api']),
  authorize: (request, deployment) => authorizeBearer(withDeploymentHeaders(request, deployment), deployment),
}
