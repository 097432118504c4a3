import type { Operation } from '../wire/operations.js'
import type { Codec, Exchange } from './protocol.js'

/** The limit of output tokens that a codec sends where a request sets `limit`; undefined where it sends none. */
export function outputLimitOf<K extends Operation>(
  codec: Codec<K>,
  limit: number,
  exchange: Exchange<K>,
): number | undefined {
  return codec.outputLimit ? codec.outputLimit(limit, exchange) : limit
}
