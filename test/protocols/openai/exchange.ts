import type { Deployment } from '../../../src/deployment.js'
import { openaiProtocol } from '../../../src/protocols/openai/index.js'
import type { Quirks } from '../../../src/protocols/openai/quirks.js'
import type { Codec, Exchange, StreamDecoder, StreamPart } from '../../../src/protocols/protocol.js'
import type { UpstreamEvent, UpstreamRequest } from '../../../src/upstream/message.js'
import type { ChatChunk, ChatRequest } from '../../../src/wire/chat.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import type { Operation, Operations } from '../../../src/wire/operations.js'

/** A deployment of a provider called `acme`. */
export function deploymentOf(changes: Partial<Deployment> = {}): Deployment {
  return {
    id: 'd1',
    modelName: 'fast',
    provider: 'acme',
    model: 'acme-large',
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

/** One exchange, its request frozen at every depth: a codec that changes it throws. */
export function exchangeOf<K extends Operation>(
  request: Operations[K]['request'],
  changes: Partial<Deployment> = {},
): Exchange<K> {
  return {
    request: deepFreeze(request),
    deployment: deepFreeze(deploymentOf(changes)),
    id: 'abcdefghijklmnopqrstuvwx',
    created: 1_750_000_000,
  }
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}

const defined = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('not defined')
  return value
}

/** The codec of one operation of a provider with these quirks. */
export function codecOf<K extends Operation>(operation: K, quirks: Quirks = {}): Codec<K> {
  return defined<Codec<K>>(openaiProtocol(quirks).codecs[operation])
}

/** What is sent for a chat request: the request itself and its parsed body. */
export function encodeChat(
  fields: Partial<ChatRequest> & JsonObject,
  quirks: Quirks = {},
  changes: Partial<Deployment> = {},
): { readonly sent: UpstreamRequest; readonly body: JsonObject } {
  const request = { model: 'fast', messages: [{ role: 'user', content: 'hi' }], ...fields } as ChatRequest
  const sent = codecOf('chat', quirks).encode(exchangeOf<'chat'>(request, changes))
  return { sent, body: bodyOf(sent) }
}

/** The JSON body of a request. */
export function bodyOf(request: UpstreamRequest): JsonObject {
  const body: unknown = JSON.parse(String(request.body))
  if (!isObject(body)) throw new Error('no object')
  return body
}

/** An event as the SSE decoder gives it for `data: <text>`, with the frame that allows forwarding unless told otherwise. */
export function eventOf(data: unknown, framed = true): UpstreamEvent {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  return { event: '', data: text, frame: framed ? Buffer.from(`data: ${text}\n\n`) : undefined }
}

/** Decodes a chat stream of these events. */
export function chatStream(quirks: Quirks = {}, fields: Partial<ChatRequest> = {}): StreamDecoder<ChatChunk> {
  const request: ChatRequest = { model: 'fast', messages: [{ role: 'user', content: 'hi' }], stream: true, ...fields }
  return defined(codecOf('chat', quirks).decodeStream?.(exchangeOf<'chat'>(request)))
}

/** Everything a decoder gives for these events, forwarded ones parsed. */
export function readAll<Chunk>(decoder: StreamDecoder<Chunk>, events: readonly UpstreamEvent[]): Chunk[] {
  const parts = [...events.flatMap((event) => decoder.push(event)), ...decoder.end()]
  return parts.map(chunkOf)
}

export function chunkOf<Chunk>(part: StreamPart<Chunk>): Chunk {
  if (part.chunk !== undefined) return part.chunk
  if (!part.forward?.frame) throw new Error('a part with neither chunk nor frame')
  return JSON.parse(part.forward.data) as Chunk
}

/** A chat chunk of the provider, as OpenAI writes it. */
export function chunkEvent(delta: JsonObject, rest: JsonObject = {}, choice: JsonObject = {}): JsonObject {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1_740_000_000,
    model: 'acme-large',
    choices: [{ index: 0, delta, finish_reason: null, ...choice }],
    ...rest,
  }
}

/** The message that a stream's chunks add up to, per choice. */
export interface Gathered {
  roles: number
  content: string
  reasoning: string
  refusal: string
  calls: { id: string; name: string; arguments: string }[]
  finishes: string[]
}

/** Adds up chunks as OpenAI's own client does, and notes what it must not see twice. */
export function gather(chunks: readonly ChatChunk[]): Map<number, Gathered> {
  const choices = new Map<number, Gathered>()
  for (const { index, delta, finish_reason: finish } of chunks.flatMap((chunk) => chunk.choices)) {
    const known = choices.get(index) ?? { roles: 0, content: '', reasoning: '', refusal: '', calls: [], finishes: [] }
    choices.set(index, known)
    if (delta.role !== undefined) known.roles += 1
    known.content += delta.content ?? ''
    known.reasoning += delta.reasoning_content ?? ''
    known.refusal += delta.refusal ?? ''
    for (const call of delta.tool_calls ?? []) {
      const at = known.calls[call.index] ?? { id: '', name: '', arguments: '' }
      known.calls[call.index] = at
      at.id += call.id ?? ''
      at.name += call.function?.name ?? ''
      at.arguments += call.function?.arguments ?? ''
    }
    if (finish !== null) known.finishes.push(finish)
  }
  return choices
}
