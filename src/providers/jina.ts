import { openaiProtocol } from '../protocols/openai/index.js'
import { type Row, toProvider } from './openai-compatible/row.js'
import type { Provider } from './provider.js'

// Inputs may be objects, `{ text }` or `{ image }`; `task`, `late_chunking` and the like pass as they are.
const row: Row = {
  displayName: 'Jina AI',
  baseUrl: 'https://api.jina.ai/v1',
  baseUrlEnv: ['JINA_AI_API_BASE'],
  apiKeyEnv: ['JINA_AI_API_KEY', 'JINA_AI_TOKEN', 'JINA_API_KEY'],
  capabilities: ['embeddings'],
  // Of its newest models, the older ones take 2,048: https://github.com/langgenius/dify-official-plugins/issues/1997
  quirks: { embeddings: { most: 512, base64: false, tokens: false, unsupported: ['user'] } },
}

/** Jina AI: https://api.jina.ai/docs */
export const jina: Provider = toProvider('jina_ai', row, openaiProtocol)
