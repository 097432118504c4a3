import { isDeepStrictEqual } from 'node:util'
import { isObject, numberOf, parseJson, stringOf, type JsonObject } from '../../../src/wire/json.js'
import { finishReasonOf, type Answer, type AnsweredUsage, type CalledTool } from '../answer.js'
import type { Equivalence } from '../equivalence.js'
import { at, objectsIn, textOf } from '../exchange.js'
import type { FurtherDialect } from './dialect.js'

/** Where Cohere is sent something else than was recorded; see https://docs.cohere.com/reference/chat */
const cohereEquivalences: readonly Equivalence[] = [
  {
    name: 'enums in capitals',
    reason: 'the API documents them so and reads them in any case',
    holds: ({ path, recorded, sent }) => path === '.tool_choice' && textOf(recorded).toUpperCase() === sent,
  },
  {
    name: 'a schema beside json_object',
    reason: 'the documented type; json_schema, which the API takes as well, says no more',
    holds: ({ path, recorded, sent }) =>
      path === '.response_format.type' && recorded === 'json_schema' && sent === 'json_object',
  },
  {
    name: 'the schema by its newer name',
    reason: 'version 2 of the API calls it json_schema',
    holds: ({ path, recorded }, { sent }) =>
      path === '.response_format.schema' && isDeepStrictEqual(recorded, at(sent, 'response_format', 'json_schema')),
  },
]

/** Cohere's chat and vectors: https://docs.cohere.com/reference */
export const cohere: FurtherDialect = {
  request: ({ request, response }, { operation }) => {
    if (operation === 'embeddings') {
      const texts = at(parseJson(response.text), 'texts')
      return request ? fromCohereEmbedding(request.body) : { input: texts }
    }
    const stream = response.format === 'sse' ? { stream: true } : {}
    return request ? fromCohereRequest(request.body) : { messages: [{ role: 'user', content: 'hi' }], ...stream }
  },
  answer: (payloads, { response }) => readCohereAnswer(payloads, response.format === 'sse'),
  data: (recorded) => {
    const embeddings = at(recorded, 'embeddings')
    const list = isObject(embeddings) ? Object.values(embeddings).find(Array.isArray) : embeddings
    return Array.isArray(list) ? list.map((embedding: unknown) => ({ embedding })) : []
  },
  equivalences: cohereEquivalences,
}

/**
 * The request in OpenAI's format that means what a recorded request of Cohere's chat means
 * (https://docs.cohere.com/reference/chat). Members that OpenAI has no word for stay as they are.
 */
function fromCohereRequest(body: JsonObject): JsonObject {
  const { messages, p, k, stop_sequences, tool_choice, tools, strict_tools, response_format, ...rest } = body
  return {
    ...rest,
    messages: objectsIn(messages).map(toMessage),
    ...(p !== undefined && { top_p: p }),
    ...(k !== undefined && { top_k: k }),
    ...(stop_sequences !== undefined && { stop: stop_sequences }),
    ...(typeof tool_choice === 'string' && { tool_choice: tool_choice.toLowerCase() }),
    ...(Array.isArray(tools) && { tools: objectsIn(tools).map((tool) => toTool(tool, strict_tools)) }),
    ...responseFormat(response_format),
  }
}

function toMessage({ role, content, tool_plan, tool_calls, tool_call_id }: JsonObject): JsonObject {
  if (role === 'tool') return { role, tool_call_id, content }
  if (role !== 'assistant') return { role, content }
  const parts = objectsIn(content)
  const thoughts = parts.filter((part) => part['type'] === 'thinking').map((part) => textOf(part['thinking']))
  const said = parts.filter((part) => part['type'] !== 'thinking')
  const reasoning = thoughts.join('') + textOf(tool_plan)
  return {
    role,
    content: Array.isArray(content) ? said : (content ?? null),
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(Array.isArray(tool_calls) && { tool_calls }),
  }
}

function toTool(tool: JsonObject, strict: unknown): JsonObject {
  if (strict === undefined || !isObject(tool['function'])) return tool
  return { ...tool, function: { ...tool['function'], strict } }
}

function responseFormat(format: unknown): JsonObject {
  if (!isObject(format)) return {}
  const schema = format['json_schema'] ?? format['schema']
  if (schema === undefined) return { response_format: format }
  return { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } } }
}

/** The request for vectors. */
function fromCohereEmbedding(body: JsonObject): JsonObject {
  const { texts, images, output_dimension, ...rest } = body
  const pictures = Array.isArray(images)
    ? images.map((url: unknown) => ({ type: 'image_url', image_url: { url } }))
    : undefined
  return {
    ...rest,
    input: texts ?? pictures,
    ...(output_dimension !== undefined && { dimensions: output_dimension }),
  }
}

const finishes: Readonly<Record<string, string>> = { COMPLETE: 'stop', STOP_SEQUENCE: 'stop', TOOL_CALL: 'tool_calls' }

/** Reads a whole answer or the events of a streamed one: https://docs.cohere.com/reference/chat */
function readCohereAnswer(payloads: readonly unknown[], streamed: boolean): Answer {
  const answer = streamed ? fromEvents(payloads.filter(isObject)) : payloads[0]
  const message = at(answer, 'message')
  // An answer that ends with an error is none.
  if (!isObject(message) || at(answer, 'finish_reason') === 'ERROR') return { choices: new Map(), usage: undefined }
  const toolCalls = objectsIn(message['tool_calls']).map(toCall)
  const parts = objectsIn(message['content'])
  const reason = stringOf(at(answer, 'finish_reason'))
  const choice = {
    text: parts.map((part) => textOf(part['text'])).join(''),
    reasoning: textOf(message['tool_plan']) + parts.map((part) => textOf(part['thinking'])).join(''),
    images: 0,
    toolCalls,
    finish: reason === undefined ? undefined : finishReasonOf(finishes[reason] ?? reason, toolCalls.length),
  }
  return { choices: new Map([[0, choice]]), usage: readUsage(at(answer, 'usage')) }
}

function toCall(call: JsonObject): CalledTool {
  const written = textOf(at(call, 'function', 'arguments'))
  return {
    id: stringOf(call['id']),
    name: textOf(at(call, 'function', 'name')),
    arguments: written === '' || written === 'null' ? '{}' : written,
  }
}

function fromEvents(events: readonly JsonObject[]): JsonObject {
  const content: JsonObject[] = []
  const calls = new Map<unknown, { id: unknown; name: unknown; arguments: string }>()
  let plan = ''
  let end: JsonObject = {}
  for (const { type, index, delta } of events) {
    const message = at(delta, 'message')
    const part = at(message, 'content')
    if (isObject(part)) content.push(part)
    plan += textOf(at(message, 'tool_plan'))
    const call = at(message, 'tool_calls')
    const written = textOf(at(call, 'function', 'arguments'))
    if (type === 'tool-call-start') {
      calls.set(index, { id: at(call, 'id'), name: at(call, 'function', 'name'), arguments: written })
    }
    const open = calls.get(index)
    if (type === 'tool-call-delta' && open) open.arguments += written
    if (type === 'message-end' && isObject(delta)) end = delta
  }
  return {
    finish_reason: end['finish_reason'],
    usage: end['usage'],
    message: {
      content,
      tool_plan: plan,
      tool_calls: [...calls.values()].map(({ id, ...called }) => ({ id, function: called })),
    },
  }
}

function readUsage(usage: unknown): AnsweredUsage | undefined {
  const [prompt, completion] = [at(usage, 'tokens', 'input_tokens'), at(usage, 'tokens', 'output_tokens')].map(numberOf)
  if (prompt === undefined || completion === undefined) return undefined
  return { prompt, completion, total: prompt + completion }
}
