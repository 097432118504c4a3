import { InvalidRequestError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { EmbeddingResponse } from '../../wire/embeddings.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { parseDataUrl } from '../data-url.js'
import { errorInside } from '../failure.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { toEmbeddingResponse, vectorsOf } from '../vectors.js'
import type { VertexPath } from './path.js'
import { toTaskType } from './task-type.js'

const handled = ['input_type', 'task_type', 'taskType']

/** Embeddings over `:embedContent`, one input a call, of models that embed more than text. */
export function createEmbedContent(path: VertexPath): Codec<'embeddings'> {
  return { encode: (exchange) => encode(exchange, path), decode, mostInputs: () => 1 }
}

function encode({ request: asked, deployment }: Exchange<'embeddings'>, path: VertexPath): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const table = { dimensions: 'outputDimensionality' }
  const { members, extra, unsupported } = translateParameters('embeddings', request, policy, table, handled)
  const list: readonly unknown[] = Array.isArray(request.input) ? request.input : [request.input]
  const [part] = list.map(toPart)
  const taskType = toTaskType(request)
  const body = {
    content: { parts: [part] },
    ...(taskType !== undefined && { taskType }),
    ...members,
    ...extra,
  }
  return {
    method: 'POST',
    path: path(deployment, 'embedContent'),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    droppedParams: settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  }
}

function toPart(entry: unknown): JsonObject {
  if (typeof entry === 'string') return { text: entry }
  if (!isObject(entry)) throw new InvalidRequestError('Gemini embeds text and media, no token ids.', 'input')
  if (entry['type'] === 'text') return { text: entry['text'] }
  if (entry['type'] !== 'image_url') return entry
  const image = entry['image_url']
  const url = isObject(image) ? stringOf(image['url']) : stringOf(image)
  const data = url === undefined ? undefined : parseDataUrl(url)
  return data ? { inlineData: { mimeType: data.mediaType, data: data.base64 } } : { fileData: { fileUri: url } }
}

function decode(body: unknown, exchange: Exchange<'embeddings'>): EmbeddingResponse {
  const answer = isObject(body) ? body : {}
  if (isObject(answer['error'])) throw errorInside(answer, 500, exchange.deployment.provider)
  const { embedding, usageMetadata } = answer
  const tokens = isObject(usageMetadata) ? (numberOf(usageMetadata['promptTokenCount']) ?? 0) : 0
  const values = isObject(embedding) ? embedding['values'] : undefined
  return toEmbeddingResponse(vectorsOf([values]), body, exchange, Math.trunc(tokens))
}
