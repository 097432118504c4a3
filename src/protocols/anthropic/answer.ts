import { claudeGeneration } from '../../catalog/claude-models.js'
import type { ChatCompletion, ChatResponseMessage, ThinkingBlock, ToolCall } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, stringOf } from '../../wire/json.js'
import { isForeignFinishReason, toFinishReason } from '../finish-reason.js'
import type { Exchange } from '../protocol.js'
import type { Annotation } from './answer-fields.js'
import { endFields, readCitations, serviceTier, specificField } from './answer-fields.js'
import { errorInside, notAnAnswer } from './failure.js'
import { withDefaults } from './parameters.js'
import type { FormatPlan } from './response-format.js'
import { planFormat, unwrapAnswer } from './response-format.js'
import { fromWireName } from './tool-names.js'
import { toUsage } from './usage.js'

interface Answer {
  text: string
  /** The synthetic tool's arguments. */
  json: string | undefined
  reasoning: string
  readonly thinking: ThinkingBlock[]
  readonly calls: ToolCall[]
  readonly annotations: Annotation[]
  readonly fields: Record<string, JsonObject[]>
}

type Read = (answer: Answer, block: JsonObject, context: AnswerContext) => void

interface AnswerContext {
  readonly exchange: Exchange<'chat'>
  readonly format: FormatPlan
}

/** How an answer of this exchange must be read: the same decision that `encode` made. */
export function answerFormat(exchange: Exchange<'chat'>): FormatPlan {
  const { model, capabilities } = exchange.deployment
  return planFormat(withDefaults(exchange), claudeGeneration(model, capabilities))
}

function addField(answer: Answer, name: string, items: readonly JsonObject[]): void {
  if (items.length === 0) return
  answer.fields[name] = [...(answer.fields[name] ?? []), ...items]
}

const readText: Read = (answer, block) => {
  const text = stringOf(block['text']) ?? ''
  const cited = readCitations(Array.isArray(block['citations']) ? block['citations'] : [], text, answer.text.length)
  answer.annotations.push(...cited.annotations)
  addField(answer, 'citations', cited.citations)
  answer.text += text
}

const readToolUse: Read = (answer, block, { exchange, format }) => {
  const name = stringOf(block['name']) ?? ''
  const input = isObject(block['input']) ? block['input'] : {}
  if (format.kind === 'tool' && name === format.name) {
    answer.json ??= JSON.stringify(unwrapAnswer(input, format.schema))
    return
  }
  answer.calls.push({
    id: stringOf(block['id']) ?? `call_${exchange.id}_${answer.calls.length}`,
    type: 'function',
    function: { name: fromWireName(name, withDefaults(exchange)), arguments: JSON.stringify(input) },
  })
}

const readThinking: Read = (answer, block) => {
  const thinking = stringOf(block['thinking']) ?? ''
  answer.reasoning += thinking
  answer.thinking.push({ type: 'thinking', thinking, signature: stringOf(block['signature']) ?? '' })
}

const readers: Readonly<Record<string, Read>> = {
  text: readText,
  tool_use: readToolUse,
  thinking: readThinking,
  redacted_thinking: (answer, block) => {
    answer.thinking.push({ type: 'redacted_thinking', data: stringOf(block['data']) ?? '' })
  },
}

function readBlocks(content: readonly unknown[], context: AnswerContext): Answer {
  const answer: Answer = {
    text: '',
    json: undefined,
    reasoning: '',
    thinking: [],
    calls: [],
    annotations: [],
    fields: {},
  }
  for (const block of content.filter(isObject)) {
    const type = stringOf(block['type']) ?? ''
    const read = Object.hasOwn(readers, type) ? readers[type] : undefined
    if (read) read(answer, block, context)
    else addField(answer, specificField(type), [block])
  }
  return answer
}

function toMessage(answer: Answer, fields: JsonObject): ChatResponseMessage {
  const { json, text, reasoning, thinking, calls, annotations } = answer
  const content = json ?? (text === '' && calls.length > 0 ? null : text)
  const specific = { ...answer.fields, ...(json !== undefined && text !== '' && { preamble: text }), ...fields }
  return {
    role: 'assistant',
    content,
    refusal: null,
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(thinking.length > 0 && { thinking_blocks: thinking }),
    ...(annotations.length > 0 && { annotations }),
    ...(Object.keys(specific).length > 0 && { provider_specific_fields: specific }),
  }
}

/**
 * Reads a whole answer of the Messages API.
 * @throws GatewayError for an error inside a 200, or a body that is not a message
 */
export function toCompletion(body: unknown, exchange: Exchange<'chat'>): ChatCompletion {
  const { provider, model } = exchange.deployment
  if (!isObject(body)) throw notAnAnswer(provider)
  if (body['type'] === 'error' || isObject(body['error'])) throw errorInside(body, provider)
  if (!Array.isArray(body['content'])) throw notAnAnswer(provider)
  const answer = readBlocks(body['content'], { exchange, format: answerFormat(exchange) })
  const native = stringOf(body['stop_reason'])
  const answeredAsJson = answer.json !== undefined && answer.calls.length === 0 && native === 'tool_use'
  const reason = answeredAsJson ? 'stop' : toFinishReason(native, answer.calls.length > 0)
  const fields = {
    ...(native !== undefined && isForeignFinishReason(native) && { native_finish_reason: native }),
    ...endFields(body),
  }
  return {
    id: stringOf(body['id']) ?? `chatcmpl-${exchange.id}`,
    object: 'chat.completion',
    created: exchange.created,
    model: stringOf(body['model']) ?? model,
    choices: [{ index: 0, message: toMessage(answer, fields), finish_reason: reason, logprobs: null }],
    usage: toUsage(body['usage']),
    ...serviceTier(body['usage']),
  }
}
