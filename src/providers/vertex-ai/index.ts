import { withoutEnding } from '../base-url.js'
import type { Provider } from '../provider.js'
import { authorizeVertex } from './authorize.js'
import { vertexBaseUrl } from './place.js'
import { vertexProtocol } from './routes.js'

/**
 * Google Cloud's Vertex AI. `settings.credentials` is a service account's or user's key (object, JSON text or path),
 * `metadata`, a function that gives a token, or absent for what google-auth-library finds; `apiKey` is express mode.
 */
export const vertexAi: Provider = {
  name: 'vertex_ai',
  displayName: 'Google Vertex AI',
  aliases: ['vertex_ai_beta'],
  protocol: vertexProtocol,
  baseUrl: vertexBaseUrl,
  baseUrlEnv: ['VERTEXAI_API_BASE', 'VERTEX_API_BASE'],
  apiKeyEnv: ['VERTEXAI_API_KEY', 'VERTEX_API_KEY'],
  apiKeyRequired: false,
  capabilities: { chat: true, stream: true, completions: true, embeddings: true, images: true },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, ['/v1', '/v1beta1']),
  settings: {
    project: { env: ['VERTEXAI_PROJECT', 'VERTEX_PROJECT', 'GOOGLE_CLOUD_PROJECT'] },
    location: { env: ['VERTEXAI_LOCATION', 'VERTEX_LOCATION', 'GOOGLE_CLOUD_LOCATION'] },
    credentials: { env: ['VERTEXAI_CREDENTIALS', 'GOOGLE_APPLICATION_CREDENTIALS'], secret: true },
  },
  authorize: authorizeVertex,
}
