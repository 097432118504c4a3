import type { CallParts } from '../call/context.js'
import { type Route, type RouteExample, defineRoute } from '../http/route.js'
import { ChatChunk, ChatCompletion, ChatRequest } from '../wire/chat.js'
import { isPlainChat } from '../wire/plain-chat.js'
import { azureNote, callNotes } from './call-notes.js'
import { answerStream, answerWhole, recallWhole, toldRefusals } from './model-call.js'

/** `POST /v1/chat/completions`. */
export function chatCompletions(parts: CallParts): Route {
  return defineRoute<ChatRequest>({
    method: 'POST',
    paths: ['/v1/chat/completions', '/chat/completions', '/openai/deployments/{model+}/chat/completions'],
    access: 'caller',
    summary: 'Answers a conversation, whole or as a stream.',
    description: azureNote,
    ...callNotes,
    examples,
    body: ChatRequest,
    acceptsAtOnce: isPlainChat,
    pathIntoBody: ['model'],
    recall: recallWhole(parts),
    response: ChatCompletion,
    stream: ChatChunk,
    handle: (context) =>
      context.body.stream ? answerStream('chat', context, parts) : answerWhole('chat', context, parts),
    refused: toldRefusals('chat', parts),
  })
}

const usage = { prompt_tokens: 9, completion_tokens: 8, total_tokens: 17 }
const about = { id: 'chatcmpl-7QyqpwdfhqwajicIEznoc6Q4', created: 1_764_115_200, model: 'demo' }
const messages = [{ role: 'user', content: 'Hello there, gateway' }]

function toAnswer(message: object, finishReason: string): object {
  const choice = { index: 0, message: { role: 'assistant', ...message }, finish_reason: finishReason, logprobs: null }
  return { ...about, object: 'chat.completion', choices: [choice], usage }
}

function toEvent(choices: readonly object[], own: object = {}): string {
  return `data: ${JSON.stringify({ ...about, object: 'chat.completion.chunk', choices, ...own })}\n\n`
}

function toDelta(delta: object, finishReason: string | null = null): readonly object[] {
  return [{ index: 0, delta, finish_reason: finishReason }]
}

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Tells the weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}
const call = { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Riga"}' } }

const examples: Readonly<Record<string, RouteExample>> = {
  whole: {
    summary: 'A whole answer',
    body: { model: 'demo', messages },
    answer: toAnswer({ content: 'Hello! What can I do for you?', refusal: null }, 'stop'),
  },
  stream: {
    summary: 'A streamed answer, with its usage at the end',
    body: { model: 'demo', messages, stream: true, stream_options: { include_usage: true } },
    events: [
      toEvent(toDelta({ role: 'assistant', content: '' })),
      toEvent(toDelta({ content: 'Hello! What can I do for you?' })),
      toEvent(toDelta({}, 'stop')),
      toEvent([], { usage }),
      'data: [DONE]\n\n',
    ].join(''),
  },
  tools: {
    summary: 'A tool that the model may call',
    body: { model: 'demo', messages: [{ role: 'user', content: 'Is it raining in Riga?' }], tools: [weather] },
    answer: toAnswer({ content: null, refusal: null, tool_calls: [call] }, 'tool_calls'),
  },
}
