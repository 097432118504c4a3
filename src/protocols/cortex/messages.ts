import { GatewayError } from '../../errors.js'
import type { ChatMessage } from '../../wire/chat.js'
import { type JsonObject, stringOf } from '../../wire/json.js'
import { argumentsOf, calledNames, pastCalls } from '../tool-calls.js'

/**
 * Messages of the API: text as `content`, calls and their results as `content_list`; results that follow each other are
 * one message of the user's.
 * @throws GatewayError unsupported_parameter naming a part that is no text
 */
export function toCortexMessages(messages: readonly ChatMessage[], provider: string): readonly JsonObject[] {
  const names = calledNames(messages)
  const written: JsonObject[] = []
  let results: JsonObject[] | undefined
  for (const [position, message] of messages.entries()) {
    const text = textOf(message, `messages[${position}].content`, provider)
    if (message.role !== 'tool' && message.role !== 'function') {
      results = undefined
      written.push(message.role === 'assistant' ? toAssistant(message, text) : { role: roleOf(message), content: text })
      continue
    }
    const id = message.role === 'tool' ? message.tool_call_id : message.name
    if (!results) {
      results = []
      written.push({ role: 'user', content_list: results })
    }
    const name = message.role === 'tool' ? (names.get(id) ?? '') : message.name
    const content = [{ type: 'text', text }]
    results.push({ type: 'tool_results', tool_results: { tool_use_id: id, name, content } })
  }
  return written
}

const roleOf = ({ role }: ChatMessage): string => (role === 'developer' ? 'system' : role)

function toAssistant(message: Extract<ChatMessage, { role: 'assistant' }>, text: string): JsonObject {
  const calls = pastCalls(message).map(({ id, name, arguments: written }) => ({
    type: 'tool_use',
    // The older form of calls has no ids; its result goes by the name.
    tool_use: { tool_use_id: id === '' ? name : id, name, input: argumentsOf(written) },
  }))
  if (calls.length === 0) return { role: 'assistant', content: text }
  const said = text === '' ? [] : [{ type: 'text', text }]
  return { role: 'assistant', ...(text !== '' && { content: text }), content_list: [...said, ...calls] }
}

function textOf({ content }: ChatMessage, place: string, provider: string): string {
  if (!Array.isArray(content)) return content ?? ''
  const texts = content.map((part, index) => {
    const text = stringOf(part['text']) ?? stringOf(part['refusal'])
    if (text !== undefined) return text
    const where = `${place}[${index}]`
    throw new GatewayError('unsupported_parameter', `${provider} takes text alone over this API, not ${where}.`, {
      param: where,
    })
  })
  return texts.join('\n\n')
}
