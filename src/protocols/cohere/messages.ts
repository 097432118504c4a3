import { GatewayError } from '../../errors.js'
import type { AssistantMessage, ChatMessage, ContentPart } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { pastCalls, toArgumentsText } from '../tool-calls.js'

/** Whom the messages are for. */
export interface MessageTarget {
  readonly provider: string
  readonly thinks: boolean
}

/**
 * Messages of the chat API v2: https://docs.cohere.com/reference/chat
 * @throws GatewayError unsupported_parameter naming a part that Cohere has no form for
 */
export function toCohereMessages(messages: readonly ChatMessage[], target: MessageTarget): readonly JsonObject[] {
  // The older form of calls has no ids; a result then answers the last call of its name.
  let calls = 0
  const open = new Map<string, string>()
  const newId = (name: string): string => {
    const id = `${name}_${calls++}`
    open.set(name, id)
    return id
  }
  return messages.map((message, position) => {
    const content = toContent(message.content, `messages[${position}].content`, target)
    if (message.role === 'assistant') return toAssistant(message, content, target, newId)
    if (message.role === 'tool') return { role: 'tool', tool_call_id: message.tool_call_id, content }
    if (message.role === 'function') {
      return { role: 'tool', tool_call_id: open.get(message.name) ?? message.name, content }
    }
    return { role: message.role === 'developer' ? 'system' : message.role, content }
  })
}

type Content = string | readonly JsonObject[]

function toContent(content: ChatMessage['content'], place: string, target: MessageTarget): Content {
  if (!Array.isArray(content)) return content ?? ''
  return content.map((part, index) => toPart(part, `${place}[${index}]`, target))
}

const kept = ['document', 'thinking']

function toPart(part: ContentPart, place: string, { provider }: MessageTarget): JsonObject {
  if (part.type === 'text') return { type: 'text', text: part['text'] }
  if (part.type === 'refusal') return { type: 'text', text: part['refusal'] }
  if (part.type === 'image_url') return { type: 'image_url', image_url: toImage(part['image_url']) }
  // Cohere's own parts pass as they are.
  if (kept.includes(part.type)) return part
  throw new GatewayError(
    'unsupported_parameter',
    `${provider} does not support content of type ${part.type} in ${place}.`,
    { param: place },
  )
}

function toImage(image: unknown): JsonObject {
  if (!isObject(image)) return { url: image }
  return { url: image['url'], ...(stringOf(image['detail']) !== undefined && { detail: image['detail'] }) }
}

function toAssistant(
  message: AssistantMessage,
  content: Content,
  target: MessageTarget,
  newId: (name: string) => string,
): JsonObject {
  const calls = pastCalls(message).map(({ id, name, arguments: text }) => ({
    id: id === '' ? newId(name) : id,
    type: 'function',
    function: { name, arguments: toArgumentsText(text) },
  }))
  const reasoning = stringOf(message.reasoning_content)
  const thought = reasoning !== undefined && target.thinks ? [{ type: 'thinking', thinking: reasoning }] : []
  const said = withoutEmpty(content, calls.length > 0 || thought.length > 0)
  // Models that do not think tell their plan before they call a tool.
  const plan = calls.length > 0 && !target.thinks ? reasoning : undefined
  return {
    role: 'assistant',
    ...(thought.length > 0 ? { content: [...thought, ...asParts(said)] } : said !== undefined && { content: said }),
    ...(plan !== undefined && { tool_plan: plan }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

function withoutEmpty(content: Content, mayBeAbsent: boolean): Content | undefined {
  return mayBeAbsent && content.length === 0 ? undefined : content
}

function asParts(content: Content | undefined): readonly JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content ?? []
}
