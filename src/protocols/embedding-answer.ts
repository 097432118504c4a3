import { GatewayError, InvalidRequestError } from '../errors.js'
import type { EmbeddingRequest, EmbeddingResponse } from '../wire/embeddings.js'
import { numberOf } from '../wire/json.js'
import { toBase64Vector } from './embedding-encoding.js'
import type { Exchange } from './protocol.js'

/** The texts of an embedding request. @throws InvalidRequestError for token ids, and for anything but text */
export function textInputs(input: EmbeddingRequest['input'], provider: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(input) ? input : [input]
  return list.map((entry, position) => {
    if (typeof entry === 'string') return entry
    const param = Array.isArray(input) ? `input[${position}]` : 'input'
    throw new InvalidRequestError(`${provider} embeds text: send the text itself.`, param)
  })
}

/** The value if it is a vector, else undefined. */
export function toVector(value: unknown): readonly number[] | undefined {
  return Array.isArray(value) && value.length > 0 && value.every((number) => numberOf(number) !== undefined)
    ? value
    : undefined
}

/** How many vectors a request asks for. */
export function countInputs({ input }: EmbeddingRequest): number {
  return Array.isArray(input) && typeof input[0] !== 'number' ? input.length : 1
}

/**
 * Vectors as OpenAI's answer, in the encoding that was asked for.
 * @throws GatewayError upstream_invalid where they are not as many as the inputs
 */
export function toEmbeddingResponse(
  vectors: readonly (readonly number[])[],
  tokens: number,
  { request, deployment }: Exchange<'embeddings'>,
): EmbeddingResponse {
  const expected = countInputs(request)
  if (vectors.length !== expected) {
    throw new GatewayError(
      'upstream_invalid',
      `The provider sent ${vectors.length} embeddings for ${expected} inputs.`,
      {
        upstream: { provider: deployment.provider, status: 200 },
      },
    )
  }
  const asText = request.encoding_format === 'base64'
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: asText ? toBase64Vector(vector) : [...vector],
    })),
    model: deployment.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}
