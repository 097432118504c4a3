import { isObject, numberOf, parseJson, stringOf, type JsonObject } from '../../../src/wire/json.js'
import { finishReasonOf, type Answer, type AnsweredUsage, type CalledTool } from '../answer.js'
import { at, objectsIn, textOf, type Exchange } from '../exchange.js'
import { pathAfter } from './dialect.js'

/** A stream was asked for where one was answered, or where the path says so. */
export function streamOf({ request, response }: Exchange): JsonObject {
  return response.format === 'eventstream' || request?.url.endsWith('-stream') ? { stream: true } : {}
}

/** The id in the path; a recorder that lost it kept it in the index. */
export function modelInPath(exchange: Exchange): string | undefined {
  const id = pathAfter(exchange, '/model/')?.replace(/\/[^/]+$/, '')
  return id === '' ? undefined : id
}

/** The request in OpenAI's format that means what a recorded request of Converse means. */
export function fromConverse(body: JsonObject | undefined): JsonObject {
  if (!body) return { messages: [{ role: 'user', content: 'hi' }] }
  const { messages, system, inferenceConfig, toolConfig, outputConfig, additionalModelRequestFields, ...rest } = body
  const { schemaVersion: _version, ...others } = rest
  return {
    ...others,
    messages: [...systemMessages(system), ...objectsIn(messages).flatMap(toMessages)],
    ...fromInference(inferenceConfig),
    ...fromTools(toolConfig),
    ...fromOutput(outputConfig),
    ...fromAdditional(additionalModelRequestFields),
  }
}

/** Blocks as parts; a cache point marks what is before it. */
function toParts(blocks: readonly JsonObject[]): readonly JsonObject[] {
  const parts: JsonObject[] = []
  for (const block of blocks.flatMap(unfolded)) {
    const last = parts.at(-1)
    if (isObject(block['cachePoint']) && last) parts[parts.length - 1] = { ...last, cache_control: toMark(block) }
    else parts.push(toPart(block))
  }
  return parts
}

/** Nova's own body has a cache point within the block that it follows. */
function unfolded(block: JsonObject): readonly JsonObject[] {
  const { cachePoint, ...rest } = block
  return cachePoint === undefined || Object.keys(rest).length === 0 ? [block] : [rest, { cachePoint }]
}

function toMark(block: JsonObject): JsonObject {
  const ttl = at(block, 'cachePoint', 'ttl')
  return { type: 'ephemeral', ...(ttl !== undefined && { ttl }) }
}

function toPart(block: JsonObject): JsonObject {
  const [member = '', value] = Object.entries(block)[0] ?? []
  return member === 'text' ? { type: 'text', text: value } : { type: member, [member]: value }
}

function systemMessages(system: unknown): readonly JsonObject[] {
  const parts = toParts(objectsIn(system))
  return parts.length === 0 ? [] : [{ role: 'system', content: parts }]
}

function toMessages({ role, content }: JsonObject): readonly JsonObject[] {
  const blocks = objectsIn(content)
  if (role === 'assistant') return [toAssistant(blocks)]
  const results = blocks.flatMap((block, position) =>
    isObject(block['toolResult']) ? [toToolMessage(block['toolResult'], blocks[position + 1])] : [],
  )
  const others = blocks.filter((block, position) => {
    const marksResult = isObject(block['cachePoint']) && isObject(blocks[position - 1]?.['toolResult'])
    return !isObject(block['toolResult']) && !marksResult
  })
  return others.length === 0 ? results : [...results, { role, content: toParts(others) }]
}

function toToolMessage(result: JsonObject, next: JsonObject | undefined): JsonObject {
  return {
    role: 'tool',
    tool_call_id: result['toolUseId'],
    content: toParts(objectsIn(result['content'])),
    ...(result['status'] === 'error' && { is_error: true }),
    ...(next && isObject(next['cachePoint']) && { cache_control: toMark(next) }),
  }
}

function toAssistant(blocks: readonly JsonObject[]): JsonObject {
  const uses = blocks.map(({ toolUse }) => toolUse).filter(isObject)
  const [served, calls] = [uses.filter(isServed), uses.filter((use) => !isServed(use))]
  const results = blocks.map(({ toolResult }) => toolResult).filter(isObject)
  const thinking = blocks.map(({ reasoningContent }) => reasoningContent).filter(isObject)
  const others = blocks.filter((block) => !['toolUse', 'toolResult', 'reasoningContent'].some((name) => name in block))
  return {
    role: 'assistant',
    content: others.length === 0 ? null : toParts(others),
    ...(thinking.length > 0 && { thinking_blocks: thinking.map(toThinking) }),
    ...(calls.length > 0 && { tool_calls: calls.map(toToolCall) }),
    ...(served.length > 0 && {
      provider_specific_fields: {
        server_tool_calls: served.map(({ toolUseId: id, name, input }) => ({
          type: 'server_tool_use',
          id,
          name,
          input,
        })),
        tool_results: results.map((result) => ({
          type: 'server_tool_result',
          tool_use_id: result['toolUseId'],
          result,
        })),
      },
    }),
  }
}

function isServed(use: JsonObject): boolean {
  return use['type'] === 'server_tool_use'
}

function toThinking({ reasoningText, redactedContent }: JsonObject): JsonObject {
  if (redactedContent !== undefined) return { type: 'redacted_thinking', data: redactedContent }
  return { type: 'thinking', thinking: at(reasoningText, 'text'), signature: at(reasoningText, 'signature') ?? '' }
}

function toToolCall({ toolUseId: id, name, input }: JsonObject): JsonObject {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input ?? {}) } }
}

function fromInference(config: unknown): JsonObject {
  if (!isObject(config)) return {}
  const { maxTokens, max_new_tokens, temperature, topP, top_p, topK, stopSequences } = config
  const stop = Array.isArray(stopSequences) && stopSequences.length === 0 ? undefined : stopSequences
  const entries = Object.entries({
    max_tokens: maxTokens ?? max_new_tokens,
    temperature,
    top_p: topP ?? top_p,
    top_k: topK,
    stop,
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

function fromTools(config: unknown): JsonObject {
  if (!isObject(config)) return {}
  const tools: JsonObject[] = []
  for (const entry of objectsIn(config['tools'])) {
    const last = tools.at(-1)
    const { toolSpec } = entry
    if (isObject(toolSpec)) {
      const { name, description, inputSchema, strict } = toolSpec
      const definition = { name, description, parameters: at(inputSchema, 'json'), ...(strict === true && { strict }) }
      tools.push({ type: 'function', function: definition })
    } else if (isObject(entry['cachePoint']) && last) {
      tools[tools.length - 1] = { ...last, cache_control: toMark(entry) }
    } else tools.push(toPart(entry))
  }
  const choice = isObject(config['toolChoice']) ? config['toolChoice'] : {}
  const name = at(choice, 'tool', 'name')
  const word = 'any' in choice ? 'required' : 'auto' in choice ? 'auto' : undefined
  const forced = name === undefined ? word : { type: 'function', function: { name } }
  return { tools, ...(forced !== undefined && { tool_choice: forced }) }
}

function fromOutput(config: unknown): JsonObject {
  const schema = at(config, 'textFormat', 'structure', 'jsonSchema')
  if (!isObject(schema)) return {}
  const json = { ...schema, schema: parseJson(textOf(schema['schema'])) }
  return { response_format: { type: 'json_schema', json_schema: json } }
}

function fromAdditional(fields: unknown): JsonObject {
  if (!isObject(fields)) return {}
  const { thinking, inferenceConfig, reasoningConfig, reasoning_config: config, ...rest } = fields
  const topK = at(inferenceConfig, 'topK')
  const effort = at(reasoningConfig, 'maxReasoningEffort') ?? config
  return {
    ...(isObject(thinking) && { thinking }),
    ...(topK !== undefined && { top_k: topK }),
    ...(effort !== undefined && { reasoning_effort: effort }),
    ...(Object.keys(rest).length > 0 && { additionalModelRequestFields: rest }),
  }
}

/** Schemas as JSON, bytes as base64 in whichever form an SDK's recorder wrote them. */
export function canonicalConverse(body: JsonObject): JsonObject {
  const { messages, ...rest } = withJson(body)
  return Array.isArray(messages) ? { ...rest, messages: merged(objectsIn(messages)) } : rest
}

/** Neighbours of one role are one message: roles must alternate. */
function merged(messages: readonly JsonObject[]): readonly JsonObject[] {
  const list: JsonObject[] = []
  for (const message of messages) {
    const last = list.at(-1)
    const isSame = last?.['role'] === message['role']
    const content = [...(isSame ? toBlocks(last?.['content']) : []), ...toBlocks(message['content'])]
    list.splice(isSame ? -1 : list.length, 1, { ...message, content })
  }
  return list
}

function toBlocks(content: unknown): readonly JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : objectsIn(content)
}

function withJson(body: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(body), (key, value: unknown) => {
    if (key === 'schema' && typeof value === 'string') return parseJson(value) ?? value
    return key === 'bytes' && isObject(value) ? toBase64(value) : value
  }) as JsonObject
}

function toBase64(value: JsonObject): string {
  const list = Array.isArray(value['data']) ? value['data'] : Object.values(value)
  return Buffer.from(list.map(Number)).toString('base64')
}

/** Reads a whole answer of Converse or the events of ConverseStream. */
export function readConverseAnswer(payloads: readonly unknown[]): Answer {
  const whole = isObject(at(payloads[0], 'output')) ? payloads[0] : fromEvents(payloads)
  const blocks = objectsIn(at(whole, 'output', 'message', 'content'))
  const toolCalls = blocks
    .map(({ toolUse }) => toolUse)
    .filter(isObject)
    .filter((use) => !isServed(use))
    .map(toCall)
  const stop = stringOf(at(whole, 'stopReason'))
  const choice = {
    text: blocks.map(textIn).join(''),
    reasoning: blocks.map((block) => textOf(at(block, 'reasoningContent', 'reasoningText', 'text'))).join(''),
    images: 0,
    toolCalls,
    finish: stop === undefined ? undefined : finishReasonOf(finishNames[stop] ?? stop, toolCalls.length),
  }
  return { choices: new Map([[0, choice]]), usage: readUsage(at(whole, 'usage')) }
}

const finishNames: Readonly<Record<string, string>> = {
  guardrail_intervened: 'content_filter',
  content_filtered: 'content_filter',
  malformed_model_output: 'stop',
  malformed_tool_use: 'stop',
}

function textIn(block: JsonObject): string {
  const cited = objectsIn(at(block, 'citationsContent', 'content')).map(({ text }) => textOf(text))
  return textOf(block['text']) + cited.join('')
}

function toCall({ toolUseId, name, input }: JsonObject): CalledTool {
  const args = typeof input === 'string' ? input : JSON.stringify(input ?? {})
  return { id: stringOf(toolUseId), name: textOf(name), arguments: args === '' ? '{}' : args }
}

/** Puts an answer together again; Nova's own streams close a block after each piece of it. */
function fromEvents(payloads: readonly unknown[]): JsonObject {
  const blocks = new Map<number, Record<string, unknown>>()
  let [stopReason, usage]: unknown[] = []
  for (const payload of payloads) {
    const index = Number(
      at(payload, 'contentBlockDelta', 'contentBlockIndex') ??
        at(payload, 'contentBlockStart', 'contentBlockIndex') ??
        0,
    )
    const block = blocks.get(index) ?? {}
    const start = at(payload, 'contentBlockStart', 'start')
    if (isObject(start)) blocks.set(index, { ...start })
    const delta = at(payload, 'contentBlockDelta', 'delta')
    if (isObject(delta)) blocks.set(index, addDelta(block, delta))
    stopReason = at(payload, 'messageStop', 'stopReason') ?? stopReason
    usage = at(payload, 'metadata', 'usage') ?? usage
  }
  return { output: { message: { content: [...blocks.values()] } }, stopReason, usage }
}

function addDelta(block: JsonObject, delta: JsonObject): Record<string, unknown> {
  if (typeof delta['text'] === 'string') return { ...block, text: textOf(block['text']) + delta['text'] }
  const input = at(delta, 'toolUse', 'input')
  const use = isObject(block['toolUse']) ? block['toolUse'] : {}
  if (typeof input === 'string') return { ...block, toolUse: { ...use, input: textOf(use['input']) + input } }
  const thought = at(delta, 'reasoningContent', 'text')
  if (typeof thought !== 'string') return { ...block }
  const known = textOf(at(block, 'reasoningContent', 'reasoningText', 'text'))
  return { ...block, reasoningContent: { reasoningText: { text: known + thought } } }
}

function readUsage(usage: unknown): AnsweredUsage | undefined {
  if (!isObject(usage)) return undefined
  const count = (name: string): number => numberOf(usage[name]) ?? 0
  // Converse counts cached tokens apart from `inputTokens`.
  const cached = (kind: string): number => count(`cache${kind}InputTokens`) || count(`cache${kind}InputTokenCount`)
  const prompt = count('inputTokens') + cached('Read') + cached('Write')
  return { prompt, completion: count('outputTokens'), total: prompt + count('outputTokens') }
}
