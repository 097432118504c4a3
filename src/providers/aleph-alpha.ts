import { alephAlphaProtocol } from '../protocols/aleph-alpha/index.js'
import { openaiProtocol } from '../protocols/openai/index.js'
import type { Protocol } from '../protocols/protocol.js'
import { authorizeBearer, withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import { choosePerCall } from './choose-codec.js'
import type { Provider } from './provider.js'

const newer = openaiProtocol({
  rename: { max_completion_tokens: 'maximum_tokens', max_tokens: 'maximum_tokens' },
  messages: { reasoningContent: 'as_given' },
  thinkTags: true,
  embeddings: { base64: false, tokens: false },
})

// Models of the older generations have no chat of their own and embed through an API of their own.
const isLuminous = (model: string): boolean => /^luminous|^pharia-1-embedding/.test(model)

const protocol: Protocol = {
  name: 'aleph-alpha',
  codecs: {
    ...alephAlphaProtocol.codecs,
    ...choosePerCall(newer, alephAlphaProtocol, ({ model }) => isLuminous(model), ['chat', 'embeddings']),
  },
  failure: (status, body) => alephAlphaProtocol.failure(status, body),
}

/** Aleph Alpha: its cloud, or a PhariaAI server of the host's own. */
export const alephAlpha: Provider = {
  name: 'aleph_alpha',
  displayName: 'Aleph Alpha',
  aliases: [],
  protocol,
  baseUrl: 'https://api.aleph-alpha.com',
  baseUrlEnv: ['ALEPH_ALPHA_API_BASE'],
  apiKeyEnv: ['ALEPH_ALPHA_API_KEY', 'ALEPHALPHA_API_KEY'],
  apiKeyRequired: true,
  capabilities: { chat: true, stream: true, completions: true, embeddings: true, images: false },
  status: 'limited',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, ['/complete', '/chat/completions', '/semantic_embed', '/embeddings']),
  authorize: (request, deployment) => authorizeBearer(withDeploymentHeaders(request, deployment), deployment),
}
