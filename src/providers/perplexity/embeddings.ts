import type { Codec } from '../../protocols/protocol.js'
import { isObject } from '../../wire/json.js'

/** Perplexity's vectors are base64 of signed bytes, 127 standing for 1; they become numbers, as everyone else's are. */
export function withByteVectors(base: Codec<'embeddings'>): Codec<'embeddings'> {
  return { ...base, decode: (body, exchange) => base.decode(toNumbers(body), exchange) }
}

function toNumbers(body: unknown): unknown {
  if (!isObject(body) || !Array.isArray(body['data'])) return body
  return { ...body, data: body['data'].map(withNumbers) }
}

function withNumbers(item: unknown): unknown {
  if (!isObject(item) || typeof item['embedding'] !== 'string') return item
  const bytes = Buffer.from(item['embedding'], 'base64')
  return { ...item, embedding: Array.from({ length: bytes.length }, (_, at) => bytes.readInt8(at) / 127) }
}
