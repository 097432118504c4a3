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
    encode: (exchange) => encode(exchange, baseOf(exchange), 0),
    next(_body, exchange, answers = 1) {
      const { most } = embeddingBodyOf(baseOf(exchange))
      if (answers * most >= toInputs(exchange.request.input).length) return undefined
      return { request: encode(exchange, baseOf(exchange), answers * most), delayMs: 0, keep: true }
    },
    decode: (body, exchange, headers) => decode(body, exchange, baseOf(exchange), headers),
  }
}

function toInputs(input: EmbeddingRequest['input']): readonly EmbeddingInput[] {
  const entries: readonly unknown[] = Array.isArray(input) ? input : [input]
  return entries.map((entry, position) =>
    toEmbeddingInput(entry, Array.isArray(input) ? `input[${position}]` : 'input'),
  )
}

/** The request for the inputs from `first` on, as many as one call takes. */
function encode({ request: asked, deployment }: Exchange<'embeddings'>, base: string, first: number): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const body = embeddingBodyOf(base)
  const inputs = toInputs(request.input).slice(first, first + body.most)
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
  // Several inputs may have taken several calls.
  const answers = (Array.isArray(answer) ? answer : [answer]).filter(isObject)
  const vectors = vectorsOf(answers.flatMap((each) => body.read(each)))
  if (vectors.length === 0) {
    throw invalidAnswer(answer, exchange.deployment.provider, 'an answer without embeddings')
  }
  const counts = answers.map((each) => body.tokens?.(each))
  const counted = counts.reduce((sum = 0, count = 0) => sum + count, 0) ?? 0
  const tokens = counted > 0 ? counted : (usageInHeaders(headers)?.prompt_tokens ?? 0)
  return toEmbeddingResponse(vectors, answer, exchange, tokens)
}
