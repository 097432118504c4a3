import { chatOverCompletions } from '../../protocols/chat-over-completions.js'
import { completionsOverChat } from '../../protocols/completions-bridge.js'
import { openaiProtocol } from '../../protocols/openai/index.js'
import type { Codec, Protocol } from '../../protocols/protocol.js'
import {
  createFeatures,
  createTextToImage,
  createTgiCompletions,
  readHuggingFaceFailure,
} from '../../protocols/tgi/index.js'
import type { Operation } from '../../wire/operations.js'
import { authorizeBearer, withDeploymentHeaders, withHeaders } from '../authorize.js'
import { withoutEnding } from '../base-url.js'
import type { Provider } from '../provider.js'
import { settingOf } from '../settings.js'
import { isRouter, isTgi, routerUrl, taskPath, toRouterModel, toRouterName } from './place.js'

const openai = openaiProtocol({
  paths: { chat: '/v1/chat/completions', completions: '/v1/completions' },
  rename: { max_completion_tokens: 'max_tokens' },
  thinkTags: true,
})

function requireCodec<K extends Operation>(codec: Codec<K> | undefined): Codec<K> {
  if (codec) return codec
  throw new TypeError("OpenAI's dialect has lost an operation")
}

type Streams<K extends Operation> = Codec<K> & Required<Pick<Codec<K>, 'decodeStream'>>

function requireStream<K extends Operation>(codec: Codec<K>): Streams<K> {
  return {
    ...codec,
    decodeStream: (exchange) => {
      const decoder = codec.decodeStream?.(exchange)
      if (!decoder) throw new TypeError('a dialect has stopped to stream')
      return decoder
    },
  }
}

const tgiCompletions = requireStream(createTgiCompletions(taskPath('')))
const tgiChat = requireStream(chatOverCompletions(tgiCompletions))
const openaiChat = requireStream(requireCodec(openai.codecs.chat))
const openaiCompletions = requireStream(requireCodec(openai.codecs.completions))

/** Chat at the router, by the names that it knows; at an endpoint of the host's own the model's name is free. */
const routedChat: Streams<'chat'> = {
  ...openaiChat,
  encode: (exchange) => {
    const { deployment } = exchange
    if (!isRouter(deployment)) return openaiChat.encode(exchange)
    return openaiChat.encode({ ...exchange, deployment: { ...deployment, model: toRouterName(deployment.model) } })
  },
}

const chat: Streams<'chat'> = {
  encode: (exchange) => (isTgi(exchange.deployment) ? tgiChat : routedChat).encode(exchange),
  decode: (body, exchange) => (isTgi(exchange.deployment) ? tgiChat : routedChat).decode(body, exchange),
  decodeStream: (exchange) => (isTgi(exchange.deployment) ? tgiChat : routedChat).decodeStream(exchange),
}

const chatAsText = requireStream(completionsOverChat(routedChat))

/** The router completes text only where the model's name says who runs it; elsewhere it is asked as a chat. */
const runnerCompletions: Streams<'completions'> = {
  ...openaiCompletions,
  encode: (exchange) => {
    const { runner, name } = toRouterModel(exchange.deployment.model)
    const sent = openaiCompletions.encode({ ...exchange, deployment: { ...exchange.deployment, model: name } })
    return { ...sent, path: `/${encodeURIComponent(runner ?? '')}${sent.path}` }
  },
}

function completionsFor(deployment: Parameters<typeof isTgi>[0]): Streams<'completions'> {
  if (isTgi(deployment)) return tgiCompletions
  if (!isRouter(deployment)) return openaiCompletions
  const { runner } = toRouterModel(deployment.model)
  if (runner === undefined) return chatAsText
  return runner === 'hf-inference' ? tgiCompletions : runnerCompletions
}

const completions: Streams<'completions'> = {
  encode: (exchange) => completionsFor(exchange.deployment).encode(exchange),
  decode: (body, exchange) => completionsFor(exchange.deployment).decode(body, exchange),
  decodeStream: (exchange) => completionsFor(exchange.deployment).decodeStream(exchange),
}

const protocol: Protocol = {
  name: 'huggingface',
  codecs: {
    chat,
    completions,
    // What Text Embeddings Inference takes unless it was started with another `--max-client-batch-size`.
    // What the server takes unless its operator says otherwise: https://huggingface.co/docs/text-embeddings-inference/cli_arguments
    embeddings: { ...createFeatures(taskPath('/pipeline/feature-extraction')), mostInputs: () => 32 },
    images: createTextToImage(taskPath('')),
  },
  failure: readHuggingFaceFailure,
}

/**
 * Hugging Face: the router (`owner/name`, `owner/name:policy`, `runner/owner/name`), or an endpoint of the host's own
 * at `baseUrl`. `settings.api: 'tgi'` speaks to servers that know only Text Generation Inference's own API.
 */
export const huggingface: Provider = {
  name: 'huggingface',
  displayName: 'Hugging Face',
  aliases: [],
  protocol,
  baseUrl: routerUrl,
  baseUrlEnv: ['HF_API_BASE', 'HUGGINGFACE_API_BASE'],
  apiKeyEnv: ['HUGGINGFACE_API_KEY', 'HF_TOKEN'],
  apiKeyRequired: true,
  capabilities: { chat: true, stream: true, completions: true, embeddings: true, images: true },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) =>
    withoutEnding(url, ['/v1/chat/completions', '/v1/completions', '/v1', '/generate', '/generate_stream']),
  settings: { api: { env: [] }, billTo: { env: ['HF_BILL_TO'] } },
  authorize: (request, deployment) => {
    const authorized = authorizeBearer(withDeploymentHeaders(request, deployment), deployment)
    const billTo = settingOf(deployment, 'billTo')
    return billTo === undefined ? authorized : withHeaders(authorized, { 'x-hf-bill-to': billTo })
  },
}
