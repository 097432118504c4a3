import { baseModelOf } from '../../protocols/base-model.js'
import { anthropicProtocol } from '../../protocols/anthropic/index.js'
import { openaiProtocol } from '../../protocols/openai/index.js'
import type { Codec, Exchange, Protocol } from '../../protocols/protocol.js'
import type { Operation } from '../../wire/operations.js'
import { withoutEnding } from '../base-url.js'
import { createRowProtocol } from '../openai-compatible/row-protocol.js'
import type { Provider } from '../provider.js'
import { chooseCodec } from '../choose-codec.js'
import { authorizeAzure } from './authorize.js'
import { entraSettings } from './entra.js'
import { withImageEmbeddings } from './foundry-embeddings.js'
import { foundryPath, isClaude, messagesPath } from './foundry-place.js'
import { deploymentName } from './surface.js'

const dialect = createRowProtocol(openaiProtocol, {
  quirks: {
    modelRules: true,
    modelName: deploymentName,
    thinkTags: true,
    messages: { flattenText: true, plainToolCalls: true },
    // https://learn.microsoft.com/azure/ai-services/openai/quotas-limits
    embeddings: { most: 2_048 },
  },
  variants: [
    { models: /grok/i, quirks: { unsupported: ['stop'] } },
    { models: /cohere|^embed-v/i, quirks: { embeddings: { most: 96 } } },
  ],
})

/** OpenAI's dialect at the addresses of Azure AI. */
function place<K extends Operation>(operation: K, codec: Codec<K> | undefined): Codec<K> {
  if (!codec) throw new TypeError(`the dialect has no ${operation}`)
  return {
    ...codec,
    encode: (exchange) => ({
      ...codec.encode(withFamily(exchange)),
      path: foundryPath(operation, exchange.deployment),
    }),
  }
}

function withFamily<K extends Operation>(exchange: Exchange<K>): Exchange<K> {
  const { deployment } = exchange
  const family = baseModelOf(deployment, deploymentName(deployment.model)).replace(/^gpt-35/, 'gpt-3.5')
  return { ...exchange, deployment: { ...deployment, info: { ...deployment.info, base_model: family } } }
}

function claudeCodec(): Codec<'chat'> {
  const { chat } = anthropicProtocol.codecs
  if (!chat) throw new TypeError('the dialect of Anthropic has no chat')
  return {
    ...chat,
    encode: (exchange) => ({ ...chat.encode(exchange), path: messagesPath(exchange.deployment) }),
  }
}

const protocol: Protocol = {
  name: 'azure_ai',
  codecs: {
    chat: chooseCodec(place('chat', dialect.codecs.chat), claudeCodec(), ({ deployment }) => isClaude(deployment)),
    embeddings: withImageEmbeddings(place('embeddings', dialect.codecs.embeddings)),
    images: place('images', dialect.codecs.images),
  },
  failure: (status, body) => dialect.failure(status, body),
}

const endpoints = ['/v1/messages', '/chat/completions', '/embeddings', '/images/generations']

/**
 * Azure AI Foundry: models of many makers at `https://<resource>.services.ai.azure.com`, and serverless endpoints.
 * Claude is spoken to in its own dialect; a dated `apiVersion` asks the older `/models` route.
 */
export const azureAi: Provider = {
  name: 'azure_ai',
  displayName: 'Azure AI Foundry',
  aliases: [],
  protocol,
  baseUrl: undefined,
  baseUrlEnv: ['AZURE_AI_API_BASE'],
  apiKeyEnv: ['AZURE_AI_API_KEY'],
  apiKeyRequired: false,
  capabilities: { chat: true, stream: true, completions: false, embeddings: true, images: true },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, endpoints),
  settings: { apiVersion: { env: ['AZURE_AI_API_VERSION'] }, ...entraSettings },
  authorize: authorizeAzure((key, { url }) => keyHeader(key, new URL(url))),
}

/** Foundry takes the key in headers of its own, serverless endpoints as Bearer. */
function keyHeader(key: string, { hostname, pathname }: URL): Record<string, string> {
  if (pathname.endsWith('/v1/messages')) return { 'x-api-key': key }
  return hostname.endsWith('.azure.com') && !hostname.endsWith('.models.ai.azure.com')
    ? { 'api-key': key }
    : { authorization: `Bearer ${key}` }
}
