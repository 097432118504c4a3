import type { Codec } from '../../protocols/protocol.js'
import { isObject, type JsonObject } from '../../wire/json.js'
import { adjustOnly } from '../openai-compatible/adjust.js'

/** `inference:embed` takes a list of texts: https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api */
export const textsToEmbed = adjustOnly('embeddings', ({ input, ...rest }: JsonObject) => ({
  ...rest,
  text: Array.isArray(input) ? input : [input],
}))

/** Its vectors lie one level deeper than everyone else's. */
export function withNestedVectors(base: Codec<'embeddings'>): Codec<'embeddings'> {
  return { ...base, decode: (body, exchange) => base.decode(flat(body), exchange) }
}

function flat(body: unknown): unknown {
  if (!isObject(body) || !Array.isArray(body['data'])) return body
  return { ...body, data: body['data'].map(flatItem) }
}

function flatItem(item: unknown): unknown {
  if (!isObject(item) || !Array.isArray(item['embedding'])) return item
  const first: unknown = item['embedding'][0]
  return Array.isArray(first) ? { ...item, embedding: first } : item
}
