import type { BedrockModel } from '../../catalog/bedrock-models.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, stringOf } from '../../wire/json.js'
import { nativeType } from './native-parts.js'

/** A content block of Converse. */
export type Block = JsonObject

// Empty texts and empty results are refused; a full stop says as little as one can.
const placeholder: Block = { text: '.' }

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** A cache point after what `cache_control` marks; none where the model knows none. */
export function cachePoints(mark: unknown, allowed: boolean): readonly Block[] {
  if (!isObject(mark) || !allowed) return []
  const ttl = stringOf(mark['ttl'])
  return [{ cachePoint: { type: 'default', ...(ttl !== undefined && { ttl }) } }]
}

/** Text, with what it cites where an earlier answer named sources. */
function textBlocks(block: JsonObject): readonly Block[] {
  const { text, citations } = block
  const cited = objects(citations).map(({ supported_text: _text, url: _url, ...citation }) => citation)
  return cited.length === 0 ? [{ text }] : [{ citationsContent: { content: [{ text }], citations: cited } }]
}

function toolUse(block: JsonObject): readonly Block[] {
  const { id, name, input, type } = block
  return [{ toolUse: { toolUseId: id, name, input, ...(type === 'server_tool_use' && { type }) } }]
}

function resultContent(content: unknown): readonly Block[] {
  if (typeof content === 'string') return content.trim() === '' ? [placeholder] : [{ text: content }]
  // A cache point has its place after the whole result.
  const blocks = objects(content).flatMap((part) => writerOf(part)?.(part) ?? [])
  return blocks.length === 0 ? [placeholder] : blocks
}

function toolResult(block: JsonObject): readonly Block[] {
  const { tool_use_id: toolUseId, content, is_error: isError } = block
  return [{ toolResult: { toolUseId, content: resultContent(content), ...(isError === true && { status: 'error' }) } }]
}

/** The result of a tool that the model's own servers ran, as it came. */
function serverResult(block: JsonObject): readonly Block[] {
  return isObject(block['result']) ? [{ toolResult: block['result'] }] : []
}

type Write = (block: JsonObject) => readonly Block[]

const writers: Readonly<Record<string, Write>> = {
  text: textBlocks,
  [nativeType]: ({ block }) => (isObject(block) ? [block] : []),
  tool_use: toolUse,
  server_tool_use: toolUse,
  tool_result: toolResult,
  server_tool_result: serverResult,
  thinking: ({ thinking: text, signature }) => [{ reasoningContent: { reasoningText: { text, signature } } }],
  redacted_thinking: ({ data }) => [{ reasoningContent: { redactedContent: data } }],
}

function writerOf({ type }: JsonObject): Write | undefined {
  return typeof type === 'string' && Object.hasOwn(writers, type) ? writers[type] : undefined
}

const isThinking = ({ type }: JsonObject): boolean => type === 'thinking' || type === 'redacted_thinking'

function hasMark(content: unknown): unknown {
  return objects(content)
    .map((part) => part['cache_control'])
    .find(isObject)
}

function writeBlock(block: JsonObject, model: BedrockModel): readonly Block[] {
  const write = writerOf(block)
  if (!write) return []
  const mark = block['cache_control'] ?? (block['type'] === 'tool_result' ? hasMark(block['content']) : undefined)
  return [...write(block), ...cachePoints(mark, model.cachePoints !== 'none')]
}

/** A message that holds a document must say something about it. */
function withText(blocks: readonly Block[]): readonly Block[] {
  const lacksText = blocks.some((block) => 'document' in block) && !blocks.some((block) => 'text' in block)
  return lacksText ? [...blocks, placeholder] : blocks
}

/** A message of the Messages API as a message of Converse; reasoning goes back only to models that signed it. */
export function toConverseMessage(message: JsonObject, model: BedrockModel): JsonObject {
  const kept = objects(message['content']).filter((block) => model.reasoning === 'claude' || !isThinking(block))
  const blocks = withText(kept.flatMap((block) => writeBlock(block, model)))
  return { role: message['role'], content: blocks.length === 0 ? [placeholder] : blocks }
}

/** System blocks: texts and cache points. */
export function toSystem(system: unknown, model: BedrockModel): readonly Block[] {
  return objects(system).flatMap((block) => writeBlock(block, model))
}

/** True where a conversation calls tools or answers them: then Converse demands their definitions. */
export function usesTools(messages: readonly JsonObject[]): boolean {
  return messages.some((message) =>
    objects(message['content']).some((block) => 'toolUse' in block || 'toolResult' in block),
  )
}
