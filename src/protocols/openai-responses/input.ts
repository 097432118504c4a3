import type { AssistantMessage, ChatMessage, ChatRequest } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { toCallId } from './call-id.js'
import { textOfContent, toInputContent, toOutputContent } from './content.js'
import { toReasoningItems } from './reasoning.js'

/** A conversation in the API's form. */
export interface Conversation {
  /** The leading system and developer messages, blank lines between; undefined where there are none. */
  readonly instructions: string | undefined
  readonly items: readonly JsonObject[]
}

/** What later messages need to know of earlier ones. */
interface Seen {
  /** Calls of custom tools, whose results are items of another type. */
  readonly custom: Set<string>
  /** The id made for the last legacy `function_call`, which has none. */
  functionCall: string
}

/**
 * Translates messages to instructions and input items.
 * @throws InvalidRequestError for content that the API cannot carry, naming the message
 */
export function toConversation(messages: ChatRequest['messages']): Conversation {
  const leading = messages.findIndex((message) => instructionText(message) === undefined)
  const count = leading === -1 ? messages.length : leading
  const texts = messages.slice(0, count).flatMap((message) => instructionText(message) ?? [])
  const seen: Seen = { custom: new Set(), functionCall: '' }
  const items = messages.flatMap((message, index) => (index < count ? [] : toItems(message, index, seen)))
  const instructions = texts.filter(Boolean).join('\n\n')
  // The API answers no empty input; instructions alone are then the question.
  if (items.length === 0) return { instructions: undefined, items: [{ role: 'user', content: instructions }] }
  return { instructions: instructions === '' ? undefined : instructions, items }
}

function instructionText(message: ChatMessage): string | undefined {
  return message.role === 'system' || message.role === 'developer' ? textOfContent(message.content) : undefined
}

function toItems(message: ChatMessage, index: number, seen: Seen): readonly JsonObject[] {
  const place = `messages[${index}]`
  switch (message.role) {
    case 'user':
      return [{ role: 'user', content: toInputContent(message.content, place) }]
    case 'system':
    case 'developer':
      return [{ role: 'developer', content: toInputContent(message.content, place) }]
    case 'assistant':
      return toAssistantItems(message, index, seen)
    case 'tool': {
      const type = seen.custom.has(message.tool_call_id) ? 'custom_tool_call_output' : 'function_call_output'
      const output = toInputContent(message.content, place)
      return [{ type, call_id: toCallId(message.tool_call_id), output }]
    }
    case 'function':
      return [{ type: 'function_call_output', call_id: seen.functionCall, output: message.content ?? '' }]
  }
}

function toAssistantItems(message: AssistantMessage, index: number, seen: Seen): readonly JsonObject[] {
  const said = toOutputContent(message.content, message.refusal)
  const calls = [...toCallItems(message, seen), ...toLegacyCall(message, index, seen)]
  const text = said === undefined ? [] : [{ role: 'assistant', content: said }]
  // Reasoning that nothing follows is refused.
  if (text.length + calls.length === 0) return []
  return [...toReasoningItems(message), ...text, ...calls]
}

function toCallItems({ tool_calls: calls }: AssistantMessage, seen: Seen): readonly JsonObject[] {
  return (calls ?? []).map((call) => {
    const id = toCallId(call.id)
    if (call.custom) {
      seen.custom.add(call.id)
      return { type: 'custom_tool_call', call_id: id, name: call.custom.name, input: call.custom.input }
    }
    const { name = '', arguments: text = '' } = call.function ?? {}
    return { type: 'function_call', call_id: id, name, arguments: text.trim() === '' ? '{}' : text }
  })
}

function toLegacyCall({ function_call: call }: AssistantMessage, index: number, seen: Seen): readonly JsonObject[] {
  if (!call) return []
  seen.functionCall = `function_call_${index}`
  return [{ type: 'function_call', call_id: seen.functionCall, name: call.name, arguments: call.arguments || '{}' }]
}
