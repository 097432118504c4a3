import { InvalidRequestError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { EmbeddingRequest, EmbeddingResponse } from '../../wire/embeddings.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { fromBase64Vector } from '../embedding-encoding.js'
import { errorInside, readErrorText } from '../failure.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { toEmbeddingResponse, vectorsOf } from '../vectors.js'

/** Embeddings over `/v2/embed`: https://docs.cohere.com/reference/embed */
export const embeddingsCodec: Codec<'embeddings'> = { encode, decode, mostInputs: () => 96 }

// OpenAI's `input_type` does not exist; Cohere demands one. Its own name and Google's for the same thing are taken.
const inputTypes: Readonly<Record<string, string>> = {
  document: 'search_document',
  passage: 'search_document',
  query: 'search_query',
}

function encode({ request: asked, deployment }: Exchange<'embeddings'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const table = { dimensions: 'output_dimension' }
  const { members, extra, unsupported } = translateParameters('embeddings', request, policy, table, ['input_type'])
  const inputs = toInputs(request.input, deployment.provider)
  const type = stringOf(request['input_type'])
  const body = {
    model: deployment.model,
    ...inputs,
    input_type: type === undefined ? defaultType(inputs) : (inputTypes[type] ?? type),
    embedding_types: ['float'],
    ...members,
    ...extra,
  }
  return {
    method: 'POST',
    path: '/v2/embed',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    droppedParams: settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  }
}

const defaultType = (inputs: JsonObject): string => ('images' in inputs ? 'image' : 'search_document')

/** Texts, images as data URLs, or mixed inputs in Cohere's form. @throws InvalidRequestError for tokens */
function toInputs(input: EmbeddingRequest['input'], provider: string): JsonObject {
  const list: readonly unknown[] = Array.isArray(input) ? input : [input]
  if (list.every((entry) => typeof entry === 'string')) return { texts: list }
  if (!list.every(isObject)) {
    throw new InvalidRequestError(`${provider} embeds text: send the text itself.`, 'input')
  }
  const images = list.map(imageOf)
  if (images.every((url) => url !== undefined)) return { images }
  return { inputs: list.map(toInput) }
}

function imageOf(entry: JsonObject): string | undefined {
  if (entry['type'] !== 'image_url') return undefined
  const image = entry['image_url']
  return isObject(image) ? stringOf(image['url']) : stringOf(image)
}

/** One input: a list of parts under `content`, or a single part. */
function toInput(entry: JsonObject): JsonObject {
  if (Array.isArray(entry['content'])) return entry
  const url = imageOf(entry)
  return { content: [url === undefined ? entry : { type: 'image_url', image_url: { url } }] }
}

function decode(body: unknown, exchange: Exchange<'embeddings'>): EmbeddingResponse {
  const answer = isObject(body) ? body : {}
  if (!('embeddings' in answer) && readErrorText(answer)) throw errorInside(answer, 500, exchange.deployment.provider)
  const list = listOf(answer['embeddings']).map((entry) =>
    typeof entry === 'string' ? fromBase64Vector(entry) : entry,
  )
  return toEmbeddingResponse(vectorsOf(list), body, exchange, tokensOf(answer))
}

/** The vectors of the kind that was asked for; floats unless the caller chose otherwise. */
function listOf(embeddings: unknown): readonly unknown[] {
  if (Array.isArray(embeddings)) return embeddings
  if (!isObject(embeddings)) return []
  const chosen = embeddings['float'] ?? Object.values(embeddings).find(Array.isArray)
  return Array.isArray(chosen) ? chosen : []
}

function tokensOf({ meta }: JsonObject): number {
  const billed = isObject(meta) ? meta['billed_units'] : undefined
  if (!isObject(billed)) return 0
  return Math.trunc((numberOf(billed['input_tokens']) ?? 0) + (numberOf(billed['image_tokens']) ?? 0))
}
