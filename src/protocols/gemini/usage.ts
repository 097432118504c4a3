import type { ChatUsage, ImageUsage } from '../../wire/usage.js'
import { isObject, numberOf, type JsonObject } from '../../wire/json.js'

/** Gemini's token counts in disjoint buckets; their sum is what the provider bills. */
interface Counts {
  /** Everything read, cached tokens and results of hosted tools included. */
  readonly prompt: number
  /** Everything written, thoughts included. */
  readonly completion: number
  readonly thoughts: number
  readonly cached: number
}

const count = (usage: JsonObject, name: string): number => Math.max(0, Math.trunc(numberOf(usage[name]) ?? 0))

function toCounts(usage: JsonObject): Counts {
  const total = count(usage, 'totalTokenCount')
  const candidates = count(usage, 'candidatesTokenCount')
  const thoughts = count(usage, 'thoughtsTokenCount')
  const hosted = count(usage, 'toolUsePromptTokenCount')
  const given = count(usage, 'promptTokenCount')
  // Some models count their thoughts among the candidates; the total tells which it is.
  const thoughtsInside =
    thoughts > 0 && total > 0 && (total === given + candidates || total === given + candidates + hosted)
  const completion = candidates + (thoughtsInside ? 0 : thoughts)
  const hostedInside = hosted > 0 && total === given + completion
  // Some answers tell the total but not the prompt.
  const prompt = given === 0 ? Math.max(hosted, total - completion) : given + (hostedInside ? 0 : hosted)
  return { prompt, completion, thoughts, cached: count(usage, 'cachedContentTokenCount') }
}

/** Tokens of one modality in a list of details; undefined where the list does not name it. */
function ofModality(usage: JsonObject, name: string, modality: string): number | undefined {
  const details = usage[name]
  if (!Array.isArray(details)) return undefined
  const entries = details.filter(isObject).filter((entry) => entry['modality'] === modality)
  return entries.length === 0 ? undefined : entries.reduce((sum, entry) => sum + count(entry, 'tokenCount'), 0)
}

function defined(members: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** The cached tokens by modality, since cached sound costs more than cached text. */
function toCachedParts(usage: JsonObject): JsonObject | undefined {
  if (!Array.isArray(usage['cacheTokensDetails'])) return undefined
  const cached = (modality: string) => ofModality(usage, 'cacheTokensDetails', modality)
  return defined({
    text_tokens: cached('TEXT'),
    audio_tokens: cached('AUDIO'),
    image_tokens: cached('IMAGE'),
    video_tokens: cached('VIDEO'),
  })
}

/** A usageMetadata as OpenAI's usage; undefined where there is none, or it counts nothing. */
export function toUsage(usage: unknown): ChatUsage | undefined {
  if (!isObject(usage)) return undefined
  const { prompt, completion, thoughts, cached } = toCounts(usage)
  if (prompt + completion === 0) return undefined
  const prompts = (modality: string) => ofModality(usage, 'promptTokensDetails', modality)
  const candidates = (modality: string) => ofModality(usage, 'candidatesTokensDetails', modality)
  const hosted = count(usage, 'toolUsePromptTokenCount')
  const cachedParts = toCachedParts(usage)
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: cached,
      ...defined({
        text_tokens: prompts('TEXT'),
        audio_tokens: prompts('AUDIO'),
        image_tokens: prompts('IMAGE'),
        video_tokens: prompts('VIDEO'),
        document_tokens: prompts('DOCUMENT'),
        tool_use_tokens: hosted === 0 ? undefined : hosted,
      }),
      ...(cachedParts && { cached_tokens_details: cachedParts }),
    },
    completion_tokens_details: {
      reasoning_tokens: thoughts,
      ...defined({
        text_tokens: candidates('TEXT'),
        audio_tokens: candidates('AUDIO'),
        image_tokens: candidates('IMAGE'),
      }),
    },
    ...(cached > 0 && { cache_read_input_tokens: cached }),
  }
}

/** A usageMetadata as the usage of an image answer; undefined where there is none. */
export function toImageUsage(usage: unknown): ImageUsage | undefined {
  const chat = toUsage(usage)
  if (!chat || !isObject(usage)) return undefined
  const image = ofModality(usage, 'candidatesTokensDetails', 'IMAGE') ?? 0
  return {
    input_tokens: chat.prompt_tokens,
    output_tokens: chat.completion_tokens,
    total_tokens: chat.total_tokens,
    input_tokens_details: {
      text_tokens: ofModality(usage, 'promptTokensDetails', 'TEXT') ?? chat.prompt_tokens,
      image_tokens: ofModality(usage, 'promptTokensDetails', 'IMAGE') ?? 0,
    },
    output_tokens_details: { image_tokens: image, text_tokens: chat.completion_tokens - image },
  }
}

const tiers: Readonly<Record<string, string>> = { standard: 'default', flex: 'flex', priority: 'priority' }

/** The service tier that an answer was billed at, in OpenAI's words; undefined where none is told. */
export function toServiceTier(usage: unknown): string | undefined {
  const tier = isObject(usage) ? usage['serviceTier'] : undefined
  return typeof tier === 'string' && Object.hasOwn(tiers, tier) ? tiers[tier] : undefined
}
