import type { ChatMessage, ChatRequest, ChatTool, ResponseFormat } from '../../wire/chat.js'
import { isObject, type JsonObject, parseJson, stringOf } from '../../wire/json.js'
import type { Take } from '../parameter-table.js'
import { plainText } from '../plain-text.js'
import { stopList } from '../text-answer.js'
import { functionOf } from './generic-request.js'

/** OpenAI's parameters in the words of a COHERE chat request. */
export const cohereNames: Readonly<Record<string, Take>> = {
  frequency_penalty: 'frequencyPenalty',
  max_completion_tokens: 'maxTokens',
  max_tokens: 'maxTokens',
  presence_penalty: 'presencePenalty',
  response_format: toResponseFormat,
  seed: 'seed',
  stop: (stop) => ({ stopSequences: stopList(stop) }),
  temperature: 'temperature',
  tools: (tools) => ({ tools: Array.isArray(tools) ? tools.map((tool: ChatTool, at) => toTool(tool, at)) : [] }),
  top_k: 'topK',
  top_p: 'topP',
}

function toResponseFormat(value: unknown): JsonObject {
  const format = value as ResponseFormat
  if (format.type === 'text') return { responseFormat: { type: 'TEXT' } }
  const schema = format.json_schema?.schema
  return { responseFormat: { type: 'JSON_OBJECT', ...(schema && { schema }) } }
}

/** Cohere's older form of a tool: parameters one level deep, each with a type by name. */
function toTool(tool: ChatTool, at: number): JsonObject {
  const { name, description, parameters } = functionOf(tool, at)
  const properties = isObject(parameters?.['properties']) ? parameters['properties'] : {}
  const required: readonly unknown[] = Array.isArray(parameters?.['required']) ? parameters['required'] : []
  const definitions = Object.entries(properties).map(([property, schema]) => {
    const known = isObject(schema) ? schema : {}
    const about = stringOf(known['description'])
    const definition = {
      type: toTypeName(known['type']),
      ...(about !== undefined && { description: about }),
      isRequired: required.includes(property),
    }
    return [property, definition] as const
  })
  return {
    name,
    description: description ?? name,
    ...(definitions.length > 0 && { parameterDefinitions: Object.fromEntries(definitions) }),
  }
}

const typeNames: Readonly<Record<string, string>> = {
  array: 'list',
  boolean: 'bool',
  integer: 'int',
  number: 'float',
  object: 'dict',
  string: 'str',
}

function toTypeName(type: unknown): string {
  const name = Array.isArray(type) ? type.find((entry) => entry !== 'null') : type
  return typeof name === 'string' && Object.hasOwn(typeNames, name) ? (typeNames[name] ?? 'str') : 'str'
}

/** The conversation in Cohere's older form: the last message apart from the history, tool results apart from both. */
export function toConversation(messages: ChatRequest['messages'], provider: string): JsonObject {
  const text = (message: ChatMessage): string => plainText(message.content, 'messages', provider)
  const system = messages.filter(({ role }) => role === 'system' || role === 'developer').map(text)
  const said = messages.filter(({ role }) => role !== 'system' && role !== 'developer')
  const lastTurn = said.findLastIndex(({ role }) => role !== 'tool') + 1
  const results = said.slice(lastTurn)
  const isAnswered = results.length > 0
  const last = isAnswered ? undefined : said.at(-1)
  const history = isAnswered ? said.slice(0, lastTurn) : said.slice(0, -1)
  return {
    message: last ? text(last) : '',
    ...(history.length > 0 && { chatHistory: toHistory(history, text) }),
    ...(system.length > 0 && { preambleOverride: system.join('\n\n') }),
    ...(isAnswered && { toolResults: toResults(results, said, text) }),
  }
}

function toHistory(history: readonly ChatMessage[], text: (message: ChatMessage) => string): readonly JsonObject[] {
  const turns: JsonObject[] = []
  for (const [at, message] of history.entries()) {
    if (message.role === 'tool') {
      // Results that follow each other are one turn, which their first one opens.
      if (history[at - 1]?.role === 'tool') continue
      const end = history.findIndex((later, position) => position > at && later.role !== 'tool')
      turns.push({ role: 'TOOL', toolResults: toResults(history.slice(at, end < 0 ? undefined : end), history, text) })
      continue
    }
    const calls = message.role === 'assistant' ? (message.tool_calls ?? []).map(toCall) : []
    const role = message.role === 'assistant' ? 'CHATBOT' : 'USER'
    turns.push({ role, message: text(message), ...(calls.length > 0 && { toolCalls: calls }) })
  }
  return turns
}

type Call = NonNullable<Extract<ChatMessage, { role: 'assistant' }>['tool_calls']>[number]

function toCall(call: Call): JsonObject {
  const parameters = parseJson(call.function?.arguments ?? '')
  return { name: call.function?.name, parameters: isObject(parameters) ? parameters : {} }
}

/** Cohere names the call that a result belongs to by its content, not by an id. */
function toResults(
  results: readonly ChatMessage[],
  all: readonly ChatMessage[],
  text: (message: ChatMessage) => string,
): readonly JsonObject[] {
  const calls = all.flatMap((message) => (message.role === 'assistant' ? (message.tool_calls ?? []) : []))
  return results.map((result) => {
    const id = result.role === 'tool' ? result.tool_call_id : undefined
    const call = calls.find((candidate) => candidate.id === id)
    const said = text(result)
    const output = parseJson(said)
    return {
      call: call ? toCall(call) : { name: 'tool', parameters: {} },
      outputs: [isObject(output) ? output : { result: said }],
    }
  })
}
