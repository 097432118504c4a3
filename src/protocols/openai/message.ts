import type { ChatResponseMessage, ToolCall } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { isJsonTool } from '../structured-output.js'
import { readContent, readReasoning } from './content.js'
import { foreignFinish } from './finish.js'
import { splitThought } from '../think-tags.js'
import { toToolCalls } from './tool-calls.js'

/** How the messages of one exchange are read. */
export interface MessageReading {
  readonly exchangeId: string
  readonly thinkTags: boolean
  /** The call of the synthetic JSON tool is the answer. */
  readonly jsonTool: boolean
}

// Members that are gone where the provider sent null: OpenAI's shape knows them only with a value.
const absentWhenNull = ['function_call', 'annotations', 'reasoning', 'reasoning_content', 'thinking_blocks', 'images']

/** The message of one choice in OpenAI's shape; the same object where it already is. */
export function toMessage(
  message: JsonObject,
  choice: number,
  native: string | undefined,
  reading: MessageReading,
): ChatResponseMessage {
  const calls = toToolCalls(message['tool_calls'], reading.exchangeId, choice)
  return isPlain(message, calls, native, reading)
    ? (message as ChatResponseMessage)
    : rewriteMessage(message, calls, native, reading)
}

type Calls = readonly ToolCall[] | undefined

function isPlain(message: JsonObject, calls: Calls, native: string | undefined, reading: MessageReading): boolean {
  const { content } = message
  return (
    message['role'] === 'assistant' &&
    (typeof content === 'string' || content === null) &&
    message['refusal'] !== undefined &&
    message['tool_calls'] === calls &&
    !('reasoning' in message) &&
    !(reading.thinkTags && typeof content === 'string' && content.trimStart().startsWith('<think>')) &&
    !(reading.jsonTool && calls?.some((call) => isJsonTool(call.function?.name))) &&
    foreignFinish(native) === undefined &&
    absentWhenNull.every((name) => message[name] !== null) &&
    !isEmptyFunctionCall(message['function_call'])
  )
}

const isEmptyFunctionCall = (call: unknown): boolean => isObject(call) && !stringOf(call['name'])

function rewriteMessage(
  message: JsonObject,
  calls: Calls,
  native: string | undefined,
  reading: MessageReading,
): ChatResponseMessage {
  const read = readContent(message['content'])
  const thought = reading.thinkTags ? splitThought(read.text) : { reasoning: '', text: read.text }
  const answers = reading.jsonTool ? (calls ?? []).filter((call) => isJsonTool(call.function?.name)) : []
  const others = answers.length === 0 ? calls : calls?.filter((call) => !answers.includes(call))
  const text = thought.text + answers.map((call) => call.function?.arguments ?? '').join('')
  const reasoning = readReasoning(message) || read.reasoning + thought.reasoning
  const foreign = foreignFinish(native)
  const notes = isObject(message['provider_specific_fields']) ? message['provider_specific_fields'] : undefined
  const images = Array.isArray(message['images']) ? message['images'] : read.images
  return {
    ...keptMembers(message),
    role: 'assistant',
    content: text === '' && typeof message['content'] !== 'string' ? null : text,
    refusal: stringOf(message['refusal']) ?? null,
    ...(others && others.length > 0 && { tool_calls: [...others] }),
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(images.length > 0 && { images: images as NonNullable<ChatResponseMessage['images']> }),
    ...(foreign !== undefined && { provider_specific_fields: { ...notes, native_finish_reason: foreign } }),
  }
}

function keptMembers(message: JsonObject): JsonObject {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(message)) {
    const isGone = value === null && absentWhenNull.includes(name)
    if (isGone || name === 'tool_calls' || name === 'reasoning' || name === 'reasoning_content') continue
    if (name === 'function_call' && isEmptyFunctionCall(value)) continue
    kept[name] = value
  }
  return kept
}
