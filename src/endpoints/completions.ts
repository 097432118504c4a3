import type { CallParts } from '../call/context.js'
import { type Route, type RouteExample, defineRoute } from '../http/route.js'
import { Completion, CompletionChunk, CompletionRequest } from '../wire/completions.js'
import { azureNote, callNotes } from './call-notes.js'
import { answerStream, answerWhole, recallWhole, toldRefusals } from './model-call.js'

/** `POST /v1/completions`. */
export function completions(parts: CallParts): Route {
  return defineRoute<CompletionRequest>({
    method: 'POST',
    paths: ['/v1/completions', '/completions', '/openai/deployments/{model+}/completions'],
    access: 'caller',
    summary: 'Continues a text, whole or as a stream (legacy).',
    description: azureNote,
    ...callNotes,
    examples,
    body: CompletionRequest,
    pathIntoBody: ['model'],
    recall: recallWhole(parts),
    response: Completion,
    stream: CompletionChunk,
    handle: (context) =>
      context.body.stream ? answerStream('completions', context, parts) : answerWhole('completions', context, parts),
    refused: toldRefusals('completions', parts),
  })
}

const about = { id: 'cmpl-7QyqpwdfhqwajicIEznoc6Q4', object: 'text_completion', created: 1_764_115_200, model: 'demo' }

function toEvent(text: string, finishReason: string | null): string {
  const choices = [{ index: 0, text, finish_reason: finishReason, logprobs: null }]
  return `data: ${JSON.stringify({ ...about, choices })}\n\n`
}

const examples: Readonly<Record<string, RouteExample>> = {
  whole: {
    summary: 'A whole answer',
    body: { model: 'demo', prompt: 'Say this is a test', max_tokens: 16 },
    answer: {
      ...about,
      choices: [{ index: 0, text: 'This is a test.', finish_reason: 'stop', logprobs: null }],
      usage: { prompt_tokens: 5, completion_tokens: 5, total_tokens: 10 },
    },
  },
  stream: {
    summary: 'A streamed answer',
    body: { model: 'demo', prompt: 'Say this is a test', stream: true },
    events: `${toEvent('This is a test.', null)}${toEvent('', 'stop')}data: [DONE]\n\n`,
  },
}
