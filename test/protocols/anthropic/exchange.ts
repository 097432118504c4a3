import { expect } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import { anthropicProtocol } from '../../../src/protocols/anthropic/index.js'
import type { Codec, Exchange, StreamDecoder, StreamPart } from '../../../src/protocols/protocol.js'
import type { UpstreamRequest } from '../../../src/upstream/message.js'
import type { ChatChunk, ChatCompletion, ToolCall } from '../../../src/wire/chat.js'
import { ChatRequest } from '../../../src/wire/chat.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { isObject } from '../../../src/wire/json.js'
import { refusals } from './strict-rules.js'

/** The codec under test. */
export function chat(): Codec<'chat'> {
  const { chat: codec } = anthropicProtocol.codecs
  if (!codec) throw new Error('the protocol has no chat codec')
  return codec
}

/** Makes every write to a value, however deep, a TypeError. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}

/** A deployment of Claude with nothing special about it. */
export function deploymentOf(overrides: Partial<Deployment> = {}): Deployment {
  return {
    id: 'deployment-1',
    modelName: 'smart',
    provider: 'anthropic',
    model: 'claude-sonnet-4-5',
    apiKey: undefined,
    baseUrl: undefined,
    apiVersion: undefined,
    organization: undefined,
    settings: {},
    headers: {},
    params: {},
    timeouts: { connect: 0, headers: 0, firstToken: 0, idle: 0, total: 0 },
    headersTimeoutSet: false,
    weight: 1,
    order: 0,
    rpm: undefined,
    tpm: undefined,
    maxParallelRequests: undefined,
    tags: [],
    region: undefined,
    cooldownMs: undefined,
    prices: undefined,
    dropParams: false,
    capabilities: {},
    info: {},
    ...overrides,
  }
}

/** A frozen exchange, parsed as the gateway parses; `request` needs no model and, by default, no messages. */
export function exchangeOf(request: JsonObject, deployment: Partial<Deployment> = {}): Exchange<'chat'> {
  const parsed = ChatRequest.parse({ model: 'smart', messages: [{ role: 'user', content: 'Hello' }], ...request })
  return deepFreeze({
    request: parsed,
    deployment: deploymentOf(deployment),
    id: 'AbCdEfGhIjKlMnOpQrStUvWx',
    created: 1_760_000_000,
  })
}

/** An encoded request and its body. */
export interface Encoded {
  readonly upstream: UpstreamRequest
  readonly body: JsonObject
}

/** Encodes and insists that the real API would take the result. */
export function encode(request: JsonObject, deployment: Partial<Deployment> = {}): Encoded {
  const upstream = chat().encode(exchangeOf(request, deployment))
  const body: unknown = JSON.parse(String(upstream.body))
  if (!isObject(body)) throw new Error('the body is no object')
  expect(refusals(body, upstream.headers['anthropic-beta'])).toEqual([])
  return { upstream, body }
}

/** An answer of the Messages API. */
export function messageOf(content: readonly JsonObject[], rest: JsonObject = {}): JsonObject {
  return {
    id: 'msg_01',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5-20250929',
    content,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 5 },
    ...rest,
  }
}

/** Decodes a whole answer, frozen. */
export function decode(body: unknown, request: JsonObject = {}, deployment: Partial<Deployment> = {}): ChatCompletion {
  return chat().decode(deepFreeze(body), exchangeOf(request, deployment))
}

/** Starts a stream decoder. */
export function startStream(request: JsonObject = {}, deployment: Partial<Deployment> = {}): StreamDecoder<ChatChunk> {
  const decoder = chat().decodeStream?.(exchangeOf(request, deployment))
  if (!decoder) throw new Error('the codec has no stream')
  return decoder
}

function chunksOf(parts: readonly StreamPart<ChatChunk>[]): readonly ChatChunk[] {
  return parts.map((part) => {
    if (!part.chunk) throw new Error('a translated stream forwards nothing')
    return part.chunk
  })
}

/** Decodes a stream of events to its end. */
export function streamChunks(
  events: readonly JsonObject[],
  request: JsonObject = {},
  deployment: Partial<Deployment> = {},
): readonly ChatChunk[] {
  const decoder = startStream(request, deployment)
  const parts = events.flatMap((event) =>
    decoder.push({ event: String(event['type']), data: JSON.stringify(event), frame: undefined }),
  )
  return chunksOf([...parts, ...decoder.end()])
}

/** How a block reaches a client in pieces; `cut` says where to cut a text. */
function deltasOf(block: JsonObject, cut: (text: string) => readonly string[]): readonly JsonObject[] {
  const pieces = (type: string, member: string, text: unknown): readonly JsonObject[] =>
    cut(String(text)).map((piece) => ({ type, [member]: piece }))
  switch (block['type']) {
    case 'text': {
      const citations = Array.isArray(block['citations']) ? block['citations'] : []
      return [
        ...citations.map((citation: unknown) => ({ type: 'citations_delta', citation })),
        ...pieces('text_delta', 'text', block['text']),
      ]
    }
    case 'thinking':
      return [
        ...pieces('thinking_delta', 'thinking', block['thinking']),
        { type: 'signature_delta', signature: block['signature'] },
      ]
    case 'tool_use':
    case 'server_tool_use': {
      const empty = isObject(block['input']) && Object.keys(block['input']).length === 0
      return empty ? [] : pieces('input_json_delta', 'partial_json', JSON.stringify(block['input']))
    }
    default:
      return []
  }
}

const starts: Readonly<Record<string, JsonObject>> = {
  text: { text: '' },
  thinking: { thinking: '', signature: '' },
  tool_use: { input: {} },
  server_tool_use: { input: {} },
}

/** The events in which the API would stream an answer. */
export function eventsOf(
  message: JsonObject,
  cut: (text: string) => readonly string[] = (text) => [text],
): JsonObject[] {
  const { content, stop_reason: stopReason, stop_sequence: stopSequence, usage, ...head } = message
  const blocks = Array.isArray(content) ? content.filter(isObject) : []
  const { output_tokens: outputTokens, ...input } = isObject(usage) ? usage : {}
  return [
    {
      type: 'message_start',
      message: { ...head, content: [], stop_reason: null, usage: { ...input, output_tokens: 1 } },
    },
    { type: 'ping' },
    ...blocks.flatMap((block, index): readonly JsonObject[] => {
      const { citations: _, ...plain } = block
      const start = { ...plain, ...starts[String(block['type'])] }
      return [
        { type: 'content_block_start', index, content_block: start },
        ...deltasOf(block, cut).map((delta) => ({ type: 'content_block_delta', index, delta })),
        { type: 'content_block_stop', index },
      ]
    }),
    {
      type: 'message_delta',
      delta: { stop_reason: stopReason, stop_sequence: stopSequence },
      usage: { output_tokens: outputTokens },
    },
    { type: 'message_stop' },
  ]
}

interface Gathered {
  readonly message: Record<string, unknown>
  readonly calls: ToolCall[]
}

function gather({ message, calls }: Gathered, delta: JsonObject): void {
  for (const [name, value] of Object.entries(delta)) {
    const known = message[name]
    if (name === 'tool_calls') continue
    if (typeof value === 'string' && name !== 'role')
      message[name] = `${typeof known === 'string' ? known : ''}${value}`
    else if (Array.isArray(value)) message[name] = [...(Array.isArray(known) ? known : []), ...value]
    else if (isObject(value)) {
      const merged: Gathered = { message: { ...(isObject(known) ? known : {}) }, calls }
      gather(merged, value)
      message[name] = merged.message
    } else message[name] = value
  }
  for (const piece of Array.isArray(delta['tool_calls']) ? delta['tool_calls'].filter(isObject) : []) {
    const index = Number(piece['index'])
    const made = isObject(piece['function']) ? piece['function'] : {}
    const known = calls[index]
    if (known?.function) known.function.arguments += String(made['arguments'])
    else
      calls[index] = {
        id: String(piece['id']),
        type: 'function',
        function: { name: String(made['name']), arguments: '' },
      }
  }
}

/** Puts a stream together as an accumulating client does: the whole answer it stands for. */
export function assemble(chunks: readonly ChatChunk[]): ChatCompletion {
  const gathered: Gathered = { message: { role: 'assistant', content: null, refusal: null }, calls: [] }
  const choices = chunks.flatMap((chunk) => chunk.choices)
  for (const choice of choices) gather(gathered, choice.delta)
  const [first] = chunks
  const finish = choices.filter((choice) => choice.finish_reason !== null)
  expect(finish).toHaveLength(1)
  const last = chunks.at(-1)
  const message = { ...gathered.message, ...(gathered.calls.length > 0 && { tool_calls: gathered.calls }) }
  return {
    id: first?.id ?? '',
    object: 'chat.completion',
    created: first?.created ?? 0,
    model: first?.model ?? '',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: null, ...message },
        finish_reason: finish[0]?.finish_reason ?? 'stop',
        logprobs: null,
      },
    ],
    ...(last?.usage && { usage: last.usage }),
  }
}
