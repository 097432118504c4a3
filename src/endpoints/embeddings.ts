import type { CallParts } from '../call/context.js'
import { type Route, type RouteExample, defineRoute } from '../http/route.js'
import { EmbeddingRequest, EmbeddingResponse } from '../wire/embeddings.js'
import { azureNote, callNotes } from './call-notes.js'
import { answerWhole, toldRefusals } from './model-call.js'

/** `POST /v1/embeddings`. */
export function embeddings(parts: CallParts): Route {
  return defineRoute<EmbeddingRequest>({
    method: 'POST',
    paths: ['/v1/embeddings', '/embeddings', '/openai/deployments/{model+}/embeddings'],
    access: 'caller',
    summary: 'Turns texts into vectors.',
    description: azureNote,
    ...callNotes,
    examples,
    body: EmbeddingRequest,
    pathIntoBody: ['model'],
    response: EmbeddingResponse,
    handle: (context) => answerWhole('embeddings', context, parts),
    refused: toldRefusals('embeddings', parts),
  })
}

const examples: Readonly<Record<string, RouteExample>> = {
  text: {
    summary: 'One text as a short vector',
    body: { model: 'demo-embeddings', input: 'Hello there, gateway', dimensions: 4 },
    answer: {
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.12, -0.53, 0.71, 0.45] }],
      model: 'demo-embeddings',
      usage: { prompt_tokens: 5, total_tokens: 5 },
    },
  },
}
