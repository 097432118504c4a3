import type { UpstreamRequest } from '../../upstream/message.js'
import type { EmbeddingResponse } from '../../wire/embeddings.js'
import { isObject } from '../../wire/json.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { jsonRequest } from '../text-answer.js'
import { textsOf, toEmbeddingResponse, vectorsOf } from '../vectors.js'
import { placeOf } from './place.js'

/** Embeddings over `/ml/v1/text/embeddings`: https://cloud.ibm.com/apidocs/watsonx-ai#text-embeddings */
export const embeddings: Codec<'embeddings'> = { encode, decode, mostInputs: () => mostInputs }

// https://cloud.ibm.com/apidocs/watsonx-ai#text-embeddings
const mostInputs = 1_000

function encode(exchange: Exchange<'embeddings'>): UpstreamRequest {
  const { deployment } = exchange
  const { request, policy } = settleRequest(exchange.request, deployment)
  const { extra, unsupported } = translateParameters('embeddings', request, policy, {})
  const { truncate_input_tokens: limit, return_options: options, parameters, ...rest } = extra
  const own = {
    ...(isObject(parameters) && parameters),
    ...(limit !== undefined && { truncate_input_tokens: limit }),
    ...(options !== undefined && { return_options: options }),
  }
  const place = placeOf(deployment, 'text/embeddings', request)
  const body = {
    ...rest,
    inputs: textsOf({ ...exchange, request }),
    ...(Object.keys(own).length > 0 && { parameters: own }),
    ...place.body,
  }
  return jsonRequest(place.path, body, settleUnsupported(deployment, policy, unsupported, ignoredIn(request)))
}

function decode(body: unknown, exchange: Exchange<'embeddings'>): EmbeddingResponse {
  const answer = isObject(body) ? body : {}
  const results = Array.isArray(answer['results']) ? answer['results'].filter(isObject) : []
  const vectors = vectorsOf(results.map((result) => result['embedding']))
  return toEmbeddingResponse(vectors, body, exchange, answer['input_token_count'])
}
