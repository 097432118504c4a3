import { bflProtocol } from '../protocols/bfl/index.js'
import { authorizeByHeader, withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { Provider } from './provider.js'

const authorize = authorizeByHeader('x-key')

/** Black Forest Labs, the makers of FLUX. */
export const blackForestLabs: Provider = {
  name: 'black_forest_labs',
  displayName: 'Black Forest Labs',
  aliases: [],
  protocol: bflProtocol,
  baseUrl: 'https://api.bfl.ai',
  baseUrlEnv: ['BFL_API_BASE'],
  apiKeyEnv: ['BFL_API_KEY', 'BLACK_FOREST_LABS_API_KEY'],
  apiKeyRequired: true,
  capabilities: { chat: false, stream: false, completions: false, embeddings: false, images: true },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, ['/v1']),
  authorize: (request, deployment) => authorize(withDeploymentHeaders(request, deployment), deployment),
}
