import type { UpstreamRequest } from '../../upstream/message.js'
import type { EmbeddingRequest, EmbeddingResponse } from '../../wire/embeddings.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { jsonRequest } from '../text-answer.js'
import { toEmbeddingResponse, vectorsOf } from '../vectors.js'
import type { PromptItem } from './prompt.js'

const names = { dimensions: 'compress_to_size', input_type: () => ({}) }

/** Embeddings over `/semantic_embed`, its batch form, or `/instructable_embed` where an `instruction` is given. */
export const embeddings: Codec<'embeddings'> = {
  encode,
  decode,
  mostInputs: (exchange) => (hasInstruction(exchange) ? 1 : mostPrompts),
}

// Of `/batch_semantic_embed`: https://github.com/Aleph-Alpha/aleph-alpha-client (`batch_semantic_embed`).
const mostPrompts = 100

const hasInstruction = ({ request, deployment }: Exchange<'embeddings'>): boolean =>
  stringOf(request['instruction'] ?? deployment.params['instruction']) !== undefined

function encode({ request: asked, deployment }: Exchange<'embeddings'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { members, extra, unsupported } = translateParameters('embeddings', request, policy, names)
  const inputs = toInputs(request.input)
  const shared = { ...extra, ...members, model: deployment.model }
  const dropped = settleUnsupported(deployment, policy, unsupported, ignoredIn(request))
  const [first] = inputs
  const isList = Array.isArray(request.input) && typeof request.input[0] !== 'number'
  if (stringOf(request['instruction']) !== undefined) {
    return jsonRequest('/instructable_embed', { ...shared, input: first }, dropped)
  }
  const asMeaning = { representation: toRepresentation(request), ...shared }
  return isList
    ? jsonRequest('/batch_semantic_embed', { ...asMeaning, prompts: inputs }, dropped)
    : jsonRequest('/semantic_embed', { ...asMeaning, prompt: first }, dropped)
}

function toInputs(input: EmbeddingRequest['input']): readonly (readonly PromptItem[])[] {
  if (typeof input === 'string') return [[{ type: 'text', data: input }]]
  const [first] = input
  if (typeof first === 'number') return [[{ type: 'token_ids', data: input }]]
  return input.map((entry): readonly PromptItem[] => {
    if (typeof entry === 'string') return [{ type: 'text', data: entry }]
    return Array.isArray(entry) ? [{ type: 'token_ids', data: entry }] : [entry as PromptItem]
  })
}

// Other vendors' words for the two sides of a search.
const representations: Readonly<Record<string, string>> = {
  document: 'document',
  passage: 'document',
  query: 'query',
  search_document: 'document',
  search_query: 'query',
}

function toRepresentation(request: JsonObject): string {
  const given = stringOf(request['input_type'])
  return given !== undefined && Object.hasOwn(representations, given)
    ? (representations[given] ?? 'symmetric')
    : 'symmetric'
}

function decode(body: unknown, exchange: Exchange<'embeddings'>): EmbeddingResponse {
  const answer = isObject(body) ? body : {}
  const list = Array.isArray(answer['embeddings']) ? answer['embeddings'] : [answer['embedding']]
  return toEmbeddingResponse(vectorsOf(list), body, exchange, answer['num_tokens_prompt_total'])
}
