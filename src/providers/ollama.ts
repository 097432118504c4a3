import { ollamaProtocol } from '../protocols/ollama/index.js'
import { authorizeBearer, withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { Provider } from './provider.js'

/** Ollama on the host's own machine, or its cloud at https://ollama.com with a key. */
export const ollama: Provider = {
  name: 'ollama',
  displayName: 'Ollama',
  aliases: ['ollama_chat'],
  protocol: ollamaProtocol,
  baseUrl: 'http://localhost:11434',
  baseUrlEnv: ['OLLAMA_API_BASE'],
  apiKeyEnv: ['OLLAMA_API_KEY'],
  apiKeyRequired: false,
  capabilities: { chat: true, stream: true, completions: true, embeddings: true, images: false },
  status: 'self-hosted',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, ['/api/chat', '/api/generate', '/api/embed', '/api', '/v1']),
  authorize: (request, deployment) => authorizeBearer(withDeploymentHeaders(request, deployment), deployment),
}
