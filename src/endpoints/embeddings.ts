import type { CallParts } from '../call/context.js'
import { type Route, defineRoute } from '../http/route.js'
import { EmbeddingRequest, EmbeddingResponse } from '../wire/embeddings.js'
import { answerWhole, toldRefusals } from './model-call.js'

/** `POST /v1/embeddings`. */
export function embeddings(parts: CallParts): Route {
  return defineRoute<EmbeddingRequest>({
    method: 'POST',
    paths: ['/v1/embeddings', '/embeddings', '/openai/deployments/{model+}/embeddings'],
    access: 'caller',
    summary: 'Turns texts into vectors.',
    body: EmbeddingRequest,
    pathIntoBody: ['model'],
    response: EmbeddingResponse,
    handle: (context) => answerWhole('embeddings', context, parts),
    refused: toldRefusals('embeddings', parts),
  })
}
