import { nlpCloudProtocol } from '../protocols/nlp-cloud/index.js'
import { authorizeByScheme, withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { Provider } from './provider.js'

const authorize = authorizeByScheme('Token')

/** NLP Cloud; models run on a GPU unless their name begins with `cpu/`. */
export const nlpCloud: Provider = {
  name: 'nlp_cloud',
  displayName: 'NLP Cloud',
  aliases: [],
  protocol: nlpCloudProtocol,
  baseUrl: 'https://api.nlpcloud.io',
  baseUrlEnv: ['NLP_CLOUD_API_BASE'],
  apiKeyEnv: ['NLP_CLOUD_API_KEY'],
  apiKeyRequired: true,
  capabilities: { chat: true, stream: true, completions: true, embeddings: true, images: true },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, ['/v1/gpu', '/v1']),
  authorize: (request, deployment) => authorize(withDeploymentHeaders(request, deployment), deployment),
}
