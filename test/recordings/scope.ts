import type { Operation } from '../../src/wire/operations.js'
import type { IndexEntry } from './exchange.js'
import { type FurtherName, furtherReplay } from './further/index.js'

/** The dialects whose requests and replies are replayed. */
export type Dialect = 'openai' | 'anthropic' | 'gemini' | 'responses' | FurtherName

/** How an exchange is replayed. */
export interface Replay {
  readonly dialect: Dialect
  readonly operation: Operation
  /** Name of the provider at Sluice. */
  readonly provider: string
  /** Put before the model's name, where it asks for the API. */
  readonly prefix?: string
}

const apis: Readonly<Record<string, Omit<Replay, 'provider'>>> = {
  'openai.chat': { dialect: 'openai', operation: 'chat' },
  'openai.completions': { dialect: 'openai', operation: 'completions' },
  'openai.responses': { dialect: 'responses', operation: 'chat', prefix: 'responses/' },
  'openai.embeddings': { dialect: 'openai', operation: 'embeddings' },
  'openai.images.generations': { dialect: 'openai', operation: 'images' },
  'openrouter.images': { dialect: 'openai', operation: 'images' },
  'anthropic.messages': { dialect: 'anthropic', operation: 'chat' },
  'gemini.generateContent': { dialect: 'gemini', operation: 'chat' },
  'gemini.embedContent': { dialect: 'gemini', operation: 'embeddings' },
}

// What the recordings call a provider and Sluice calls otherwise.
const names: Readonly<Record<string, string>> = {
  vllm: 'hosted_vllm',
  venice: 'veniceai',
}

// Servers of OpenAI's format that have no row of their own, and other vendors' OpenAI surfaces: a host reaches them as
// it reaches any proxy.
const otherServers = [
  'anthropic',
  'avian',
  'bedrock',
  'cohere',
  'cloudflare',
  'doubleword',
  'gemini',
  'github_copilot',
  'gpustack',
  'llamacpp',
  'mistralrs',
  'ollama',
  'pollinations',
  'portkey',
  'writer',
]
// Rows that speak the Responses API themselves.
const ownResponses = ['xai', 'azure']
/** The row for them. */
export const anyServer = 'litellm_proxy'
const anyCompletionServer = 'hosted_vllm'

// Facts of single recordings that leave nothing to replay.
const unusable: Readonly<Record<string, string>> = {
  'fireworks_ai-openai-embeddings-30acbbe71de6': 'an embedding of nothing, which OpenAI refuses',
  'fireworks_ai-openai-embeddings-f0351b25a799': 'an embedding of nothing, which OpenAI refuses',
  'anthropic-anthropic-messages-76eddfd68a2c': "tool_addition, a beta that no message of OpenAI's can say",
  'anthropic-anthropic-messages-e25a51634638': "tool_addition, a beta that no message of OpenAI's can say",
  'openai-openai-completions-4e5107a5db82':
    'the recorder kept the request of another exchange: no stream was asked for',
  'openai-openai-chat-00360cf89496':
    'a hosted tool, which chat takes and never runs: it goes over the Responses API now',
  'openai-openai-chat-6bad07782c92':
    'a hosted tool, which chat takes and never runs: it goes over the Responses API now',
  'openai-openai-chat-6a5bc61b80ed': 'a search, which chat refused for that model: it goes over the Responses API now',
  'openai-openai-responses-69b2c8e6e95f': 'a context being compacted, which is not chat',
  'openai-openai-responses-a027bfbc1bc7': 'the start of a background job alone, whose result was not recorded',
}

/** The replay of an exchange, or why it is left out. `rows` tells whether Sluice has a provider of that name. */
export function replayOf(entry: IndexEntry, rows: (provider: string) => boolean): Replay | string {
  const further = furtherReplay(entry)
  if (further !== undefined) return further
  const api = apis[entry.api]
  if (!api) throw new Error(`${entry.api} is neither replayed nor left out for a reason`)
  const fact = unusable[entry.id]
  if (fact !== undefined) return fact
  const provider = providerOf(entry, api)
  if (api.dialect === 'anthropic' && !['anthropic', 'azure_ai'].includes(provider)) {
    throw new Error(`the Messages API of ${entry.provider} is neither replayed nor left out for a reason`)
  }
  if (!rows(provider)) throw new Error(`the provider ${provider} has no row and no server stands for it`)
  return { ...api, provider }
}

function providerOf(entry: IndexEntry, { dialect, operation }: Omit<Replay, 'provider'>): string {
  // On Vertex as with an API key, which needs no project.
  if (dialect === 'gemini') return entry.provider === 'vertex_ai' ? 'vertex_ai' : 'gemini'
  // Any server of the Messages API is reached as `anthropic/<model>` at its own address.
  if (dialect === 'anthropic' && entry.provider === 'bedrock_mantle') return 'anthropic'
  // Any server of OpenAI's Responses API is reached as `openai/responses/<model>` at its own address.
  if (dialect === 'responses') return ownResponses.includes(entry.provider) ? entry.provider : 'openai'
  if (dialect === 'openai' && otherServers.includes(entry.provider)) {
    return operation === 'completions' ? anyCompletionServer : anyServer
  }
  // Their rows list chat alone; the recordings show that both embed as well.
  if (operation === 'embeddings' && ['synthetic', 'venice'].includes(entry.provider)) return anyServer
  return names[entry.provider] ?? entry.provider
}
