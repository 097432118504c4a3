import { GatewayError, InvalidRequestError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { EmbeddingRequest, EmbeddingResponse } from '../../wire/embeddings.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { parseDataUrl } from '../data-url.js'
import { errorInside } from '../failure.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { toEmbeddingResponse, vectorsOf } from '../vectors.js'
import type { VertexPath } from './path.js'
import { toTaskType } from './task-type.js'

/** How one family of embedding models takes its inputs over `:predict`. */
export interface PredictModel {
  /** Inputs that one call may hold; more go in several. */
  readonly most: number
  readonly isMultimodal: boolean
}

const handled = ['input_type', 'task_type', 'taskType', 'title', 'autoTruncate', 'auto_truncate']

/** Embeddings over `:predict`: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api */
export function createPredictEmbeddings(path: VertexPath, model: PredictModel): Codec<'embeddings'> {
  return { encode: (exchange) => encode(exchange, path, model), decode, mostInputs: () => model.most }
}

function encode(
  { request: asked, deployment }: Exchange<'embeddings'>,
  path: VertexPath,
  model: PredictModel,
): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const widthName = model.isMultimodal ? 'dimension' : 'outputDimensionality'
  const table = { dimensions: widthName }
  const { members, extra, unsupported } = translateParameters('embeddings', request, policy, table, handled)
  const truncate = request['autoTruncate'] ?? request['auto_truncate']
  const parameters = { ...members, ...(typeof truncate === 'boolean' && { autoTruncate: truncate }), ...extra }
  const body = {
    instances: toInstances(request, deployment.model, model),
    ...(Object.keys(parameters).length > 0 && { parameters }),
  }
  return {
    method: 'POST',
    path: path(deployment, 'predict'),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    droppedParams: settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  }
}

function toInstances(request: EmbeddingRequest, name: string, model: PredictModel): readonly JsonObject[] {
  const list: readonly unknown[] = Array.isArray(request.input) ? request.input : [request.input]
  const [taskType, title] = [toTaskType(request), stringOf(request['title'])]
  const shared = { ...(taskType !== undefined && { task_type: taskType }), ...(title !== undefined && { title }) }
  return list.map((entry, position) => {
    const place = `input[${position}]`
    if (model.isMultimodal) return toMultimodal(entry, place)
    if (typeof entry === 'string') return { content: entry, ...shared }
    throw new InvalidRequestError(`${name} embeds text: send the text itself.`, place)
  })
}

/** A text, an image as a data or gs:// URL, or an instance in Vertex's own form. */
function toMultimodal(entry: unknown, place: string): JsonObject {
  const isImage = typeof entry === 'string' && (entry.startsWith('data:') || entry.startsWith('gs://'))
  if (typeof entry === 'string') return isImage ? { image: toImage(entry, place) } : { text: entry }
  if (!isObject(entry)) throw new InvalidRequestError('An input must be a text, an image or a video.', place)
  if (entry['type'] === 'text') return { text: entry['text'] }
  if (entry['type'] !== 'image_url') return entry
  const image = entry['image_url']
  return { image: toImage(isObject(image) ? stringOf(image['url']) : stringOf(image), place) }
}

function toImage(url: string | undefined, place: string): JsonObject {
  const data = url === undefined ? undefined : parseDataUrl(url)
  if (data) return { bytesBase64Encoded: data.base64 }
  if (url?.startsWith('gs://')) return { gcsUri: url }
  throw new InvalidRequestError('An image must be a base64 data URL or a gs:// address.', place)
}

function decode(body: unknown, exchange: Exchange<'embeddings'>): EmbeddingResponse {
  const answer = isObject(body) ? body : {}
  const { predictions } = answer
  if (!Array.isArray(predictions)) {
    if (isObject(answer['error'])) throw errorInside(answer, 500, exchange.deployment.provider)
    throw new GatewayError('upstream_invalid', 'The provider sent something that holds no embeddings.', {
      upstream: { provider: exchange.deployment.provider, status: 200 },
    })
  }
  const items = predictions.filter(isObject)
  return toEmbeddingResponse(vectorsOf(items.map(valuesOf)), body, exchange, tokensOf(items))
}

function valuesOf(item: JsonObject): unknown {
  const { embeddings, textEmbedding, imageEmbedding, videoEmbeddings } = item
  if (isObject(embeddings)) return embeddings['values']
  const [video]: readonly unknown[] = Array.isArray(videoEmbeddings) ? videoEmbeddings : []
  return textEmbedding ?? imageEmbedding ?? (isObject(video) ? video['embedding'] : undefined)
}

function tokensOf(items: readonly JsonObject[]): number {
  return items.reduce((sum, { embeddings }) => {
    const statistics = isObject(embeddings) ? embeddings['statistics'] : undefined
    return sum + Math.trunc(isObject(statistics) ? (numberOf(statistics['token_count']) ?? 0) : 0)
  }, 0)
}
