import { authorizeOpenai } from '../authorize.js'
import { openaiNeedsResponses } from '../responses.js'
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
    capabilities: everything,
    headersEnv: {
      'openai-organization': ['OPENAI_ORGANIZATION', 'OPENAI_ORG_ID'],
      'openai-project': ['OPENAI_PROJECT', 'OPENAI_PROJECT_ID'],
    },
    quirks: { modelRules: true, embeddings: { most: 2_048 } },
    responses: { when: (exchange) => openaiNeedsResponses(exchange), options: { modelRules: true } },
    authorize: authorizeOpenai,
  },
}
