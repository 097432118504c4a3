import { InvalidRequestError, UnsupportedParameterError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { EmbeddingRequest, EmbeddingResponse } from '../../wire/embeddings.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { countInputs } from '../embedding-batches.js'
import { toEncoding, vectorWidth } from '../embedding-encoding.js'
import { toDropPolicy } from '../gateway-fields.js'
import type { Codec, Exchange } from '../protocol.js'
import { invalidAnswer } from './answer.js'
import { findErrorInside } from './failure.js'
import { applyNames, applyRules, createDraft, knownParameters, type ParameterRules, refuse } from './parameters.js'
import type { Quirks } from './quirks.js'
import { toParameterRules, toUpstreamRequest, upstreamModel } from './upstream-request.js'

/** Embeddings in OpenAI's dialect. */
export function createEmbeddingCodec(quirks: Quirks): Codec<'embeddings'> {
  const rules = toParameterRules('embeddings', { unsupported: quirks.embeddings?.unsupported ?? [] })
  return {
    encode: (exchange) => encodeEmbedding(exchange, quirks, rules),
    decode: (body, exchange) => decodeEmbedding(body, exchange, quirks),
    mostInputs: () => quirks.embeddings?.most ?? Infinity,
  }
}

function encodeEmbedding(
  { request, deployment }: Exchange<'embeddings'>,
  quirks: Quirks,
  rules: ParameterRules,
): UpstreamRequest {
  const { base64, dimensions, tokens } = quirks.embeddings ?? {}
  if (tokens === false && holdsTokens(request.input)) {
    throw new InvalidRequestError(`${deployment.provider} takes text, not lists of tokens.`, 'input')
  }
  const draft = createDraft(request, deployment, knownParameters.embeddings, quirks)
  // What we encode ourselves need not be asked for.
  if (base64 === false) delete draft.body['encoding_format']
  applyRules(draft, rules)
  if (dimensions === false) refuse(draft, 'dimensions')
  else if (dimensions !== undefined) applyNames(draft.body, { dimensions }, undefined)
  draft.body['model'] = upstreamModel(deployment, quirks)
  return toUpstreamRequest('embeddings', draft, deployment, quirks)
}

function holdsTokens(input: EmbeddingRequest['input']): boolean {
  if (!Array.isArray(input)) return false
  const first: unknown = input[0]
  return typeof first === 'number' || Array.isArray(first)
}

function decodeEmbedding(body: unknown, exchange: Exchange<'embeddings'>, quirks: Quirks): EmbeddingResponse {
  const { deployment, request } = exchange
  const answer = isObject(body) ? body : {}
  const hasData = Array.isArray(answer['data'])
  const error = findErrorInside(answer, hasData, quirks, deployment.provider)
  if (error) throw error
  const items = Array.isArray(answer['data']) ? answer['data'].filter(isObject) : []
  const expected = countInputs(request.input)
  if (items.length !== expected) {
    throw invalidAnswer(deployment, `${items.length} embeddings for ${expected} inputs`)
  }
  const data = inOrder(items.map((item, position) => decodeItem(item, position, exchange)))
  checkWidth(data, exchange)
  const isSame =
    data.every((item, position) => item === items[position]) &&
    answer['object'] === 'list' &&
    stringOf(answer['model']) !== undefined &&
    hasUsage(answer['usage'])
  if (isSame) return answer as EmbeddingResponse
  return {
    ...answer,
    object: 'list',
    data,
    model: stringOf(answer['model']) ?? deployment.model,
    usage: toEmbeddingUsage(answer['usage']),
  }
}

type Item = EmbeddingResponse['data'][number]

function decodeItem(item: JsonObject, position: number, { request, deployment }: Exchange<'embeddings'>): Item {
  const raw = item['embedding']
  const format = request.encoding_format ?? 'float'
  const isVector = typeof raw === 'string' || (Array.isArray(raw) && raw.every((number) => typeof number === 'number'))
  const embedding = isVector ? toEncoding(raw as string | number[], format) : undefined
  if (embedding === undefined) throw invalidAnswer(deployment, 'an embedding that is no vector')
  const index = numberOf(item['index']) ?? position
  if (embedding === raw && index === item['index'] && item['object'] === 'embedding') return item as Item
  return { ...item, object: 'embedding', index, embedding: embedding as string | number[] }
}

function inOrder(items: readonly Item[]): Item[] {
  const isOrdered = items.every((item, position) => position === 0 || (items[position - 1]?.index ?? 0) <= item.index)
  return isOrdered ? [...items] : items.toSorted((a, b) => a.index - b.index)
}

/** A server that ignores `dimensions` would give vectors that fit no index built for them. */
function checkWidth(data: readonly Item[], { request, deployment }: Exchange<'embeddings'>): void {
  const { dimensions } = request
  if (!dimensions || toDropPolicy(request, deployment.params, deployment.dropParams).drop) return
  if (data.some(({ embedding }) => vectorWidth(embedding) !== dimensions)) {
    throw new UnsupportedParameterError(deployment.provider, deployment.model, ['dimensions'])
  }
}

function hasUsage(usage: unknown): boolean {
  return isObject(usage) && isCount(usage['prompt_tokens']) && isCount(usage['total_tokens'])
}

const isCount = (value: unknown): boolean => Number.isInteger(value)

function toEmbeddingUsage(usage: unknown): EmbeddingResponse['usage'] {
  const given = isObject(usage) ? usage : {}
  const total = numberOf(given['total_tokens'])
  const prompt = numberOf(given['prompt_tokens']) ?? total ?? 0
  return { ...given, prompt_tokens: prompt, total_tokens: total ?? prompt }
}
