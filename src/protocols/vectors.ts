import { GatewayError } from '../errors.js'
import type { EmbeddingResponse } from '../wire/embeddings.js'
import { numberOf } from '../wire/json.js'
import { countInputs } from './embedding-batches.js'
import { toBase64Vector } from './embedding-encoding.js'
import { readErrorText } from './failure.js'
import { invalidAnswer } from './invalid-answer.js'
import type { Exchange } from './protocol.js'

/** A list of vectors; what is no list of numbers is left out, so that their count tells. */
export function vectorsOf(list: readonly unknown[]): readonly (readonly number[])[] {
  return list.filter(
    (entry): entry is number[] => Array.isArray(entry) && entry.every((value) => typeof value === 'number'),
  )
}

/**
 * Vectors in the order of the input as OpenAI's answer, in the encoding that was asked for. `tokens` is what the
 * provider counted, 0 where it tells nothing.
 * @throws GatewayError where there are more or fewer than inputs, or the body is an error
 */
export function toEmbeddingResponse(
  vectors: readonly (readonly number[])[],
  body: unknown,
  { request, deployment }: Exchange<'embeddings'>,
  tokens: unknown,
): EmbeddingResponse {
  const expected = countInputs(request.input)
  const { provider } = deployment
  if (vectors.length === 0 && readErrorText(body) !== undefined) throw invalidAnswer(body, provider, 'no embeddings')
  if (vectors.length !== expected) {
    throw new GatewayError(
      'upstream_invalid',
      `${provider} sent ${vectors.length} embeddings for ${expected} inputs.`,
      {
        upstream: { provider, status: 200 },
      },
    )
  }
  const asText = request.encoding_format === 'base64'
  const count = numberOf(tokens) ?? 0
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: asText ? toBase64Vector(vector) : [...vector],
    })),
    model: deployment.model,
    usage: { prompt_tokens: count, total_tokens: count },
  }
}

/** The texts of an embedding request. @throws GatewayError invalid_request for tokens and objects */
export function textsOf({ request, deployment }: Exchange<'embeddings'>): readonly string[] {
  const list: readonly unknown[] = Array.isArray(request.input) ? request.input : [request.input]
  return list.map((entry) => {
    if (typeof entry === 'string') return entry
    throw new GatewayError('invalid_request', `${deployment.provider} embeds text only.`, { param: 'input' })
  })
}
