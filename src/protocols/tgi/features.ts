import type { Deployment } from '../../deployment.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { EmbeddingResponse } from '../../wire/embeddings.js'
import { isObject } from '../../wire/json.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { jsonRequest } from '../text-answer.js'
import { textsOf, toEmbeddingResponse, vectorsOf } from '../vectors.js'

/** Embeddings over the feature-extraction task, of the hub's inference and of Text Embeddings Inference. */
export function createFeatures(path: (deployment: Deployment) => string): Codec<'embeddings'> {
  return { encode: (exchange) => encode(exchange, path), decode }
}

function encode(exchange: Exchange<'embeddings'>, path: (deployment: Deployment) => string): UpstreamRequest {
  const { deployment } = exchange
  const { request, policy } = settleRequest(exchange.request, deployment)
  const table = { dimensions: 'dimensions' }
  const { members, extra, unsupported } = translateParameters('embeddings', request, policy, table)
  const texts = textsOf({ ...exchange, request })
  const body = { inputs: typeof request.input === 'string' ? request.input : texts, ...members, ...extra }
  return jsonRequest(path(deployment), body, settleUnsupported(deployment, policy, unsupported, ignoredIn(request)))
}

function decode(body: unknown, exchange: Exchange<'embeddings'>): EmbeddingResponse {
  const list = isObject(body) ? (body['embeddings'] ?? body['data']) : body
  const isOne = !Array.isArray(exchange.request.input)
  return toEmbeddingResponse(vectorsOf(toVectors(list, isOne)), body, exchange, undefined)
}

const depthOf = (value: unknown): number => (Array.isArray(value) ? 1 + depthOf(value[0]) : 0)

/** One vector, one a text, or one a word of each text, which are averaged. */
function toVectors(list: unknown, isOne: boolean): readonly unknown[] {
  if (!Array.isArray(list)) return []
  const depth = depthOf(list)
  if (depth === 1) return [list]
  if (depth === 3) return list.map(toMean)
  return isOne ? [toMean(list)] : list
}

function toMean(rows: unknown): readonly number[] {
  const vectors = Array.isArray(rows) ? vectorsOf(rows) : []
  const [first, ...others] = vectors
  if (!first || others.length === 0) return first ?? []
  return first.map((_, at) => vectors.reduce((sum, vector) => sum + (vector[at] ?? 0), 0) / vectors.length)
}
