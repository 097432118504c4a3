import type { Deployment } from '../../deployment.js'
import { openaiProtocol } from '../../protocols/openai/index.js'
import type { Protocol } from '../../protocols/protocol.js'
import { authorizeBearer, withDeploymentHeaders } from '../authorize.js'
import { withoutEnding } from '../base-url.js'
import { toolParameters } from '../openai-compatible/presets.js'
import type { Provider } from '../provider.js'
import { chooseCodec } from '../choose-codec.js'
import { agentCodec } from './agent.js'
import { withByteVectors } from './embeddings.js'

/** The chat API that Perplexity itself ended; servers that look like it still speak it. */
const sonar = openaiProtocol({
  rename: { max_completion_tokens: 'max_tokens' },
  unsupported: [...toolParameters, 'stop', 'n', 'seed', 'logprobs', 'top_logprobs', 'logit_bias'],
  messages: { dropName: 'always' },
  thinkTags: true,
  paths: { embeddings: '/v1/embeddings' },
  // https://docs.perplexity.ai/api-reference/embeddings-post
  embeddings: { most: 512, base64: false, tokens: false },
})

const { chat, embeddings } = sonar.codecs
if (!chat || !embeddings) throw new TypeError('the dialect of OpenAI has lost an operation')

const protocol: Protocol = {
  name: 'perplexity',
  codecs: {
    chat: chooseCodec(chat, agentCodec, ({ deployment }) => isPerplexity(deployment)),
    embeddings: withByteVectors(embeddings),
  },
  failure: (status, body) => sonar.failure(status, body),
}

/** True at Perplexity's own address, where only the Agent API answers chats. */
function isPerplexity({ baseUrl }: Deployment): boolean {
  return baseUrl === undefined || /(?:^|\.)perplexity\.ai$/.test(new URL(baseUrl).hostname)
}

const endpoints = ['/chat/completions', '/v1/responses', '/v1/agent', '/v1/embeddings', '/v1']

/** Perplexity: the Agent API, in the shape of OpenAI's Responses, and embeddings. */
export const perplexity: Provider = {
  name: 'perplexity',
  displayName: 'Perplexity',
  aliases: [],
  protocol,
  baseUrl: 'https://api.perplexity.ai',
  baseUrlEnv: ['PERPLEXITY_API_BASE'],
  apiKeyEnv: ['PERPLEXITYAI_API_KEY', 'PERPLEXITY_API_KEY'],
  apiKeyRequired: true,
  capabilities: { chat: true, stream: true, completions: false, embeddings: true, images: false },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, endpoints),
  // "Total cost for the request in USD": https://docs.perplexity.ai/api-reference/responses-post
  costReport: { amount: 'cost.total_cost' },
  authorize: (request, deployment) => authorizeBearer(withDeploymentHeaders(request, deployment), deployment),
}
