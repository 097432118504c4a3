import { expect } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import { bedrockProtocol } from '../../../src/providers/bedrock/protocol.js'
import type { Codec, Exchange, StreamDecoder } from '../../../src/protocols/protocol.js'
import type { UpstreamRequest } from '../../../src/upstream/message.js'
import { createEventDecoder } from '../../../src/upstream/framing.js'
import { type ChatChunk, type ChatCompletion, ChatRequest } from '../../../src/wire/chat.js'
import { isObject, type JsonObject, parseJson } from '../../../src/wire/json.js'
import { converseRefusals } from '../../protocols/bedrock-converse/strict-rules.js'
import { deploymentOf } from '../../support/deployment.js'

/** Makes every write to a value, however deep, a TypeError. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}

export const claude = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'

/** Bedrock's codec of chat. */
export function chat(): Codec<'chat'> {
  const { chat: codec } = bedrockProtocol.codecs
  if (!codec) throw new Error('the protocol has no chat codec')
  return codec
}

/** A frozen exchange, parsed as the gateway parses. */
export function exchangeOf(request: JsonObject, changes: Partial<Deployment> = {}): Exchange<'chat'> {
  const parsed = ChatRequest.parse({ model: 'm', messages: [{ role: 'user', content: 'Hello' }], ...request })
  const deployment = deploymentOf({ provider: 'bedrock', model: claude, apiKey: undefined, ...changes })
  return deepFreeze({ request: parsed, deployment, id: 'AbCdEfGhIjKlMnOpQrStUvWx', created: 1_760_000_000 })
}

/** What is sent, and its body. */
export interface Encoded {
  readonly sent: UpstreamRequest
  readonly body: JsonObject
}

/** Encodes, and insists that Converse would take the result. */
export function encode(request: JsonObject, changes: Partial<Deployment> = {}): Encoded {
  const sent = chat().encode(exchangeOf(request, changes))
  const body = parseJson(String(sent.body))
  if (!isObject(body)) throw new Error('the body is no object')
  if (sent.path.includes('/converse')) expect(converseRefusals(body)).toEqual([])
  return { sent, body }
}

/** A whole answer of Converse. */
export function answerOf(content: readonly JsonObject[], rest: JsonObject = {}): JsonObject {
  return {
    output: { message: { role: 'assistant', content } },
    stopReason: 'end_turn',
    usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 },
    metrics: { latencyMs: 100 },
    ...rest,
  }
}

/** Decodes a whole answer, frozen. */
export function decode(body: unknown, request: JsonObject = {}, changes: Partial<Deployment> = {}): ChatCompletion {
  return chat().decode(deepFreeze(body), exchangeOf(request, changes))
}

/** Starts a stream. */
export function startStream(request: JsonObject = {}, changes: Partial<Deployment> = {}): StreamDecoder<ChatChunk> {
  const decoder = chat().decodeStream?.(exchangeOf({ stream: true, ...request }, changes))
  if (!decoder) throw new Error('the codec has no stream')
  return decoder
}

/** The chunks of a stream of AWS messages, cut as given. */
export function streamChunks(
  pieces: readonly Buffer[],
  request: JsonObject = {},
  changes: Partial<Deployment> = {},
): readonly ChatChunk[] {
  const decoder = startStream(request, changes)
  const events = createEventDecoder('application/vnd.amazon.eventstream')
  const parts = [
    ...pieces.flatMap((piece) => events.push(piece).flatMap((event) => decoder.push(event))),
    ...events.end().flatMap((event) => decoder.push(event)),
    ...decoder.end(),
  ]
  return parts.map(({ chunk }) => {
    if (!chunk) throw new Error('a translated stream forwards nothing')
    return chunk
  })
}

/** What a client puts together from chunks. */
export function gather(chunks: readonly ChatChunk[]) {
  const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))
  const calls: { id: string; name: string; arguments: string }[] = []
  for (const { index, id, function: made } of deltas.flatMap(({ tool_calls }) => tool_calls ?? [])) {
    const known = (calls[index] ??= { id: id ?? '', name: made?.name ?? '', arguments: '' })
    known.arguments += made?.arguments ?? ''
  }
  return {
    text: deltas.map(({ content }) => content ?? '').join(''),
    reasoning: deltas.map(({ reasoning_content }) => reasoning_content ?? '').join(''),
    thinking: deltas.flatMap(({ thinking_blocks }) => thinking_blocks ?? []),
    calls,
    finish: chunks.flatMap(({ choices }) => choices.flatMap(({ finish_reason }) => finish_reason ?? [])),
    usage: chunks.at(-1)?.usage,
  }
}
