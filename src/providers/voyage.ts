import { openaiProtocol } from '../protocols/openai/index.js'
import { isObject, type JsonObject } from '../wire/json.js'
import { adjustOnly } from './openai-compatible/adjust.js'
import { type Row, toProvider } from './openai-compatible/row.js'
import type { Answer } from './openai-compatible/row-protocol.js'
import type { Provider } from './provider.js'

/** Each text is a document of its own, whose only chunk it is. */
const toContextual = adjustOnly('embeddings', ({ input, ...rest }) => ({
  ...rest,
  inputs: (Array.isArray(input) ? input : [input]).map((text: unknown) => [text]),
}))

/** An input is a text, or an object `{ content: [...] }` of Voyage's. */
const toMultimodal = adjustOnly('embeddings', ({ input, ...rest }) => ({
  ...rest,
  inputs: (Array.isArray(input) ? input : [input]).map(toContent),
}))

function toContent(input: unknown): JsonObject {
  return isObject(input) && 'content' in input
    ? input
    : { content: [isObject(input) ? input : { type: 'text', text: input }] }
}

/** Contextual models answer one list per document. */
const flattened: Answer = (body) => {
  const { data } = body
  if (!Array.isArray(data) || !data.some((item) => isObject(item) && Array.isArray(item['data']))) return body
  const items: unknown[] = data.flatMap((item: unknown) => (isObject(item) ? item['data'] : []))
  return { ...body, data: items.map((item, index) => (isObject(item) ? { ...item, index } : item)) }
}

const row: Row = {
  displayName: 'Voyage AI',
  baseUrl: 'https://api.voyageai.com/v1',
  baseUrlEnv: ['VOYAGE_API_BASE'],
  apiKeyEnv: ['VOYAGE_API_KEY', 'VOYAGE_AI_API_KEY', 'VOYAGE_AI_TOKEN'],
  capabilities: ['embeddings'],
  quirks: { embeddings: { most: 1_000, tokens: false, dimensions: 'output_dimension', unsupported: ['user'] } },
  variants: [
    // Its only format by name is base64; floats are what comes without one.
    { when: { parameter: 'encoding_format', is: ['float'] }, quirks: { embeddings: { base64: false } } },
    {
      models: /^voyage-context/,
      quirks: {
        embeddings: { base64: false },
        paths: { embeddings: '/contextualizedembeddings' },
        adjust: toContextual,
      },
    },
    {
      models: /^voyage-multimodal/,
      quirks: { embeddings: { base64: false }, paths: { embeddings: '/multimodalembeddings' }, adjust: toMultimodal },
    },
  ],
  answers: { embeddings: flattened },
}

/** Voyage AI: https://docs.voyageai.com/reference/embeddings-api */
export const voyage: Provider = toProvider('voyage', row, openaiProtocol)
