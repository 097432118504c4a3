import type { ChatCompletion, ToolCall } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import { toFinishReason } from '../finish-reason.js'
import { invalidAnswer } from '../invalid-answer.js'
import type { Exchange } from '../protocol.js'
import { countsToUsage } from '../text-answer.js'
import { madeCallId, toArgumentsText } from '../tool-calls.js'

/** Tokens as the API counts them; undefined where it told none. */
export function toUsage(usage: unknown): ChatUsage | undefined {
  return isObject(usage) ? countsToUsage(usage['prompt_tokens'], usage['completion_tokens']) : undefined
}

/** Reads a whole answer. @throws GatewayError for an error inside a 200, or a body without choices */
export function toCompletion(body: unknown, { id, created, deployment }: Exchange<'chat'>): ChatCompletion {
  const answer = isObject(body) ? body : {}
  const choices = Array.isArray(answer['choices']) ? answer['choices'].filter(isObject) : []
  if (choices.length === 0) throw invalidAnswer(body, deployment.provider, 'an answer without choices')
  const usage = toUsage(answer['usage'])
  return {
    id: stringOf(answer['id']) || `chatcmpl-${id}`,
    object: 'chat.completion',
    created,
    model: stringOf(answer['model']) || deployment.model,
    choices: choices.map((choice, index) => {
      const { text, calls } = readMessage(choice, id, index)
      return {
        index,
        message: {
          role: 'assistant' as const,
          content: text === '' && calls.length > 0 ? null : text,
          refusal: null,
          ...(calls.length > 0 && { tool_calls: calls }),
        },
        finish_reason: toFinishReason(stringOf(choice['finish_reason']) || undefined, calls.length > 0),
        logprobs: null,
      }
    }),
    ...(usage && { usage }),
  }
}

/** The oldest models answer `messages`, a text, where the others answer a message. */
function readMessage(choice: JsonObject, exchangeId: string, index: number) {
  const message = isObject(choice['message']) ? choice['message'] : { content: choice['messages'] }
  const list = Array.isArray(message['content_list']) ? message['content_list'].filter(isObject) : []
  const said = list.flatMap((part) => (part['type'] === 'text' ? (stringOf(part['text']) ?? []) : []))
  const calls = list
    .flatMap((part) => (isObject(part['tool_use']) ? [part['tool_use']] : []))
    .map((call, position): ToolCall => ({
      id: stringOf(call['tool_use_id']) || madeCallId(exchangeId, index, position),
      type: 'function',
      function: { name: stringOf(call['name']) ?? '', arguments: toArgumentsText(call['input']) },
    }))
  return { text: stringOf(message['content']) || said.join(''), calls }
}
