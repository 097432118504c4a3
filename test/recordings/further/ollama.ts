import { isObject, numberOf, stringOf, type JsonObject } from '../../../src/wire/json.js'
import { finishReasonOf, type Answer, type AnsweredUsage, type CalledTool } from '../answer.js'
import { absent, isEmpty, type Equivalence } from '../equivalence.js'
import { at, objectsIn, textOf } from '../exchange.js'
import type { FurtherDialect } from './dialect.js'

const sampling = ['temperature', 'top_p', 'seed', 'stop']

/** Where Ollama is sent something else than was recorded; see https://docs.ollama.com/api */
const ollamaEquivalences: readonly Equivalence[] = [
  {
    name: 'sampling among the options',
    reason: 'outside of them the server does not look at it',
    holds: ({ path, recorded, sent }, body) =>
      sent === undefined &&
      (sampling.some((name) => path === `.${name}` && at(body.sent, 'options', name) === recorded) ||
        (path === '.max_tokens' && at(body.sent, 'options', 'num_predict') === recorded)),
  },
  absent('no options', 'an empty object sets none, and null neither', /^\.options$/, (value) =>
    isObject(value) ? Object.values(value).every((option) => option === null) : false,
  ),
  absent('no format', 'an empty text asks for none', /^\.format$/, isEmpty),
  absent('no pictures', 'an empty list shows none', /\.images$/, isEmpty),
  {
    name: 'nothing said',
    reason: 'null and an empty text are the same to the server',
    holds: ({ path, recorded, sent }) => path.endsWith('.content') && recorded === null && sent === '',
  },
  absent('no tools', 'an empty list offers none', /^\.tools$/, isEmpty),
  absent(
    'the type of a call',
    'a function is the only kind that there is',
    /\.tool_calls\[\d+\]\.type$/,
    (value) => value === 'function',
  ),
  {
    name: 'embed instead of embeddings',
    reason: 'the older API embeds one text and was replaced by the one for many',
    holds: ({ path, recorded }, body) => path === '.prompt' && body.sent['input'] === recorded,
  },
  {
    name: 'a picture of nothing',
    reason: 'null is no picture; an empty one is refused just the same',
    holds: ({ path, recorded, sent }) => path.endsWith('.images[0]') && recorded === null && sent === '',
  },
]

/** Ollama's own API, chat, generate and both ways to vectors: https://docs.ollama.com/api */
export const ollama: FurtherDialect = {
  request: ({ request, response }, { operation }) => {
    const streamed = response.format === 'ndjson' ? { stream: true } : {}
    if (operation === 'embeddings') return request ? fromOllamaEmbedding(request.body) : { input: 'hi' }
    if (request) return fromOllamaRequest(request.body)
    return operation === 'chat'
      ? { messages: [{ role: 'user', content: 'hi' }], ...streamed }
      : { prompt: 'hi', ...streamed }
  },
  answer: readOllamaAnswer,
  data: (recorded) => {
    const list = at(recorded, 'embeddings') ?? [at(recorded, 'embedding')]
    return Array.isArray(list) ? list.map((embedding: unknown) => ({ embedding })) : []
  },
  otherPath: ({ entry }) => entry.api === 'ollama.embeddings',
  equivalences: ollamaEquivalences,
}

/**
 * The request in OpenAI's format that means what a recorded request of Ollama means (https://docs.ollama.com/api).
 * Members that OpenAI has no word for stay as they are.
 */
function fromOllamaRequest(body: JsonObject): JsonObject {
  const { messages, options, format, think, stream, ...rest } = body
  return {
    ...rest,
    ...(Array.isArray(messages) && { messages: toMessages(objectsIn(messages)) }),
    ...parameters(isObject(options) ? options : {}),
    ...responseFormat(format),
    ...(think !== undefined && { reasoning_effort: think === false ? 'none' : 'medium' }),
    // The server streams where it is not told otherwise.
    stream: stream !== false,
  }
}

/** The request for vectors; the older API calls its text a prompt. */
function fromOllamaEmbedding({ prompt, input, ...rest }: JsonObject): JsonObject {
  return { ...rest, input: input ?? prompt }
}

function toMessages(messages: readonly JsonObject[]): readonly JsonObject[] {
  const open: string[] = []
  let count = 0
  const idOf = (call: JsonObject): string => {
    const id = stringOf(call['id']) ?? `call_${count++}`
    open.push(id)
    return id
  }
  return messages.map(({ role, content, images, thinking, tool_calls, tool_call_id, tool_name }) => {
    if (role === 'tool') {
      return { role, content, tool_call_id: tool_call_id ?? open.shift() ?? 'call', name: tool_name }
    }
    const calls = objectsIn(tool_calls).map((call) => toToolCall(call, idOf))
    return {
      role,
      content: toContent(content, images),
      ...(thinking !== undefined && { reasoning_content: thinking }),
      ...(calls.length > 0 && { tool_calls: calls }),
    }
  })
}

function toContent(content: unknown, images: unknown): unknown {
  if (!Array.isArray(images)) return content ?? ''
  const pictures = images.map((image: unknown) => ({
    type: 'image_url',
    image_url: { url: `data:image/png;base64,${textOf(image)}` },
  }))
  return textOf(content) === '' ? pictures : [{ type: 'text', text: content }, ...pictures]
}

function toToolCall(call: JsonObject, idOf: (call: JsonObject) => string): JsonObject {
  const called = isObject(call['function']) ? call['function'] : {}
  return {
    id: idOf(call),
    type: 'function',
    function: { name: called['name'], arguments: JSON.stringify(called['arguments'] ?? {}) },
  }
}

function parameters({ num_predict, ...others }: JsonObject): JsonObject {
  return { ...others, ...(num_predict !== undefined && { max_tokens: num_predict }) }
}

function responseFormat(format: unknown): JsonObject {
  if (format === 'json') return { response_format: { type: 'json_object' } }
  if (!isObject(format)) return {}
  return { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: format } } }
}

/** Reads a whole answer or the lines of a streamed one, of chat and of generate: https://docs.ollama.com/api */
function readOllamaAnswer(payloads: readonly unknown[]): Answer {
  const pieces = payloads.filter(isObject)
  if (pieces.length === 0) return { choices: new Map(), usage: undefined }
  const toolCalls = pieces.flatMap((piece) => objectsIn(at(piece, 'message', 'tool_calls')).map(toCall))
  const last = pieces.find((piece) => piece['done'] === true)
  const reason = last && stringOf(last['done_reason'])
  const choice = {
    text: pieces.map((piece) => textOf(at(piece, 'message', 'content')) + textOf(piece['response'])).join(''),
    reasoning: pieces.map((piece) => textOf(at(piece, 'message', 'thinking'))).join(''),
    images: 0,
    toolCalls,
    finish: last === undefined ? undefined : finishReasonOf(reason ?? 'stop', toolCalls.length),
  }
  return { choices: new Map([[0, choice]]), usage: last && readUsage(last) }
}

function toCall(call: JsonObject): CalledTool {
  return {
    id: stringOf(call['id']),
    name: textOf(at(call, 'function', 'name')),
    arguments: JSON.stringify(at(call, 'function', 'arguments') ?? {}),
  }
}

function readUsage(last: JsonObject): AnsweredUsage | undefined {
  const completion = numberOf(last['eval_count'])
  if (completion === undefined) return undefined
  // A prompt that is still in the server's memory is not counted.
  const prompt = numberOf(last['prompt_eval_count']) ?? 0
  return { prompt, completion, total: prompt + completion }
}
