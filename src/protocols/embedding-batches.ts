import type { EmbeddingRequest, EmbeddingResponse } from '../wire/embeddings.js'
import { isObject, type JsonObject } from '../wire/json.js'
import type { Codec, Exchange } from './protocol.js'

type Input = EmbeddingRequest['input']

/** How many vectors an input asks for: one list of token ids is one input. */
export function countInputs(input: Input): number {
  return Array.isArray(input) && typeof input[0] !== 'number' ? input.length : 1
}

/**
 * A codec whose requests hold no more inputs than one call of its API takes (`Codec.mostInputs`): the calls go out one
 * after the other, and their answers become one, in the order of the inputs and with their usage summed. What fits into
 * one call is left to the codec as it is; an error in any part is the error of the whole.
 */
export function inBatches(codec: Codec<'embeddings'>): Codec<'embeddings'> {
  if (!codec.mostInputs) return codec
  const partOf = (exchange: Exchange<'embeddings'>, position: number): Exchange<'embeddings'> | undefined => {
    const most = codec.mostInputs?.(exchange) ?? Infinity
    const { input } = exchange.request
    const first = position * most
    if (countInputs(input) <= most) return position === 0 ? exchange : undefined
    if (first >= countInputs(input)) return undefined
    return { ...exchange, request: { ...exchange.request, input: input.slice(first, first + most) as Input } }
  }
  return {
    ...codec,
    split(exchange) {
      const most = codec.mostInputs?.(exchange) ?? Infinity
      const count = countInputs(exchange.request.input)
      if (count <= most) return undefined
      return Array.from(
        { length: Math.ceil(count / most) },
        (_, at) => partOf(exchange, at)?.request ?? exchange.request,
      )
    },
    encode(exchange) {
      const whole = codec.encode(exchange)
      // The whole was written all the same, so that a wrong input is named before any part is paid for.
      return partOf(exchange, 1) ? codec.encode(partOf(exchange, 0) ?? exchange) : whole
    },
    next(body, exchange, answers = 1, headers) {
      if (!partOf(exchange, 1)) return codec.next?.(body, exchange, answers, headers)
      const following = partOf(exchange, answers)
      if (!following) return undefined
      const keep = codec.decode(body, partOf(exchange, answers - 1) ?? exchange, headers)
      return { request: codec.encode(following), delayMs: 0, keep }
    },
    decode(body, exchange, headers) {
      if (!partOf(exchange, 1)) return codec.decode(body, exchange, headers)
      const parts: readonly unknown[] = Array.isArray(body) ? body : [body]
      // What `next` kept.
      const earlier = parts.slice(0, -1) as readonly EmbeddingResponse[]
      const last = codec.decode(parts.at(-1), partOf(exchange, parts.length - 1) ?? exchange, headers)
      return joinParts([...earlier, last], last)
    },
  }
}

function joinParts(parts: readonly EmbeddingResponse[], last: EmbeddingResponse): EmbeddingResponse {
  return {
    ...last,
    data: parts.flatMap(({ data }) => data).map((item, index) => ({ ...item, index })),
    usage: parts.map(({ usage }) => usage).reduce(addUsage),
  }
}

/** Numbers add up, also those of details within. */
function addUsage<Usage extends JsonObject>(first: Usage, second: Usage): Usage {
  const sums = Object.entries(second).map(([name, value]) => [name, addValue(first[name], value)] as const)
  return { ...first, ...Object.fromEntries(sums) }
}

function addValue(before: unknown, value: unknown): unknown {
  if (typeof before === 'number' && typeof value === 'number') return before + value
  return isObject(before) && isObject(value) ? addUsage(before, value) : (value ?? before)
}
