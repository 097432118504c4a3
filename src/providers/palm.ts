import { palmProtocol } from '../protocols/palm/index.js'
import { authorizeGoogle, withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { Provider } from './provider.js'

/** Google's PaLM API, which was shut down; look-alikes at a base URL are still spoken to. */
export const palm: Provider = {
  name: 'palm',
  displayName: 'Google PaLM',
  aliases: [],
  protocol: palmProtocol,
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta3',
  baseUrlEnv: [],
  apiKeyEnv: ['PALM_API_KEY'],
  apiKeyRequired: true,
  capabilities: { chat: true, stream: true, completions: true, embeddings: true, images: false },
  status: 'retired',
  notice: 'Google shut the PaLM API down in October 2024: use gemini/ models (gemini/gemini-2.5-flash).',
  completeBaseUrl: (url) => withoutEnding(url, ['/models']),
  authorize: (request, deployment) => authorizeGoogle(withDeploymentHeaders(request, deployment), deployment),
}
