import type { UpstreamRequest } from '../../upstream/message.js'
import type { EmbeddingRequest, EmbeddingResponse } from '../../wire/embeddings.js'
import { isObject } from '../../wire/json.js'
import { toEmbeddingResponse, vectorsOf } from '../vectors.js'
import { invalidAnswer } from '../invalid-answer.js'
import { invokeRequest, usageInHeaders } from '../invoke-envelope.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { embeddingBodyOf, type EmbeddingInput, toEmbeddingInput } from './embedding-bodies.js'

/** Embeddings over InvokeModel. `baseOf` gives the model behind a deployment's id, which decides about the body. */
export function createEmbeddingCodec(baseOf: (exchange: Exchange<'embeddings'>) => string): Codec<'embeddings'> {
  return {
    mostInputs: (exchange) => embeddingBodyOf(baseOf(exchange)).most,
    encode: (exchange) => encode(exchange, baseOf(exchange)),
    decode: (body, exchange, headers) => decode(body, exchange, baseOf(exchange), headers),
  }
}

function toInputs(input: EmbeddingRequest['input']): readonly EmbeddingInput[] {
  const entries: readonly unknown[] = Array.isArray(input) ? input : [input]
  return entries.map((entry, position) =>
    toEmbeddingInput(entry, Array.isArray(input) ? `input[${position}]` : 'input'),
  )
}

function encode({ request: asked, deployment }: Exchange<'embeddings'>, base: string): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const body = embeddingBodyOf(base)
  const inputs = toInputs(request.input)
  const table = body.dimensions ? { dimensions: body.dimensions } : {}
  const { members, extra, unsupported } = translateParameters('embeddings', request, policy, table)
  return invokeRequest(
    deployment.model,
    body.write(inputs, { ...extra, ...members }),
    false,
    settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  )
}

function decode(
  answer: unknown,
  exchange: Exchange<'embeddings'>,
  base: string,
  headers: Readonly<Record<string, string>> | undefined,
): EmbeddingResponse {
  const body = embeddingBodyOf(base)
  const vectors = isObject(answer) ? vectorsOf(body.read(answer)) : []
  if (vectors.length === 0) {
    throw invalidAnswer(answer, exchange.deployment.provider, 'an answer without embeddings')
  }
  const counted = isObject(answer) ? body.tokens?.(answer) : undefined
  const tokens = counted === undefined || counted === 0 ? usageInHeaders(headers)?.prompt_tokens : counted
  return toEmbeddingResponse(vectors, answer, exchange, tokens)
}
