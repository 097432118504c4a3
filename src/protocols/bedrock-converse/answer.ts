import type { JsonObject } from '../../wire/json.js'
import { isObject, numberOf, stringOf } from '../../wire/json.js'

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Usage in the Messages API's words; both leave cached tokens out of the input tokens. */
export function toMessagesUsage(usage: unknown, serviceTier: unknown): JsonObject {
  if (!isObject(usage)) return {}
  const count = (...names: readonly string[]): number => numberOf(names.map((name) => usage[name]).find(Boolean)) ?? 0
  const written = objects(usage['cacheDetails']).map(({ ttl, inputTokens }) => [
    `ephemeral_${stringOf(ttl) ?? '5m'}_input_tokens`,
    inputTokens,
  ])
  const tier = isObject(serviceTier) ? stringOf(serviceTier['type']) : undefined
  return {
    input_tokens: count('inputTokens'),
    output_tokens: count('outputTokens'),
    cache_read_input_tokens: count('cacheReadInputTokens', 'cacheReadInputTokenCount'),
    cache_creation_input_tokens: count('cacheWriteInputTokens', 'cacheWriteInputTokenCount'),
    ...(written.length > 0 && { cache_creation: Object.fromEntries(written) as JsonObject }),
    ...(tier !== undefined && { service_tier: tier === 'default' ? 'standard' : tier }),
  }
}

/** A citation with the address of a web page where the Messages API has it. */
export function toCitation(citation: JsonObject): JsonObject {
  const web = isObject(citation['location']) ? citation['location']['web'] : undefined
  const url = isObject(web) ? stringOf(web['url']) : undefined
  return url === undefined ? citation : { ...citation, url }
}

/** A tool call; one that the model's own servers run is none of the caller's. */
export function toToolUse(use: JsonObject): JsonObject {
  const isServer = use['type'] === 'server_tool_use'
  const type = isServer ? 'server_tool_use' : 'tool_use'
  return { type, id: use['toolUseId'], name: use['name'], input: use['input'] ?? {} }
}

/** The result of a tool of the servers, whole, so that it can go back. */
export function toServerResult(result: JsonObject): JsonObject {
  return { type: 'server_tool_result', tool_use_id: result['toolUseId'], result }
}

function readCited(content: JsonObject): JsonObject {
  const text = objects(content['content'])
    .map((part) => stringOf(part['text']) ?? '')
    .join('')
  return { type: 'text', text, citations: objects(content['citations']).map(toCitation) }
}

function readReasoning(content: JsonObject): JsonObject {
  const redacted = stringOf(content['redactedContent'])
  if (redacted !== undefined) return { type: 'redacted_thinking', data: redacted }
  const { text, signature } = isObject(content['reasoningText']) ? content['reasoningText'] : {}
  return { type: 'thinking', thinking: text ?? '', signature: signature ?? '' }
}

const readers: Readonly<Record<string, (content: JsonObject) => JsonObject>> = {
  toolUse: toToolUse,
  toolResult: toServerResult,
  citationsContent: readCited,
  reasoningContent: readReasoning,
}

function readBlock(block: JsonObject): readonly JsonObject[] {
  if (typeof block['text'] === 'string') return [{ type: 'text', text: block['text'] }]
  const [member, content] = Object.entries(block)[0] ?? []
  if (member === undefined || !isObject(content)) return []
  const read = Object.hasOwn(readers, member) ? readers[member] : undefined
  return [read ? read(content) : { type: member, [member]: content }]
}

const told = ['trace', 'additionalModelResponseFields', 'performanceConfig']

/** What Converse tells besides the answer (a guardrail's trace), as blocks that go beside the text. */
export function toExtraBlocks(body: JsonObject): readonly JsonObject[] {
  return told.flatMap((name) => (isObject(body[name]) ? [{ type: name, [name]: body[name] }] : []))
}

/** A whole answer of Converse as one of the Messages API; undefined where it is no answer. */
export function toMessagesAnswer(body: unknown, model: string): JsonObject | undefined {
  const output = isObject(body) ? body['output'] : undefined
  const message = isObject(output) ? output['message'] : undefined
  if (!isObject(body) || !isObject(message)) return undefined
  return {
    type: 'message',
    role: 'assistant',
    model,
    content: [...objects(message['content']).flatMap(readBlock), ...toExtraBlocks(body)],
    stop_reason: body['stopReason'],
    usage: toMessagesUsage(body['usage'], body['serviceTier']),
  }
}
