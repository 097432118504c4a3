import { isObject, type JsonObject } from '../wire/json.js'
import type { ChatUsage, EmbeddingUsage, ImageUsage } from '../wire/usage.js'

/** Kinds of tokens that a prompt is made of. */
export const inputBuckets = [
  'inputUncached',
  'cacheRead',
  'cacheReadAudio',
  'cacheReadImage',
  'cacheWrite5m',
  'cacheWrite1h',
  'audioInput',
  'imageInput',
  'videoInput',
  'toolPrompt',
] as const

/** Kinds of tokens that an answer is made of. */
export const outputBuckets = ['outputText', 'reasoning', 'audioOutput', 'imageOutput'] as const

export type InputBucket = (typeof inputBuckets)[number]
export type OutputBucket = (typeof outputBuckets)[number]

/**
 * What one call used, every token in exactly one bucket: the input buckets add up to the provider's prompt tokens, the
 * output buckets to its completion tokens.
 */
export interface UsageBuckets extends Readonly<Record<InputBucket | OutputBucket, number>> {
  /** Tokens of cited sources, which their provider counts apart from prompt and answer. */
  readonly citation: number
  readonly webSearches: number
  readonly images: number
  /** Of sound, or of computing; what a price per second is multiplied with. */
  readonly milliseconds: number
  /** True where the provider did not tell, or contradicted itself. */
  readonly estimated: boolean
}

/** What is counted beside tokens. */
export interface CountedBeside {
  readonly images?: number | undefined
  readonly milliseconds?: number | undefined
}

/** Usage while it is put together. */
export type OpenUsage = { -readonly [Name in keyof UsageBuckets]: UsageBuckets[Name] }

/** Everything that is counted. */
export const quantities = [
  ...inputBuckets,
  ...outputBuckets,
  'citation',
  'webSearches',
  'images',
  'milliseconds',
] as const

/** What two requests used together. */
export function addBuckets(first: UsageBuckets, second: UsageBuckets): UsageBuckets {
  const sum = { ...first, estimated: first.estimated || second.estimated }
  for (const name of quantities) sum[name] += second[name]
  return sum
}

/** Nothing used. */
export const noUsage: UsageBuckets = {
  inputUncached: 0,
  cacheRead: 0,
  cacheReadAudio: 0,
  cacheReadImage: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  audioInput: 0,
  imageInput: 0,
  videoInput: 0,
  toolPrompt: 0,
  outputText: 0,
  reasoning: 0,
  audioOutput: 0,
  imageOutput: 0,
  citation: 0,
  webSearches: 0,
  images: 0,
  milliseconds: 0,
  estimated: false,
}

/** All tokens of the prompt, cached ones included; what price tiers go by. */
export function promptTokens(buckets: UsageBuckets): number {
  let sum = 0
  for (const bucket of inputBuckets) sum += buckets[bucket]
  return sum
}

/** All tokens of the answer. */
export function completionTokens(buckets: UsageBuckets): number {
  let sum = 0
  for (const bucket of outputBuckets) sum += buckets[bucket]
  return sum
}

/**
 * A usage in our OpenAI shape as disjoint buckets. Undefined where the provider told nothing, which an answer without a
 * single token means too: then the caller counts, with `estimatedBuckets`.
 */
export function toBuckets(
  usage: ChatUsage | EmbeddingUsage | ImageUsage | undefined,
  beside: CountedBeside = {},
): UsageBuckets | undefined {
  if (!usage) return undefined
  const counted = isImageUsage(usage) ? fromImageUsage(usage) : fromChatUsage(usage)
  if (promptTokens(counted) + completionTokens(counted) === 0) return undefined
  if (isBeyondBelief(counted)) counted.estimated = true
  counted.images = beside.images ?? 0
  counted.milliseconds = beside.milliseconds ?? 0
  return counted
}

/** Buckets of tokens that we counted, because the provider did not. */
export function estimatedBuckets(input: number, output: number, beside: CountedBeside = {}): UsageBuckets {
  return {
    ...noUsage,
    inputUncached: input,
    outputText: output,
    images: beside.images ?? 0,
    milliseconds: beside.milliseconds ?? 0,
    estimated: true,
  }
}

/** Buckets of a call that its provider charges by the image, by the second or by the request, not by the token. */
export function tokenlessBuckets(beside: CountedBeside): UsageBuckets {
  return { ...noUsage, images: beside.images ?? 0, milliseconds: beside.milliseconds ?? 0 }
}

// A hundred times what any model reads or writes in one request; sums of such rows still fit every store.
const mostTokens = 1e9

function isBeyondBelief(usage: UsageBuckets): boolean {
  const counts = [promptTokens(usage), completionTokens(usage), usage.reasoning, usage.citation, usage.webSearches]
  return counts.some((tokens) => tokens >= mostTokens)
}

/** The first of these members that is a number, as a whole one of at least 0 and at most `mostTokens`. */
function count(holder: unknown, ...names: readonly string[]): number {
  if (!isObject(holder)) return 0
  for (const name of names) {
    const value = holder[name]
    if (typeof value === 'number' && Number.isFinite(value)) return Math.min(mostTokens, Math.max(0, Math.trunc(value)))
  }
  return 0
}

function isImageUsage(usage: ChatUsage | EmbeddingUsage | ImageUsage): usage is ImageUsage {
  return !('prompt_tokens' in usage)
}

type Share = readonly [bucket: InputBucket | OutputBucket, tokens: number]

/**
 * Divides a total: each part takes what is left for it at most, so that the sum is the total whatever the parts say. True
 * where the parts are more than the whole.
 */
function divide(usage: OpenUsage, total: number, parts: readonly Share[], rest: InputBucket | OutputBucket): boolean {
  let left = total
  let wanted = 0
  for (const [bucket, tokens] of parts) {
    const taken = Math.min(tokens, left)
    usage[bucket] += taken
    left -= taken
    wanted += tokens
  }
  usage[rest] += left
  return wanted > total
}

function fromChatUsage(usage: JsonObject): OpenUsage {
  const counted: OpenUsage = { ...noUsage }
  // Cohere bills fewer tokens than it counts.
  const billed = isObject(usage['billed_units']) ? usage['billed_units'] : undefined
  const isBilledApart = billed !== undefined && count(billed, 'input_tokens', 'output_tokens') > 0
  const prompt = isBilledApart ? count(billed, 'input_tokens') : count(usage, 'prompt_tokens')
  const completion = isBilledApart ? count(billed, 'output_tokens') : count(usage, 'completion_tokens')
  const isInputOver = divide(counted, prompt, inputShares(usage), 'inputUncached')
  const details = usage['completion_tokens_details']
  const reasoning = count(details, 'reasoning_tokens')
  // Perplexity's researchers reason beside their completion tokens.
  const reasonsApart = reasoning > completion
  const media: readonly Share[] = [
    ['audioOutput', count(details, 'audio_tokens')],
    ['imageOutput', count(details, 'image_tokens')],
  ]
  const written: readonly Share[] = reasonsApart ? media : [...media, ['reasoning', reasoning]]
  const isOutputOver = divide(counted, completion, written, 'outputText')
  if (reasonsApart) counted.reasoning = reasoning
  counted.citation = count(usage, 'citation_tokens')
  counted.webSearches = webSearches(usage)
  counted.estimated = (isInputOver && !isBilledApart) || isOutputOver
  return counted
}

function inputShares(usage: JsonObject): readonly Share[] {
  const details = usage['prompt_tokens_details']
  const cached = isObject(details) ? details['cached_tokens_details'] : undefined
  const [audio, image] = [count(details, 'audio_tokens'), count(details, 'image_tokens')]
  const read = count(details, 'cached_tokens') || count(usage, 'cache_read_input_tokens')
  const readAudio = Math.min(count(cached, 'audio_tokens'), audio, read)
  const readImage = Math.min(count(cached, 'image_tokens'), image, read - readAudio)
  const readVideo = Math.min(count(cached, 'video_tokens'), count(details, 'video_tokens'))
  const written =
    count(details, 'cache_creation_tokens', 'cache_write_tokens') || count(usage, 'cache_creation_input_tokens')
  const writtenLong = Math.min(longCacheWrites(usage), written)
  return [
    ['cacheWrite1h', writtenLong],
    ['cacheWrite5m', written - writtenLong],
    ['cacheReadAudio', readAudio],
    ['cacheReadImage', readImage],
    ['cacheRead', read - readAudio - readImage],
    ['toolPrompt', count(details, 'tool_use_tokens')],
    ['audioInput', audio - readAudio],
    ['imageInput', image - readImage],
    ['videoInput', count(details, 'video_tokens') - readVideo],
  ]
}

/** Claude tells lifetimes apart for the answer and for each pass of compaction before it. */
function longCacheWrites(usage: JsonObject): number {
  const iterations: unknown = usage['iterations']
  const passes = Array.isArray(iterations) ? iterations.filter(isObject) : []
  const compactions = passes.filter((pass) => pass['type'] === 'compaction')
  return [usage, ...compactions].reduce(
    (sum, pass) => sum + count(pass['cache_creation'], 'ephemeral_1h_input_tokens'),
    0,
  )
}

function webSearches(usage: JsonObject): number {
  return count(usage['server_tool_use'], 'web_search_requests') || count(usage, 'num_search_queries')
}

function fromImageUsage(usage: JsonObject): OpenUsage {
  const counted: OpenUsage = { ...noUsage }
  const { input_tokens_details: read, output_tokens_details: written } = usage
  const cached = isObject(read) ? read['cached_tokens_details'] : undefined
  const image = count(read, 'image_tokens')
  const cachedTokens = count(read, 'cached_tokens')
  const cachedImage = Math.min(count(cached, 'image_tokens'), image, cachedTokens)
  const isInputOver = divide(
    counted,
    count(usage, 'input_tokens'),
    [
      ['cacheReadImage', cachedImage],
      ['cacheRead', cachedTokens - cachedImage],
      ['imageInput', image - cachedImage],
    ],
    'inputUncached',
  )
  const isOutputOver = divide(
    counted,
    count(usage, 'output_tokens'),
    [
      ['reasoning', count(written, 'reasoning_tokens')],
      ['outputText', count(written, 'text_tokens')],
    ],
    // What an image model writes is an image unless it says otherwise.
    'imageOutput',
  )
  counted.estimated = isInputOver || isOutputOver
  return counted
}
