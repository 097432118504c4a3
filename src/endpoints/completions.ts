import type { CallParts } from '../call/context.js'
import { type Route, defineRoute } from '../http/route.js'
import { Completion, CompletionChunk, CompletionRequest } from '../wire/completions.js'
import { answerStream, answerWhole, toldRefusals } from './model-call.js'

/** `POST /v1/completions`. */
export function completions(parts: CallParts): Route {
  return defineRoute<CompletionRequest>({
    method: 'POST',
    paths: ['/v1/completions', '/completions', '/openai/deployments/{model+}/completions'],
    access: 'caller',
    summary: 'Continues a text, whole or as a stream (legacy).',
    body: CompletionRequest,
    pathIntoBody: ['model'],
    response: Completion,
    stream: CompletionChunk,
    handle: (context) =>
      context.body.stream ? answerStream('completions', context, parts) : answerWhole('completions', context, parts),
    refused: toldRefusals('completions', parts),
  })
}
