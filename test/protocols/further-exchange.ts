import { toGatewayError, type GatewayError } from '../../src/errors.js'
import type { Deployment } from '../../src/deployment.js'
import type { Codec, Exchange, Protocol } from '../../src/protocols/protocol.js'
import type { UpstreamEvent, UpstreamRequest } from '../../src/upstream/message.js'
import { isObject, type JsonObject } from '../../src/wire/json.js'
import type { Operation, Operations } from '../../src/wire/operations.js'
import { exchangeOf, readAll } from './openai/exchange.js'

/** The codec of an operation. */
export function codecIn<K extends Operation>(protocol: Protocol, operation: K): Codec<K> {
  const codec: Codec<K> | undefined = protocol.codecs[operation]
  if (!codec) throw new Error(`no codec for ${operation}`)
  return codec
}

/** What is sent, as JSON where it is JSON. */
export interface Encoded {
  readonly sent: UpstreamRequest
  readonly body: JsonObject
}

/** Encodes a request, frozen at every depth, whose plain members are filled in. */
export function encode<K extends Operation>(
  codec: Codec<K>,
  operation: K,
  fields: JsonObject,
  changes: Partial<Deployment> = {},
): Encoded {
  const sent = codec.encode(exchange(operation, fields, changes))
  let body: unknown
  try {
    body = JSON.parse(String(sent.body))
  } catch {
    body = {}
  }
  return { sent, body: isObject(body) ? body : {} }
}

const plain: Readonly<Record<Operation, JsonObject>> = {
  chat: { model: 'fast', messages: [{ role: 'user', content: 'hi' }] },
  completions: { model: 'fast', prompt: 'hi' },
  embeddings: { model: 'fast', input: 'hi' },
  images: { model: 'fast', prompt: 'a cat' },
  moderations: { model: 'fast', input: 'hi' },
}

/** An exchange whose request has these members. */
export function exchange<K extends Operation>(
  operation: K,
  fields: JsonObject = {},
  changes: Partial<Deployment> = {},
): Exchange<K> {
  return exchangeOf<K>({ ...plain[operation], ...fields } as Operations[K]['request'], changes)
}

/** An event as the SSE decoder gives it. */
export const event = (data: unknown, name = ''): UpstreamEvent => ({
  event: name,
  data: typeof data === 'string' ? data : JSON.stringify(data),
  frame: undefined,
})

/** Everything that a codec gives for a stream of these events. */
export function stream<K extends Operation>(
  codec: Codec<K>,
  of: Exchange<K>,
  events: readonly unknown[],
): Operations[K]['chunk'][] {
  const decoder = codec.decodeStream?.(of)
  if (!decoder) throw new Error('the codec does not stream')
  return readAll(
    decoder,
    events.map((data) => event(data)),
  )
}

/** The error that something throws. */
export function thrownBy(work: () => unknown): GatewayError {
  try {
    work()
  } catch (error) {
    return toGatewayError(error)
  }
  throw new Error('nothing was thrown')
}
