import { anthropicProtocol } from '../protocols/anthropic/index.js'
import { authorizeAnthropic, withAnthropicBetas } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { Provider } from './provider.js'

/** Anthropic's Messages API. */
export const anthropic: Provider = {
  name: 'anthropic',
  displayName: 'Anthropic',
  aliases: ['anthropic_text'],
  protocol: anthropicProtocol,
  baseUrl: 'https://api.anthropic.com',
  baseUrlEnv: ['ANTHROPIC_API_BASE', 'ANTHROPIC_BASE_URL'],
  apiKeyEnv: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'],
  apiKeyRequired: true,
  capabilities: { chat: true, stream: true, completions: false, embeddings: false, images: false },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, ['/v1/messages', '/v1']),
  authorize: (request, deployment) => authorizeAnthropic(withAnthropicBetas(request, deployment), deployment),
}
