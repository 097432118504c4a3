import { GatewayError, InvalidRequestError } from '../../errors.js'
import type { ChatMessage, ContentPart } from '../../wire/chat.js'
import { isObject, type JsonObject, parseJson, stringOf } from '../../wire/json.js'
import { parseDataUrl } from '../data-url.js'
import { argumentsOf, calledNames, pastCalls } from '../tool-calls.js'

interface ReadContent {
  readonly text: string
  /** Base64, without a prefix. */
  readonly images: readonly string[]
}

/**
 * Messages as `/api/chat` takes them: content is text, images stand beside it, arguments are objects, and results name
 * their tool. https://docs.ollama.com/api/chat
 * @throws GatewayError unsupported_parameter, InvalidRequestError naming the part
 */
export function toOllamaMessages(messages: readonly ChatMessage[], provider: string): readonly JsonObject[] {
  const names = calledNames(messages)
  return messages.map((message, position) => {
    const { text, images } = readContent(message.content, `messages[${position}].content`, provider)
    const shared = { content: text, ...(images.length > 0 && { images }) }
    if (message.role === 'assistant')
      return { role: 'assistant', ...shared, ...assistantMembers(message, `messages[${position}]`) }
    if (message.role === 'function') return { role: 'tool', ...shared, tool_name: message.name }
    if (message.role !== 'tool') return { role: message.role === 'developer' ? 'system' : message.role, ...shared }
    const name = names.get(message.tool_call_id) ?? stringOf(message.name)
    return {
      role: 'tool',
      ...shared,
      tool_call_id: message.tool_call_id,
      ...(name !== undefined && { tool_name: name }),
    }
  })
}

function assistantMembers(message: Extract<ChatMessage, { role: 'assistant' }>, place: string): JsonObject {
  const thinking = stringOf(message.reasoning_content)
  const calls = pastCalls(message).map(({ id, name, arguments: text }, index) => ({
    ...(id !== '' && { id }),
    function: { name, arguments: readArguments(text, `${place}.tool_calls[${index}].function.arguments`) },
  }))
  return { ...(thinking !== undefined && { thinking }), ...(calls.length > 0 && { tool_calls: calls }) }
}

/** Text that begins as an object and is none was cut or run together on its way; the server would answer 500. */
function readArguments(text: string, place: string): JsonObject {
  if (!text.trimStart().startsWith('{') || isObject(parseJson(text))) return argumentsOf(text)
  throw new InvalidRequestError(`The arguments of a tool call must be a JSON object: ${place}.`, place)
}

function readContent(content: ChatMessage['content'], place: string, provider: string): ReadContent {
  if (!Array.isArray(content)) return { text: content ?? '', images: [] }
  const texts: string[] = []
  const images: string[] = []
  for (const [index, part] of content.entries()) {
    if (part.type === 'text') texts.push(String(part['text']))
    else if (part.type === 'refusal') texts.push(String(part['refusal']))
    else if (part.type === 'image_url') images.push(readImage(part, `${place}[${index}]`, provider))
    else refuse(part.type, `${place}[${index}]`, provider)
  }
  return { text: texts.join('\n'), images }
}

function refuse(type: string, place: string, provider: string): never {
  throw new GatewayError('unsupported_parameter', `${provider} does not support content of type ${type} in ${place}.`, {
    param: place,
  })
}

function readImage(part: ContentPart, place: string, provider: string): string {
  const value = part['image_url']
  const url = isObject(value) ? stringOf(value['url']) : stringOf(value)
  const data = url === undefined ? undefined : parseDataUrl(url)
  if (data) return data.base64
  throw new InvalidRequestError(`${provider} fetches no images: ${place} must be a base64 data URL.`, place)
}
