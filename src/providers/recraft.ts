import { openaiProtocol } from '../protocols/openai/index.js'
import { openaiImageParameters } from './openai-compatible/presets.js'
import { type Row, toProvider } from './openai-compatible/row.js'
import type { Provider } from './provider.js'

const row: Row = {
  displayName: 'Recraft',
  baseUrl: 'https://external.api.recraft.ai/v1',
  baseUrlEnv: ['RECRAFT_API_BASE'],
  apiKeyEnv: ['RECRAFT_API_KEY', 'RECRAFT_API_TOKEN'],
  capabilities: ['images'],
  quirks: { images: { unsupported: [...openaiImageParameters, 'output_format', 'quality', 'user'] } },
  completeBaseUrl: (url) => (url.endsWith('/v1') ? url : `${url}/v1`),
}

/** Recraft: https://www.recraft.ai/docs/api-reference/endpoints */
export const recraft: Provider = toProvider('recraft', row, openaiProtocol)
