import type { ModelOptions } from '../../src/index.js'
import { providerKey } from './served-gateway.js'

const cloudToken = 'ya29.token-of-the-host'
const aws = { region: 'eu-west-1', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-of-the-deployment' }
const claude = 'anthropic.claude-sonnet-4-5-20250929-v1:0'
const bedrockPath = (model: string, method: string): string => `/model/${encodeURIComponent(model)}/${method}`
const vertexPath = (method: string): string =>
  `/v1/projects/shop/locations/europe-west4/publishers/google/models/gemini-2.5-flash:${method}`

/** How one upstream is reached, and what it must be asked. */
export interface Upstream {
  readonly name: string
  readonly options: Omit<ModelOptions, 'modelName' | 'baseUrl'>
  /** The paths of a whole and of a streamed chat. */
  readonly paths: readonly [whole: string, streamed: string]
  /** The header that signs a request, and what it says. */
  readonly signature: readonly [string, RegExp]
  readonly embeddings?: string
  /** True where aimock gives its thoughts the place that the provider gives them. */
  readonly thinks?: boolean
}

const bearer: Upstream['signature'] = ['authorization', new RegExp(`^Bearer ${providerKey}$`)]
const azureKey: Upstream['signature'] = ['api-key', new RegExp(`^${providerKey}$`)]
const sigv4: Upstream['signature'] = [
  'authorization',
  /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/bedrock\/aws4_request, SignedHeaders=[^ ]*host[^ ]*, Signature=[0-9a-f]{64}$/,
]

const dated = (endpoint: string): string => `/openai/deployments/our-gpt/${endpoint}?api-version=2024-10-21`

/** Upstreams beyond those of one vendor's own API, as deployments whose address is left open. */
export const cloudUpstreams: readonly Upstream[] = [
  {
    name: 'vertex',
    options: {
      model: 'vertex_ai/gemini-2.5-flash',
      settings: { project: 'shop', location: 'europe-west4', credentials: () => cloudToken },
    },
    paths: [vertexPath('generateContent'), vertexPath('streamGenerateContent?alt=sse')],
    signature: ['authorization', new RegExp(`^Bearer ${cloudToken}$`)],
    thinks: true,
  },
  {
    // Converse only: aimock streams `invoke` without the `bytes` in base64 that Bedrock wraps every event in.
    name: 'bedrock',
    options: { model: `bedrock/${claude}`, settings: aws },
    paths: [bedrockPath(claude, 'converse'), bedrockPath(claude, 'converse-stream')],
    signature: sigv4,
    thinks: true,
  },
  {
    name: 'azure',
    options: { model: 'azure/our-gpt', apiKey: providerKey, apiVersion: '2024-10-21' },
    paths: [dated('chat/completions'), dated('chat/completions')],
    signature: azureKey,
    embeddings: dated('embeddings'),
    thinks: true,
  },
  {
    name: 'azure-v1',
    options: { model: 'azure/our-gpt', apiKey: providerKey },
    paths: ['/openai/v1/chat/completions', '/openai/v1/chat/completions'],
    signature: azureKey,
    embeddings: '/openai/v1/embeddings',
  },
  {
    // No embeddings: aimock calls them `embedding` at /api/embed, Ollama `embeddings`. No thoughts: aimock calls them
    // `reasoning_content`, Ollama `thinking`.
    name: 'ollama',
    options: { model: 'ollama/llama3.2', apiKey: providerKey },
    paths: ['/api/chat', '/api/chat'],
    signature: bearer,
  },
  {
    // No thoughts: aimock sends them as blocks of text, Cohere as blocks of its own type.
    name: 'cohere',
    options: { model: 'cohere/command-a-03-2025', apiKey: providerKey },
    paths: ['/v2/chat', '/v2/chat'],
    signature: bearer,
    embeddings: '/v2/embed',
  },
]
