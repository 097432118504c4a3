import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import { openaiProtocol } from '../../protocols/openai/index.js'
import { OuterDecoder } from '../../protocols/outer-decoder.js'
import type { Codec, Exchange, Protocol } from '../../protocols/protocol.js'
import type { UpstreamEvent, UpstreamRequest } from '../../upstream/message.js'
import { isObject, type JsonObject, numberOf, parseJson, stringOf } from '../../wire/json.js'
import { sizeOf, without } from '../openai-compatible/adjust.js'
import { type Row, toProvider } from '../openai-compatible/row.js'
import type { Answer } from '../openai-compatible/row-protocol.js'
import type { Provider } from '../provider.js'
import { settingOf } from '../settings.js'
import { toChunk, toCompletion, tokenLimit } from './run-answer.js'
import type { Operation } from '../../wire/operations.js'

type Adjust = (body: JsonObject, operation: Operation) => JsonObject

const adjust: Adjust = (body, operation) => {
  const rest = without(body, ['model'])
  if (operation === 'embeddings') {
    const { input, ...others } = rest
    return { ...others, text: Array.isArray(input) ? input : [input] }
  }
  return operation === 'images' ? { ...without(rest, ['size', 'response_format']), ...sizeOf(body) } : toChat(rest)
}

/** The schema stands bare in `json_schema`, and content may not be null. */
function toChat(body: JsonObject): JsonObject {
  const { messages, response_format: format, ...rest } = body
  const list: readonly unknown[] = Array.isArray(messages) ? messages : []
  const inner = isObject(format) && isObject(format['json_schema']) ? format['json_schema'] : undefined
  return {
    ...rest,
    messages: list.map((message) => (isObject(message) ? { ...message, content: message['content'] ?? '' } : message)),
    ...(format !== undefined && {
      response_format: isObject(inner?.['schema']) ? { type: 'json_schema', json_schema: inner['schema'] } : format,
    }),
  }
}

// Codes of capacity and quota: https://developers.cloudflare.com/workers-ai/platform/errors/
const statusByCode: Readonly<Record<number, number>> = { 3036: 429, 3040: 429, 5007: 404, 7000: 404 }

function errorInBody(body: JsonObject): { readonly status: number; readonly message: string } | undefined {
  if (body['success'] !== false) return undefined
  const [first] = Array.isArray(body['errors']) ? body['errors'].filter(isObject) : []
  const code = numberOf(first?.['code'])
  const status = code === undefined ? 502 : (statusByCode[code] ?? 400)
  return { status, message: stringOf(first?.['message']) ?? 'The provider reported an error.' }
}

const resultOf = (body: JsonObject): JsonObject => (isObject(body['result']) ? body['result'] : body)

const embeddings: Answer = (body) => {
  const { data } = resultOf(body)
  if (!Array.isArray(data)) return body
  return { data: data.map((embedding: unknown, index) => ({ object: 'embedding', index, embedding })) }
}

/** Base64 in JSON, or the image itself. */
const images: Answer = (body) => {
  const image = stringOf(body['base64']) ?? stringOf(resultOf(body)['image'])
  return image === undefined ? body : { data: [{ b64_json: image }] }
}

const row: Row = {
  displayName: 'Cloudflare Workers AI',
  baseUrl: (deployment) => `https://api.cloudflare.com/client/v4/accounts/${accountOf(deployment)}/ai`,
  baseUrlEnv: ['CLOUDFLARE_API_BASE'],
  apiKeyEnv: ['CLOUDFLARE_API_KEY', 'CLOUDFLARE_API_TOKEN'],
  settings: { accountId: { env: ['CLOUDFLARE_ACCOUNT_ID'] } },
  capabilities: ['chat', 'stream', 'embeddings', 'images'],
  quirks: {
    rename: { max_completion_tokens: 'max_tokens' },
    supported: [
      'frequency_penalty',
      'max_tokens',
      'presence_penalty',
      'response_format',
      'seed',
      'temperature',
      'tool_choice',
      'tools',
      'top_p',
    ],
    streamOptions: false,
    messages: { flattenText: true, dropName: 'except_tool' },
    // https://github.com/cloudflare/cloudflare-docs/issues/11316
    embeddings: { most: 100, base64: false, tokens: false, dimensions: false, unsupported: ['user'] },
    images: {
      rename: { n: 'num_images' },
      unsupported: ['background', 'moderation', 'output_compression', 'output_format', 'quality', 'style', 'user'],
    },
    thinkTags: true,
    errorInBody,
    adjust,
  },
  answers: { embeddings, images },
  completeBaseUrl: (url) => url.replace(/\/(?:run|v1)$/, ''),
  extend,
}

/** @throws GatewayError invalid_request where the deployment does not name it */
function accountOf(deployment: Deployment): string {
  const account = settingOf(deployment, 'accountId')
  if (account !== undefined) return encodeURIComponent(account)
  const advice = 'set CLOUDFLARE_ACCOUNT_ID, or settings.accountId of the deployment'
  throw new GatewayError('invalid_request', `Cloudflare needs the id of an account: ${advice}.`, { param: 'settings' })
}

/** Every operation has the path `/run/{model}`; the answers of chat are put into OpenAI's shape. */
function extend(protocol: Protocol): Protocol {
  const { chat, embeddings: vectors, images: pictures } = protocol.codecs
  return {
    ...protocol,
    codecs: {
      ...(chat && { chat: runChat(chat) }),
      ...(vectors && { embeddings: withRunPath(vectors) }),
      ...(pictures && { images: withRunPath(pictures) }),
    },
  }
}

function withRunPath<K extends 'chat' | 'embeddings' | 'images'>(codec: Codec<K>): Codec<K> {
  return { ...codec, encode: (exchange) => toRun(codec.encode(exchange), exchange.deployment.model) }
}

const toRun = (request: UpstreamRequest, model: string): UpstreamRequest => ({
  ...request,
  path: `/run/${model.split('/').map(encodeURIComponent).join('/').replaceAll('%40', '@')}`,
})

// Other models refuse a schema together with a stream; their answer comes whole, and is streamed by us.
const streamsSchemas = /llama-4/

function runChat(base: Codec<'chat'>): Codec<'chat'> {
  const limitOf = ({ request, deployment }: Exchange<'chat'>): number => tokenLimit(request, deployment.params)
  return {
    encode(exchange) {
      const { request, deployment } = exchange
      const format = request.response_format ?? deployment.params['response_format']
      const isSchema = isObject(format) && format['type'] === 'json_schema'
      const whole = isSchema && request.stream === true && !streamsSchemas.test(deployment.model)
      const asked = whole ? { ...exchange, request: { ...request, stream: false } } : exchange
      return toRun(base.encode(asked), deployment.model)
    },
    decode: (body, exchange) => base.decode(toCompletion(body, limitOf(exchange)), exchange),
    decodeStream(exchange) {
      const decoder = base.decodeStream?.(exchange)
      if (!decoder) throw new TypeError("OpenAI's dialect has stopped to stream")
      const limit = limitOf(exchange)
      return new OuterDecoder(decoder, {
        push: (event) => decoder.push(toOpenaiEvent(event, limit)),
        end: () => decoder.end(),
      })
    },
  }
}

function toOpenaiEvent(event: UpstreamEvent, limit: number): UpstreamEvent {
  const body = parseJson(event.data)
  if (!isObject(body)) return event
  const chunk = toChunk(body, limit)
  return chunk === body ? event : { event: event.event, data: JSON.stringify(chunk), frame: undefined }
}

/** Cloudflare Workers AI, at its own `/ai/run` endpoint. */
export const cloudflare: Provider = toProvider('cloudflare', row, openaiProtocol)
