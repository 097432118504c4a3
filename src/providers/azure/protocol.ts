import type { Deployment } from '../../deployment.js'
import { baseModelOf } from '../../protocols/base-model.js'
import { openaiProtocol } from '../../protocols/openai/index.js'
import type { Quirks } from '../../protocols/openai/quirks.js'
import { createResponsesCodec } from '../../protocols/openai-responses/chat.js'
import type { Codec, Exchange, Protocol } from '../../protocols/protocol.js'
import type { Operation } from '../../wire/operations.js'
import { chooseCodec } from '../choose-codec.js'
import { modelNeedsResponses, requestNeedsResponses } from '../responses.js'
import { withImageJobs } from './image-jobs.js'
import { azurePath, datedVersionOf, deploymentName, responsesPath } from './surface.js'

const quirks: Quirks = {
  modelRules: true,
  modelName: deploymentName,
  thinkTags: true,
  embeddings: { most: 2_048 },
}

// What dated versions before these do not know: https://learn.microsoft.com/azure/ai-foundry/openai/reference
const olderVersions: readonly (readonly [string, Protocol])[] = [
  [
    '2024-06-01',
    openaiProtocol({ ...quirks, requiredToolChoice: 'ask', jsonSchema: 'synthetic_tool', streamOptions: false }),
  ],
  ['2024-08-01', openaiProtocol({ ...quirks, jsonSchema: 'synthetic_tool', streamOptions: false })],
  ['2024-09-01', openaiProtocol({ ...quirks, streamOptions: false })],
]
const current = openaiProtocol(quirks)

function dialectOf(deployment: Deployment): Protocol {
  const dated = datedVersionOf(deployment)
  if (dated === undefined || !/^\d{4}-/.test(dated)) return current
  return olderVersions.find(([before]) => dated < before)?.[1] ?? current
}

/** Azure's spelling of a model that its rules are known under: deployments are called anything. */
function familyOf({ info, model }: Deployment): string {
  if (model.startsWith('o_series/')) return 'o3'
  if (model.startsWith('gpt5_series/')) return 'gpt-5'
  return baseModelOf({ info }, deploymentName(model)).replace(/^gpt-35/, 'gpt-3.5')
}

/** The exchange with its model's family where rules are looked up. */
function withFamily<K extends Operation>(exchange: Exchange<K>): Exchange<K> {
  const { deployment } = exchange
  return { ...exchange, deployment: { ...deployment, info: { ...deployment.info, base_model: familyOf(deployment) } } }
}

/** OpenAI's dialect at Azure's addresses. */
function createAzureCodec<K extends Operation>(operation: K): Codec<K> {
  const codecFor = ({ deployment }: Exchange<K>): Codec<K> => {
    const codec: Codec<K> | undefined = dialectOf(deployment).codecs[operation]
    if (!codec) throw new TypeError(`the dialect has no ${operation}`)
    return codec
  }
  const codec: Codec<K> = {
    encode(exchange) {
      const request = codecFor(exchange).encode(withFamily(exchange))
      return { ...request, path: azurePath(operation, exchange.deployment) }
    },
    decode: (body, exchange) => codecFor(exchange).decode(body, exchange),
    mostInputs: (exchange) => codecFor(exchange).mostInputs?.(exchange) ?? Infinity,
  }
  if (!current.codecs[operation]?.decodeStream) return codec
  return {
    ...codec,
    decodeStream(exchange) {
      const decoder = codecFor(exchange).decodeStream?.(exchange)
      if (!decoder) throw new TypeError(`the dialect cannot stream ${operation}`)
      return decoder
    },
  }
}

const responses = createResponsesCodec({ path: responsesPath, modelName: deploymentName, modelRules: true })
const responsesCodec: Codec<'chat'> = { ...responses, encode: (exchange) => responses.encode(withFamily(exchange)) }

/** Azure OpenAI: OpenAI's dialect, and the Responses API for what the chat endpoint does not serve. */
export const azureProtocol: Protocol = {
  name: 'azure',
  codecs: {
    chat: chooseCodec(createAzureCodec('chat'), responsesCodec, (exchange) => {
      const family = familyOf(exchange.deployment)
      return modelNeedsResponses(exchange, family) || requestNeedsResponses(exchange, family)
    }),
    completions: createAzureCodec('completions'),
    embeddings: createAzureCodec('embeddings'),
    images: withImageJobs(createAzureCodec('images')),
  },
  failure: (status, body) => current.failure(status, body),
}
