import { GatewayError } from '../errors.js'
import type { Deployment } from '../deployment.js'
import { outputLimitOf } from '../protocols/output-limit.js'
import type { Codec, Exchange, Protocol } from '../protocols/protocol.js'
import type { Operation } from '../wire/operations.js'

/** A codec that is one of two, chosen anew for every call, by its request and deployment alone. */
export function chooseCodec<K extends Operation>(
  base: Codec<K>,
  other: Codec<K>,
  when: (exchange: Exchange<K>) => boolean,
): Codec<K> {
  // Decided once per exchange, which the codecs see several times. A WeakMap would keep each call until a full collection.
  const codecFor = (exchange: Exchange<K>): Codec<K> => {
    if (exchange.chosen?.by === codec) return exchange.chosen.codec
    const one = when(exchange) ? other : base
    if ('chosen' in exchange) exchange.chosen = { by: codec, codec: one }
    return one
  }
  const codec: Codec<K> = {
    encode: (exchange) => codecFor(exchange).encode(exchange),
    decode: (body, exchange, headers) => codecFor(exchange).decode(body, exchange, headers),
    next: (body, exchange, answers, headers) => codecFor(exchange).next?.(body, exchange, answers, headers),
    mediaToFetch: (exchange) => codecFor(exchange).mediaToFetch?.(exchange) ?? [],
    mostInputs: (exchange) => codecFor(exchange).mostInputs?.(exchange) ?? Infinity,
    split: (exchange) => codecFor(exchange).split?.(exchange),
    outputLimit: (limit, exchange) => outputLimitOf(codecFor(exchange), limit, exchange),
  }
  if (!base.decodeStream && !other.decodeStream) return codec
  return {
    ...codec,
    decodeStream(exchange) {
      const decoder = codecFor(exchange).decodeStream?.(exchange)
      if (decoder) return decoder
      // Only JSON is read without a decoder, and that is what an API without streams answers.
      const { provider } = exchange.deployment
      throw new GatewayError('upstream_invalid', `${provider} streams an answer that was asked for whole.`)
    },
  }
}

/** Some operations of two protocols, each call going to `other` where its deployment says so, else to `base`. */
export function choosePerCall(
  base: Protocol,
  other: Protocol,
  when: (deployment: Deployment) => boolean,
  operations: readonly Operation[],
): Protocol['codecs'] {
  const chosen = operations.map((operation) => [operation, chooseOperation(base, other, when, operation)] as const)
  return Object.fromEntries(chosen)
}

function chooseOperation<K extends Operation>(
  { codecs }: Protocol,
  other: Protocol,
  when: (deployment: Deployment) => boolean,
  operation: K,
): Codec<K> {
  const one: Codec<K> | undefined = codecs[operation]
  const two: Codec<K> | undefined = other.codecs[operation]
  if (!one || !two) throw new TypeError(`a protocol without ${operation} was composed with one that has it`)
  return chooseCodec(one, two, ({ deployment }) => when(deployment))
}
