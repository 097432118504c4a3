import type { EmbeddingRequest, EmbeddingResponse } from '../wire/embeddings.js'
import { isObject, type JsonObject, numberOf } from '../wire/json.js'
import { sha256, toCanonicalText } from './canonical.js'
import { type StoredAnswer, toJsonObject } from './entry.js'

type Input = EmbeddingRequest['input']
type Vector = EmbeddingResponse['data'][number]

// OpenAI takes no more in one request either.
const mostItems = 2_048

/** The inputs of a request one by one: a text, a list of tokens, or an object. Undefined for none, or more than 2,048. */
export function itemsOf(input: Input): readonly unknown[] | undefined {
  if (!Array.isArray(input)) return [input]
  const items: readonly unknown[] = input
  // One list of tokens is one input.
  if (typeof items[0] === 'number') return [input]
  return items.length === 0 || items.length > mostItems ? undefined : items
}

/** The digest of one input among those of its request; undefined where it has none. */
export function digestItem(requestDigest: string, item: unknown): string | undefined {
  const text = toCanonicalText(item)
  return text === undefined ? undefined : sha256(`${requestDigest}:${text}`)
}

/** The request for some of its inputs only. */
export function withItems(request: EmbeddingRequest, items: readonly unknown[]): EmbeddingRequest {
  // Taken from the input of the same request, so of a kind that it takes.
  return { ...request, input: items as Input }
}

/** A vector that was kept, with its share of the usage. */
export interface KeptVector {
  readonly answer: StoredAnswer
  readonly vector: JsonObject
}

/** The vector of an entry; undefined for what is none. */
export function toKeptVector(answer: StoredAnswer | undefined): KeptVector | undefined {
  if (answer?.kind !== 'item') return undefined
  const vector = toJsonObject(answer.text)
  return vector && vector['embedding'] !== undefined ? { answer, vector } : undefined
}

/** An answer split so that each input's part can be kept on its own. */
export interface AnswerPart {
  readonly text: string
  readonly usage: JsonObject
  readonly rest: JsonObject
}

/** The parts of an answer in the order of its inputs; undefined where it is not one vector for each. */
export function splitAnswer(answer: EmbeddingResponse, items: readonly unknown[]): readonly AnswerPart[] | undefined {
  const { data, usage, object: _object, model: _model, ...rest } = answer
  if (data.length !== items.length) return undefined
  const shares = shareUsage(usage, items)
  return data.map(({ index: _index, ...vector }, position) => ({
    text: JSON.stringify(vector),
    usage: shares[position] ?? {},
    rest: { ...rest, model: answer.model },
  }))
}

/**
 * The provider counts the request as a whole, so that each input is given a share by its length; the shares add up to
 * the whole exactly.
 */
function shareUsage(usage: EmbeddingResponse['usage'], items: readonly unknown[]): readonly JsonObject[] {
  if (items.length === 1) return [usage]
  const weights = items.map((item) => (typeof item === 'string' ? item.length : JSON.stringify(item).length) + 1)
  const prompt = split(usage.prompt_tokens, weights)
  const total = split(usage.total_tokens, weights)
  return items.map((_, position) => ({ prompt_tokens: prompt[position] ?? 0, total_tokens: total[position] ?? 0 }))
}

function split(amount: number, weights: readonly number[]): readonly number[] {
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  let weight = 0
  let given = 0
  return weights.map((own) => {
    weight += own
    const share = Math.floor((amount * weight) / whole) - given
    given += share
    return share
  })
}

/**
 * One answer from kept vectors and, for the inputs that have none, those of a fresh answer. The usage is that of the
 * whole request, as if nothing had been kept; only the fresh answer's own usage was paid for now.
 */
export function joinAnswer(
  kept: readonly (KeptVector | undefined)[],
  fresh: EmbeddingResponse | undefined,
): EmbeddingResponse {
  const vectors: readonly Vector[] = fresh?.data ?? []
  const first = kept.find((one) => one !== undefined)?.answer
  const { object: _object, model, data: _data, usage, ...rest }: JsonObject = fresh ?? { ...first?.rest }
  let next = 0
  const data = kept.map((one, index) => {
    // What was kept is what `splitAnswer` took from an answer of this operation.
    const { object: _own, index: _old, ...vector } = (one?.vector ?? vectors[next++]) as Vector
    return { object: 'embedding' as const, index, ...vector }
  })
  const usages = [...kept.map((one) => one?.answer.usage), isObject(usage) ? usage : undefined]
  return { object: 'list', data, model: String(model), usage: sumUsage(usages), ...rest }
}

function sumUsage(usages: readonly (JsonObject | undefined)[]): EmbeddingResponse['usage'] {
  const sum = (name: string): number => usages.reduce((before, usage) => before + (numberOf(usage?.[name]) ?? 0), 0)
  const known = usages.filter((usage) => usage !== undefined)
  // What providers add to the two counts has no sum.
  const further = known.length === 1 ? known[0] : {}
  return { ...further, prompt_tokens: sum('prompt_tokens'), total_tokens: sum('total_tokens') }
}
