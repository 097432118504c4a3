import { InvalidRequestError } from '../../errors.js'
import type { ChatMessage, ChatRequest, ChatTool, ContentPart, ResponseFormat } from '../../wire/chat.js'
import { isObject, type JsonObject } from '../../wire/json.js'
import { type Take } from '../parameter-table.js'
import { stopList } from '../text-answer.js'

/** OpenAI's parameters in the words of a GENERIC chat request. */
export function genericNames(model: string): Readonly<Record<string, Take>> {
  // OpenAI's models at Oracle take OpenAI's newer name of the limit only.
  const limit = model.startsWith('openai.') ? 'maxCompletionTokens' : 'maxTokens'
  const upper = (name: string) => (value: unknown) => ({ [name]: String(value).toUpperCase() })
  return {
    frequency_penalty: 'frequencyPenalty',
    logit_bias: 'logitBias',
    logprobs: () => ({}),
    max_completion_tokens: limit,
    max_tokens: limit,
    metadata: 'metadata',
    n: 'numGenerations',
    parallel_tool_calls: 'isParallelToolCalls',
    presence_penalty: 'presencePenalty',
    reasoning_effort: upper('reasoningEffort'),
    response_format: toResponseFormat,
    seed: 'seed',
    stop: (stop) => ({ stop: stopList(stop) }),
    temperature: 'temperature',
    tool_choice: toToolChoice,
    tools: (tools) => ({ tools: Array.isArray(tools) ? tools.map((tool: ChatTool, at) => toTool(tool, at)) : [] }),
    top_k: 'topK',
    top_logprobs: 'logProbs',
    top_p: 'topP',
    verbosity: upper('verbosity'),
  }
}

/** A tool as Oracle declares it. @throws InvalidRequestError for a tool that is no function */
export function functionOf(tool: ChatTool, at: number): NonNullable<ChatTool['function']> {
  if (tool.type === 'function' && tool.function) return tool.function
  throw new InvalidRequestError(`Oracle OCI knows no tools of type ${tool.type}.`, `tools[${at}]`)
}

function toTool(tool: ChatTool, at: number): JsonObject {
  const { name, description, parameters } = functionOf(tool, at)
  return {
    type: 'FUNCTION',
    name,
    ...(typeof description === 'string' && { description }),
    parameters: parameters ?? { type: 'object', properties: {} },
  }
}

function toToolChoice(choice: unknown): JsonObject {
  if (typeof choice === 'string') return { toolChoice: { type: choice.toUpperCase() } }
  const named = isObject(choice) && isObject(choice['function']) ? choice['function']['name'] : undefined
  return { toolChoice: { type: 'FUNCTION', name: named } }
}

function toResponseFormat(value: unknown): JsonObject {
  const format = value as ResponseFormat
  if (format.type !== 'json_schema') return { responseFormat: { type: format.type.toUpperCase() } }
  const { name = 'answer', description, schema, strict } = format.json_schema ?? {}
  const jsonSchema = {
    name,
    ...(typeof description === 'string' && { description }),
    schema: schema ?? { type: 'object' },
    ...(typeof strict === 'boolean' && { isStrict: strict }),
  }
  return { responseFormat: { type: 'JSON_SCHEMA', jsonSchema } }
}

const roles: Readonly<Record<ChatMessage['role'], string>> = {
  assistant: 'ASSISTANT',
  developer: 'SYSTEM',
  function: 'TOOL',
  system: 'SYSTEM',
  tool: 'TOOL',
  user: 'USER',
}

/** The conversation in Oracle's form. */
export function toMessages(messages: ChatRequest['messages']): readonly JsonObject[] {
  return messages.map((message, position) => {
    const content = toContent(message.content, `messages[${position}].content`)
    const calls = message.role === 'assistant' ? (message.tool_calls ?? []) : []
    return {
      role: roles[message.role],
      // An assistant that only calls tools says nothing, and an empty text is refused.
      ...((content.length > 0 || calls.length === 0) && { content }),
      ...(calls.length > 0 && { toolCalls: calls.map(toToolCall) }),
      ...(message.role === 'tool' && { toolCallId: message.tool_call_id }),
    }
  })
}

type Call = NonNullable<Extract<ChatMessage, { role: 'assistant' }>['tool_calls']>[number]

function toToolCall(call: Call): JsonObject {
  const args = call.function?.arguments.trim()
  return { id: call.id, type: 'FUNCTION', name: call.function?.name, arguments: args || '{}' }
}

function toContent(content: ChatMessage['content'], param: string): readonly JsonObject[] {
  if (content === undefined || content === null || content === '') return []
  if (typeof content === 'string') return [{ type: 'TEXT', text: content }]
  return content.map((part, at) => toPart(part, `${param}[${at}]`))
}

function toPart(part: ContentPart, param: string): JsonObject {
  if (part.type === 'text') return { type: 'TEXT', text: part['text'] }
  if (part.type === 'refusal') return { type: 'TEXT', text: part['refusal'] }
  const image: unknown = part['image_url']
  if (part.type === 'image_url') {
    const { url, detail } = isObject(image) ? image : { url: image, detail: undefined }
    return {
      type: 'IMAGE',
      imageUrl: { url, ...(typeof detail === 'string' && { detail: detail.toUpperCase() }) },
    }
  }
  throw new InvalidRequestError(`Oracle OCI takes no content of type ${part.type}.`, param)
}
