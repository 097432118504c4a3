import { GatewayError } from '../../errors.js'
import type { FinishReason } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import { toUpstreamError } from '../failure.js'
import { isForeignFinishReason, toFinishReason } from '../finish-reason.js'

/** OpenAI's annotation of a passage with its source; offsets count characters. */
export interface UrlCitation {
  readonly type: 'url_citation'
  readonly url_citation: {
    readonly start_index: number
    readonly end_index: number
    readonly url: string
    readonly title: string
  }
}

const count = (value: unknown): number => Math.max(0, Math.trunc(numberOf(value) ?? 0))

/** Tokens: `tokens` counts everything, `billed_units` leaves out Cohere's own preamble. */
export function toUsage(usage: unknown): ChatUsage | undefined {
  if (!isObject(usage)) return undefined
  const tokens = isObject(usage['tokens']) ? usage['tokens'] : usage['billed_units']
  if (!isObject(tokens) || Object.keys(tokens).length === 0) return undefined
  const [input, output] = [count(tokens['input_tokens']), count(tokens['output_tokens'])]
  const images = numberOf(tokens['image_tokens'])
  const billed = usage['billed_units']
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: {
      cached_tokens: count(usage['cached_tokens']),
      ...(images !== undefined && { image_tokens: count(images) }),
    },
    completion_tokens_details: { reasoning_tokens: count(tokens['reasoning_tokens']) },
    ...(isObject(billed) && { billed_units: billed }),
  }
}

/** What an ending says in OpenAI's words, and Cohere's own word where it is another. */
export interface Ending {
  readonly reason: FinishReason
  readonly native: string | undefined
}

// The model stopped over something that is no end of an answer.
const failures = new Set(['ERROR', 'TIMEOUT', 'USER_CANCEL'])
const own: Readonly<Record<string, FinishReason>> = { ERROR_LIMIT: 'length', COMPLETE: 'stop' }

/**
 * Reads how an answer ended; `holder` is the object that says so.
 * @throws GatewayError where it ended with an error
 */
export function toEnding(holder: JsonObject, hasToolCalls: boolean, provider: string): Ending {
  const native = stringOf(holder['finish_reason'])
  if (native !== undefined && failures.has(native)) throw failed(native, holder, provider)
  const mapped = native === undefined ? undefined : own[native]
  return {
    reason: toFinishReason(mapped ?? native, hasToolCalls),
    native: native !== undefined && isForeignFinishReason(native) ? native : undefined,
  }
}

function failed(native: string, holder: JsonObject, provider: string): GatewayError {
  const message = stringOf(holder['error']) ?? stringOf(holder['message']) ?? 'The provider failed while answering.'
  const code = stringOf(holder['error_type']) ?? native
  const kind = native === 'TIMEOUT' ? 'timeout' : 'upstream_error'
  return toUpstreamError({ kind, message, code, type: native }, 500, provider)
}

/** Where the text of each content item begins in the joined text, by the item's index. */
export type Offsets = ReadonlyMap<number, number>

/** Citations whose source has an address, as OpenAI's annotations. */
export function toAnnotations(citations: readonly JsonObject[], offsets: Offsets): readonly UrlCitation[] {
  return citations.flatMap((citation) => {
    const [start, end] = [numberOf(citation['start']), numberOf(citation['end'])]
    if (start === undefined || end === undefined || citation['type'] === 'THINKING_CONTENT') return []
    const offset = offsets.get(numberOf(citation['content_index']) ?? -1) ?? 0
    return sourcesIn(citation).map(({ url, title }): UrlCitation => ({
      type: 'url_citation',
      url_citation: { start_index: offset + start, end_index: offset + end, url, title },
    }))
  })
}

function sourcesIn({ sources }: JsonObject): readonly { url: string; title: string }[] {
  if (!Array.isArray(sources)) return []
  return sources.filter(isObject).flatMap((source) => {
    const place = source['document'] ?? source['tool_output']
    const url = isObject(place) ? stringOf(place['url']) : undefined
    if (url === undefined || !URL.canParse(url)) return []
    const title = isObject(place) ? (stringOf(place['title']) ?? url) : url
    return [{ url: new URL(url).href, title }]
  })
}

/** Log probabilities in OpenAI's form; Cohere groups tokens that make one piece of text. */
export function toLogprobs(items: unknown): { content: unknown[]; refusal: null } | undefined {
  if (!Array.isArray(items) || items.length === 0) return undefined
  const content = items.filter(isObject).flatMap((item) => {
    const values: readonly unknown[] = Array.isArray(item['logprobs']) ? item['logprobs'] : []
    const text = stringOf(item['text']) ?? ''
    const total = values.reduce<number>((sum, value) => sum + (numberOf(value) ?? 0), 0)
    return [{ token: text, logprob: total, bytes: [...Buffer.from(text)], top_logprobs: [] }]
  })
  return { content, refusal: null }
}
