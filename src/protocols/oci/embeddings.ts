import type { UpstreamRequest } from '../../upstream/message.js'
import type { EmbeddingResponse } from '../../wire/embeddings.js'
import { isObject, stringOf } from '../../wire/json.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { jsonRequest } from '../text-answer.js'
import { textsOf, toEmbeddingResponse, vectorsOf } from '../vectors.js'
import { actionPath, placeOf } from './place.js'

/** Embeddings: https://docs.oracle.com/en-us/iaas/api/#/en/generative-ai-inference/20231130/EmbedTextResult/EmbedText */
export const embeddings: Codec<'embeddings'> = { encode, decode, mostInputs: () => mostInputs }

// https://docs.oracle.com/iaas/Content/generative-ai/use-playground-embed.htm
const mostInputs = 96

function encode(exchange: Exchange<'embeddings'>): UpstreamRequest {
  const { deployment } = exchange
  const { request, policy } = settleRequest(exchange.request, deployment)
  const names = { dimensions: 'outputDimensions' }
  const { members, extra, unsupported } = translateParameters('embeddings', request, policy, names)
  const { input_type: inputType, ...rest } = extra
  const body = {
    ...rest,
    ...members,
    ...placeOf(deployment),
    inputs: textsOf({ ...exchange, request }),
    ...(inputType !== undefined && { inputType: toInputType(inputType) }),
  }
  return jsonRequest(
    actionPath('embedText'),
    body,
    settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  )
}

// Voyage's and NVIDIA's words for Cohere's types.
const inputTypes: Readonly<Record<string, string>> = {
  document: 'SEARCH_DOCUMENT',
  passage: 'SEARCH_DOCUMENT',
  query: 'SEARCH_QUERY',
}

function toInputType(given: unknown): string {
  const name = stringOf(given)?.toLowerCase() ?? ''
  return (Object.hasOwn(inputTypes, name) ? inputTypes[name] : undefined) ?? name.toUpperCase()
}

function decode(body: unknown, exchange: Exchange<'embeddings'>): EmbeddingResponse {
  const answer = isObject(body) ? body : {}
  const list = Array.isArray(answer['embeddings']) ? answer['embeddings'] : []
  const usage = isObject(answer['usage']) ? answer['usage'] : {}
  return toEmbeddingResponse(vectorsOf(list), body, exchange, usage['promptTokens'] ?? usage['totalTokens'])
}
