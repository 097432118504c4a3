import type { CallParts } from '../call/context.js'
import { type Route, defineRoute } from '../http/route.js'
import { ChatChunk, ChatCompletion, ChatRequest } from '../wire/chat.js'
import { isPlainChat } from '../wire/plain-chat.js'
import { answerStream, answerWhole, toldRefusals } from './model-call.js'

/** `POST /v1/chat/completions`. */
export function chatCompletions(parts: CallParts): Route {
  return defineRoute<ChatRequest>({
    method: 'POST',
    paths: ['/v1/chat/completions', '/chat/completions', '/openai/deployments/{model+}/chat/completions'],
    access: 'caller',
    summary: 'Answers a conversation, whole or as a stream.',
    body: ChatRequest,
    acceptsAtOnce: isPlainChat,
    pathIntoBody: ['model'],
    response: ChatCompletion,
    stream: ChatChunk,
    handle: (context) =>
      context.body.stream ? answerStream('chat', context, parts) : answerWhole('chat', context, parts),
    refused: toldRefusals('chat', parts),
  })
}
