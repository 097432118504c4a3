import { isObject, stringOf, type JsonObject } from '../../src/wire/json.js'
import { objectsIn, textOf } from './exchange.js'

type Fields = Record<string, unknown>

/**
 * The request in OpenAI's format that means what a recorded Messages request means
 * (https://platform.claude.com/docs/en/api/messages). Members that OpenAI has no word for stay as they are.
 */
export function fromAnthropicRequest(body: JsonObject): JsonObject {
  const { messages, system, max_tokens, stop_sequences, tools, tool_choice, metadata, output_config, ...rest } = body
  const { output_format, ...others } = rest
  return {
    ...others,
    max_tokens,
    messages: [...systemMessages(system), ...objectsIn(messages).flatMap(toMessages)],
    ...(stop_sequences !== undefined && { stop: stop_sequences }),
    ...(Array.isArray(tools) && { tools: tools.map(toTool) }),
    ...toolChoice(tool_choice),
    ...(isObject(metadata) && { user: metadata['user_id'] }),
    ...outputConfig(output_config, output_format),
  }
}

function systemMessages(system: unknown): readonly JsonObject[] {
  if (typeof system === 'string') return [{ role: 'system', content: system }]
  return Array.isArray(system) ? [{ role: 'system', content: system }] : []
}

function toMessages(message: JsonObject): readonly JsonObject[] {
  const { role, content } = message
  if (typeof content === 'string') return [{ role, content }]
  const blocks = objectsIn(content)
  if (role === 'assistant') return [toAssistant(blocks)]
  if (role !== 'user') return [{ role, content: blocks.map(toPart) }]
  const results = blocks.filter((block) => block['type'] === 'tool_result').map(toToolMessage)
  const parts = blocks.filter((block) => block['type'] !== 'tool_result').map(toPart)
  return parts.length === 0 ? results : [...results, { role: 'user', content: parts }]
}

function toAssistant(blocks: readonly JsonObject[]): JsonObject {
  // Thinking between other blocks keeps its place as a content part in Claude's own form.
  const opening = blocks.findIndex((block) => !isThinking(block))
  const thinking = blocks.slice(0, opening < 0 ? blocks.length : opening)
  const calls = blocks.filter(({ type }) => type === 'tool_use').map(toToolCall)
  const others = blocks.filter((block) => !thinking.includes(block) && block['type'] !== 'tool_use')
  return {
    role: 'assistant',
    content: others.length === 0 ? null : others.map(toPart),
    ...(thinking.length > 0 && { thinking_blocks: thinking }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
}

function isThinking({ type }: JsonObject): boolean {
  return type === 'thinking' || type === 'redacted_thinking'
}

function toToolCall(block: JsonObject): JsonObject {
  const { id, name, input, type: _type, ...rest } = block
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) }, ...rest }
}

function toToolMessage(block: JsonObject): JsonObject {
  const { tool_use_id, content, type: _type, ...rest } = block
  const parts = Array.isArray(content) ? objectsIn(content).map(toPart) : content
  return { role: 'tool', tool_call_id: tool_use_id, content: parts ?? '', ...rest }
}

function toPart(block: JsonObject): JsonObject {
  const { type, source, ...rest } = block
  if (!isObject(source)) return block
  if (type === 'image') return imagePart(source, rest) ?? block
  if (type === 'document') return filePart(source, rest) ?? block
  return block
}

function imagePart(source: JsonObject, rest: Fields): JsonObject | undefined {
  const url = source['type'] === 'base64' ? dataUrl(source) : stringOf(source['url'])
  return url === undefined ? undefined : { type: 'image_url', image_url: { url }, ...rest }
}

function filePart(source: JsonObject, rest: Fields): JsonObject | undefined {
  const { title, ...others } = rest
  const name = stringOf(title) === undefined ? {} : { filename: title }
  if (source['type'] === 'base64') return { type: 'file', file: { file_data: dataUrl(source), ...name }, ...others }
  if (source['type'] === 'file') return { type: 'file', file: { file_id: source['file_id'], ...name }, ...others }
  if (source['type'] === 'url') return { type: 'file', file: { file_data: source['url'], ...name }, ...others }
  if (source['type'] !== 'text') return undefined
  const data = Buffer.from(textOf(source['data'])).toString('base64')
  return { type: 'file', file: { file_data: `data:text/plain;base64,${data}`, ...name }, ...others }
}

function dataUrl(source: JsonObject): string {
  return `data:${textOf(source['media_type'])};base64,${textOf(source['data'])}`
}

function toTool(tool: unknown): unknown {
  if (!isObject(tool) || !('input_schema' in tool)) return tool
  const { name, description, input_schema, strict, type: _type, ...rest } = tool
  const named = { name, ...(description !== undefined && { description }), ...(strict !== undefined && { strict }) }
  return { type: 'function', function: { ...named, parameters: input_schema }, ...rest }
}

function toolChoice(choice: unknown): JsonObject {
  if (!isObject(choice)) return {}
  const { type, name, disable_parallel_tool_use } = choice
  const words: Readonly<Record<string, unknown>> = {
    auto: 'auto',
    any: 'required',
    none: 'none',
    tool: { type: 'function', function: { name } },
  }
  return {
    tool_choice: words[textOf(type)],
    ...(typeof disable_parallel_tool_use === 'boolean' && { parallel_tool_calls: !disable_parallel_tool_use }),
  }
}

function outputConfig(config: unknown, format: unknown): JsonObject {
  const { effort, format: schemaFormat, ...rest } = isObject(config) ? config : {}
  const wanted = schemaFormat ?? format
  return {
    ...(effort !== undefined && { reasoning_effort: effort }),
    ...(isObject(wanted) && {
      response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: wanted['schema'] } },
    }),
    ...(Object.keys(rest).length > 0 && { output_config: rest }),
  }
}
