import { z } from 'zod'
import { type JsonObject, isObject } from './json.js'

const count = z.int().nonnegative()

/** Tokens of a chat answer. `prompt_tokens` includes cached and cache-creation tokens; `completion_tokens` includes reasoning. */
export const ChatUsage = z.looseObject({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: z
    .looseObject({
      cached_tokens: count.nullish(),
      audio_tokens: count.nullish(),
      cache_creation_tokens: count.nullish(),
      image_tokens: count.nullish(),
      text_tokens: count.nullish(),
    })
    .nullish(),
  completion_tokens_details: z
    .looseObject({
      reasoning_tokens: count.nullish(),
      audio_tokens: count.nullish(),
      image_tokens: count.nullish(),
      accepted_prediction_tokens: count.nullish(),
      rejected_prediction_tokens: count.nullish(),
    })
    .nullish(),
  // Claude's own names, kept because cache writes have no place in OpenAI's shape.
  cache_creation_input_tokens: count.nullish(),
  cache_read_input_tokens: count.nullish(),
})

/** Tokens of an embedding answer. */
export const EmbeddingUsage = z.looseObject({ prompt_tokens: count, total_tokens: count })

/** Tokens of an image answer, of models that are priced by token. */
export const ImageUsage = z.looseObject({
  input_tokens: count,
  output_tokens: count,
  total_tokens: count,
  input_tokens_details: z.looseObject({ text_tokens: count.nullish(), image_tokens: count.nullish() }).nullish(),
})

export type ChatUsage = z.infer<typeof ChatUsage>
export type EmbeddingUsage = z.infer<typeof EmbeddingUsage>
export type ImageUsage = z.infer<typeof ImageUsage>

/** The usage that an answer or chunk reports, unread; undefined where it reports none. */
export function usageOf(body: object): JsonObject | undefined {
  const usage: unknown = 'usage' in body ? body.usage : undefined
  return isObject(usage) ? usage : undefined
}
