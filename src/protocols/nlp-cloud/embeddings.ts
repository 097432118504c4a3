import type { UpstreamRequest } from '../../upstream/message.js'
import type { EmbeddingResponse } from '../../wire/embeddings.js'
import { isObject } from '../../wire/json.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { jsonRequest } from '../text-answer.js'
import { textsOf, toEmbeddingResponse, vectorsOf } from '../vectors.js'

/** Embeddings over `/embeddings`, which no model offers on a GPU: https://docs.nlpcloud.com/#embeddings */
export const embeddings: Codec<'embeddings'> = { encode, decode }

function encode(exchange: Exchange<'embeddings'>): UpstreamRequest {
  const { deployment } = exchange
  const { request, policy } = settleRequest(exchange.request, deployment)
  const { extra, unsupported } = translateParameters('embeddings', request, policy, {})
  const body = { ...extra, sentences: textsOf({ ...exchange, request }) }
  const model = deployment.model.replace(/^(?:cpu|gpu)\//, '')
  const path = `/v1/${encodeURIComponent(model)}/embeddings`
  return jsonRequest(path, body, settleUnsupported(deployment, policy, unsupported, ignoredIn(request)))
}

function decode(body: unknown, exchange: Exchange<'embeddings'>): EmbeddingResponse {
  const list = isObject(body) && Array.isArray(body['embeddings']) ? body['embeddings'] : []
  return toEmbeddingResponse(vectorsOf(list), body, exchange, undefined)
}
