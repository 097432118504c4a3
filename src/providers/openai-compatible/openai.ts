import type { Deployment } from '../../deployment.js'
import type { Exchange } from '../../protocols/protocol.js'
import { authorizeOpenai } from '../authorize.js'
import { asksForResponses, modelNeedsResponses, requestNeedsResponses } from '../responses.js'
import { settingOf } from '../settings.js'
import { everything } from './presets.js'
import type { Rows } from './row.js'

/** OpenAI itself, where the dialect comes from. */
export const openaiRow: Rows = {
  openai: {
    displayName: 'OpenAI',
    aliases: ['text-completion-openai', 'custom_openai'],
    baseUrl: 'https://api.openai.com/v1',
    baseUrlEnv: ['OPENAI_BASE_URL', 'OPENAI_API_BASE'],
    apiKeyEnv: ['OPENAI_API_KEY'],
    capabilities: [...everything, 'moderations'],
    headersEnv: {
      'openai-organization': ['OPENAI_ORGANIZATION', 'OPENAI_ORG_ID'],
      'openai-project': ['OPENAI_PROJECT', 'OPENAI_PROJECT_ID'],
    },
    settings: {
      /**
       * `responses`: the server at `baseUrl` has the Responses API too, and chats with hosted tools or web search go
       * there; `chat`: it has nothing else, and every chat stays. Without it OpenAI's own addresses have both, others
       * get over the Responses API only what OpenAI's models cannot do at all over chat. `openai/responses/<model>`
       * goes there always.
       */
      api: { env: [] },
    },
    quirks: { modelRules: true, embeddings: { most: 2_048 } },
    responses: { when: goesOverResponses, options: { modelRules: true } },
    authorize: authorizeOpenai,
  },
}

function goesOverResponses(exchange: Exchange<'chat'>): boolean {
  const { deployment } = exchange
  const api = settingOf(deployment, 'api')
  if (api === 'chat') return asksForResponses(exchange)
  if (modelNeedsResponses(exchange, deployment.model)) return true
  return requestNeedsResponses(exchange, deployment.model) && (api === 'responses' || isOwnAddress(deployment))
}

/** True at OpenAI, its regions, and Azure's copy of its API; elsewhere is often a server that knows chat alone. */
function isOwnAddress({ baseUrl }: Deployment): boolean {
  return baseUrl === undefined || /(?:^|\.)openai\.(?:com|azure\.com)$/.test(new URL(baseUrl).hostname)
}
