import { expect } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import { geminiProtocol } from '../../../src/protocols/gemini/index.js'
import type { Exchange, Protocol, StreamPart } from '../../../src/protocols/protocol.js'
import type { UpstreamEvent } from '../../../src/upstream/message.js'
import { ChatRequest, type ChatChunk, type ChatCompletion } from '../../../src/wire/chat.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import type { Operation, Operations } from '../../../src/wire/operations.js'
import { brokenRules } from './strict-rules.js'

/** Freezes a value and all within it, so that a codec that writes to its input throws. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}

/** A deployment of a Gemini model, with what a test changes. */
export function deploymentOf(changes: Partial<Deployment> = {}): Deployment {
  return {
    id: 'deployment-1',
    modelName: 'group',
    provider: 'gemini',
    model: 'gemini-2.5-flash',
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
    order: 1,
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
    ...changes,
  }
}

/** One frozen exchange, as the codecs get it. */
export function exchangeOf<K extends Operation>(
  request: Operations[K]['request'],
  changes: Partial<Deployment> = {},
): Exchange<K> {
  return deepFreeze({
    request,
    deployment: deploymentOf(changes),
    id: 'Abcdefghijkl0123456789Zz',
    created: 1_700_000_000,
  })
}

/** What an encoded chat request looks like on the wire. */
export interface Encoded {
  readonly path: string
  readonly body: JsonObject
  readonly dropped: readonly string[]
}

/** A request of chat as a client writes it; `messages` is "hello" unless the test is about messages. */
export function chatRequest(fields: JsonObject): ChatRequest {
  return ChatRequest.parse({ model: 'group', messages: [{ role: 'user', content: 'hello' }], ...fields })
}

/** Encodes a frozen chat request and holds the result against the API's own rules. */
export function encodeChat(
  fields: JsonObject,
  changes: Partial<Deployment> = {},
  protocol: Protocol = geminiProtocol,
): Encoded {
  const exchange = exchangeOf<'chat'>(chatRequest(fields), changes)
  const sent = chatCodec(protocol).encode(exchange)
  const body: unknown = JSON.parse(String(sent.body))
  if (!isObject(body)) throw new Error('the body is no object')
  expect(brokenRules(sent.path, body)).toEqual([])
  return { path: sent.path, body, dropped: sent.droppedParams }
}

/** The chat codec of a protocol. */
export function chatCodec(protocol: Protocol = geminiProtocol) {
  const codec = protocol.codecs.chat
  if (!codec) throw new Error('no chat codec')
  return codec
}

/** Decodes a whole answer. */
export function decodeChat(body: unknown, fields: JsonObject = {}, changes: Partial<Deployment> = {}): ChatCompletion {
  return chatCodec().decode(deepFreeze(body), exchangeOf<'chat'>(chatRequest(fields), changes))
}

/** One event of a stream. */
export function eventOf(data: unknown): UpstreamEvent {
  return { event: '', data: typeof data === 'string' ? data : JSON.stringify(data), frame: undefined }
}

/** Starts decoding a stream. */
export function startStream(fields: JsonObject = {}, changes: Partial<Deployment> = {}) {
  const decoder = chatCodec().decodeStream?.(exchangeOf<'chat'>(chatRequest({ stream: true, ...fields }), changes))
  if (!decoder) throw new Error('no stream decoder')
  return decoder
}

/** All chunks of a stream of events. */
export function decodeStream(
  events: readonly unknown[],
  fields: JsonObject = {},
  changes: Partial<Deployment> = {},
): readonly ChatChunk[] {
  const decoder = startStream(fields, changes)
  const parts: StreamPart<ChatChunk>[] = events.flatMap((data) => [...decoder.push(eventOf(data))])
  return [...parts, ...decoder.end()].flatMap(({ chunk }) => (chunk ? [chunk] : []))
}

/** The message that a client makes of a choice's deltas, in the fields that Gemini can fill. */
export function assemble(chunks: readonly ChatChunk[], choice = 0) {
  const message = {
    role: undefined as string | undefined,
    content: '',
    reasoning: '',
    blocks: [] as unknown[],
    calls: [] as { id: string; name: string; arguments: string; signature: unknown }[],
    images: [] as unknown[],
    audio: '',
    annotations: [] as unknown[],
    fields: {} as JsonObject,
    finish: [] as string[],
  }
  for (const chunk of chunks) {
    for (const { index, delta, finish_reason: finish } of chunk.choices) {
      if (index !== choice) continue
      message.role ??= delta.role
      message.content += delta.content ?? ''
      message.reasoning += delta.reasoning_content ?? ''
      message.blocks.push(...(delta.thinking_blocks ?? []))
      for (const call of delta.tool_calls ?? []) {
        const known = message.calls[call.index] ?? { id: '', name: '', arguments: '', signature: undefined }
        message.calls[call.index] = known
        known.id += call.id ?? ''
        known.name += call.function?.name ?? ''
        known.arguments += call.function?.arguments ?? ''
        const fields = call['provider_specific_fields']
        if (isObject(fields)) known.signature = fields['thought_signature']
      }
      if (Array.isArray(delta['images'])) message.images.push(...delta['images'])
      if (isObject(delta['audio'])) {
        const piece = Buffer.from(String(delta['audio']['data']), 'base64')
        message.audio = Buffer.concat([Buffer.from(message.audio, 'base64'), piece]).toString('base64')
      }
      if (Array.isArray(delta['annotations'])) message.annotations.push(...delta['annotations'])
      message.fields = mergeFields(message.fields, delta['provider_specific_fields'])
      if (finish !== null) message.finish.push(finish)
    }
  }
  return message
}

function mergeFields(known: JsonObject, added: unknown): JsonObject {
  if (!isObject(added)) return known
  const lists = Object.entries(added).map(([name, value]) => {
    const before = known[name]
    return [name, Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value] as const
  })
  return { ...known, ...Object.fromEntries(lists) }
}

/** A whole message in the same form as `assemble` gives. */
export function flatten(answer: ChatCompletion, choice = 0): ReturnType<typeof assemble> {
  const found = answer.choices.find(({ index }) => index === choice)
  if (!found) throw new Error(`no choice ${choice}`)
  const { message } = found
  const audio = message.audio?.['data']
  return {
    role: message.role,
    content: message.content ?? '',
    reasoning: message.reasoning_content ?? '',
    blocks: message.thinking_blocks ?? [],
    calls: (message.tool_calls ?? []).map((call) => ({
      id: call.id,
      name: call.function?.name ?? '',
      arguments: call.function?.arguments ?? '',
      signature: call.provider_specific_fields?.thought_signature,
    })),
    images: message.images ?? [],
    audio: typeof audio === 'string' ? audio : '',
    annotations: message.annotations ?? [],
    fields: message.provider_specific_fields ?? {},
    finish: [found.finish_reason],
  }
}

/** A response with one candidate. */
export function responseOf(
  parts: readonly JsonObject[],
  candidate: JsonObject = {},
  rest: JsonObject = {},
): JsonObject {
  return {
    candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0, ...candidate }],
    modelVersion: 'gemini-2.5-flash',
    responseId: 'response-1',
    ...rest,
  }
}

/** What a call throws. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
