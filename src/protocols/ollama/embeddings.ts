import type { UpstreamRequest } from '../../upstream/message.js'
import type { EmbeddingResponse } from '../../wire/embeddings.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { errorInside } from '../failure.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { textsOf, toEmbeddingResponse, vectorsOf } from '../vectors.js'
import { toOptions } from './options.js'

/** Embeddings over `/api/embed`, one text or many: https://docs.ollama.com/api/embed */
export const embeddingsCodec: Codec<'embeddings'> = { encode, decode }

function encode(exchange: Exchange<'embeddings'>): UpstreamRequest {
  const { request: asked, deployment } = exchange
  const { request, policy } = settleRequest(asked, deployment)
  const table = { dimensions: 'dimensions' }
  const { members, extra, unsupported } = translateParameters('embeddings', request, policy, table)
  const body = {
    model: deployment.model,
    input: typeof request.input === 'string' ? request.input : textsOf({ ...exchange, request }),
    ...members,
    ...toOptions(withTemperature(extra), withoutTemperature(extra)),
  }
  return {
    method: 'POST',
    path: '/api/embed',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    droppedParams: settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  }
}

// No parameter of embeddings at OpenAI, and one of Ollama's options for every model.
function withTemperature({ temperature }: JsonObject): JsonObject {
  return temperature === undefined ? {} : { temperature }
}

function withoutTemperature({ temperature: _temperature, ...rest }: JsonObject): JsonObject {
  return rest
}

function decode(body: unknown, exchange: Exchange<'embeddings'>): EmbeddingResponse {
  const answer = isObject(body) ? body : {}
  if (stringOf(answer['error']) !== undefined) throw errorInside(answer, 500, exchange.deployment.provider)
  // Servers before 0.3 know one vector only.
  const list: readonly unknown[] = Array.isArray(answer['embeddings']) ? answer['embeddings'] : [answer['embedding']]
  return toEmbeddingResponse(vectorsOf(list), body, exchange, Math.trunc(numberOf(answer['prompt_eval_count']) ?? 0))
}
