import type { Deployment } from '../deployment.js'
import { GatewayError } from '../errors.js'
import type { Codec, Protocol } from '../protocols/protocol.js'
import type { Operation } from '../wire/operations.js'

/** Some operations of two protocols, each call going to `other` where its deployment says so, else to `base`. */
export function choosePerCall(
  base: Protocol,
  other: Protocol,
  when: (deployment: Deployment) => boolean,
  operations: readonly Operation[],
): Protocol['codecs'] {
  const chosen = operations.map((operation) => [operation, chooseCodec(base, other, when, operation)] as const)
  return Object.fromEntries(chosen)
}

function chooseCodec<K extends Operation>(
  base: Protocol,
  other: Protocol,
  when: (deployment: Deployment) => boolean,
  operation: K,
): Codec<K> {
  const codecFor = (deployment: Deployment): Codec<K> => {
    const codec: Codec<K> | undefined = (when(deployment) ? other : base).codecs[operation]
    if (!codec) throw new TypeError(`a protocol without ${operation} was composed with one that has it`)
    return codec
  }
  const codec: Codec<K> = {
    encode: (exchange) => codecFor(exchange.deployment).encode(exchange),
    decode: (body, exchange, headers) => codecFor(exchange.deployment).decode(body, exchange, headers),
    next: (body, exchange, answers) => codecFor(exchange.deployment).next?.(body, exchange, answers),
    mediaToFetch: (exchange) => codecFor(exchange.deployment).mediaToFetch?.(exchange) ?? [],
  }
  if (!base.codecs[operation]?.decodeStream && !other.codecs[operation]?.decodeStream) return codec
  return {
    ...codec,
    decodeStream(exchange) {
      const decoder = codecFor(exchange.deployment).decodeStream?.(exchange)
      if (decoder) return decoder
      // Only JSON is read without a decoder, and that is what an API without streams answers.
      const { provider } = exchange.deployment
      throw new GatewayError('upstream_invalid', `${provider} streams an answer that was asked for whole.`)
    },
  }
}
