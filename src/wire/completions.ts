import { z } from 'zod'
import { ChatUsage } from './usage.js'

const positiveInteger = z.int().positive()

/** `POST /v1/completions`: the legacy text completion. */
export const CompletionRequest = z.looseObject({
  model: z.string().min(1),
  prompt: z.union([z.string(), z.array(z.string()), z.array(z.int()), z.array(z.array(z.int()))]),
  best_of: positiveInteger.nullish(),
  echo: z.boolean().nullish(),
  frequency_penalty: z.number().nullish(),
  logit_bias: z.record(z.string(), z.number()).nullish(),
  logprobs: z.int().nonnegative().nullish(),
  max_tokens: z.int().nonnegative().nullish(),
  n: positiveInteger.nullish(),
  presence_penalty: z.number().nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  suffix: z.string().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  user: z.string().nullish(),
})

const CompletionFinishReason = z.enum(['stop', 'length', 'content_filter'])

/** A whole text completion, `object: "text_completion"`. */
export const Completion = z.looseObject({
  id: z.string(),
  object: z.literal('text_completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.looseObject({
      index: z.int(),
      text: z.string(),
      finish_reason: CompletionFinishReason,
      logprobs: z.looseObject({}).nullable(),
    }),
  ),
  usage: ChatUsage.optional(),
  system_fingerprint: z.string().nullish(),
})

/** One event of a streamed text completion; the same object with `finish_reason: null` until the end. */
export const CompletionChunk = z.looseObject({
  id: z.string(),
  object: z.literal('text_completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.looseObject({
      index: z.int(),
      text: z.string(),
      finish_reason: CompletionFinishReason.nullable(),
      logprobs: z.looseObject({}).nullable(),
    }),
  ),
  usage: ChatUsage.nullish(),
})

export type CompletionRequest = z.infer<typeof CompletionRequest>
export type Completion = z.infer<typeof Completion>
export type CompletionChunk = z.infer<typeof CompletionChunk>
