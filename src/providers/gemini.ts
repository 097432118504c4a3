import { geminiProtocol } from '../protocols/gemini/index.js'
import { authorizeGoogle, withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { Provider } from './provider.js'

/** Google AI Studio's generateContent API. */
export const gemini: Provider = {
  name: 'gemini',
  displayName: 'Google AI Studio (Gemini)',
  aliases: [],
  protocol: geminiProtocol,
  baseUrl: 'https://generativelanguage.googleapis.com',
  baseUrlEnv: ['GEMINI_API_BASE'],
  apiKeyEnv: ['GOOGLE_API_KEY', 'GEMINI_API_KEY', 'PALM_API_KEY'],
  apiKeyRequired: true,
  capabilities: { chat: true, stream: true, completions: false, embeddings: true, images: true },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, ['/v1beta/models', '/v1beta', '/v1']),
  authorize: (request, deployment) => authorizeGoogle(withDeploymentHeaders(request, deployment), deployment),
}
