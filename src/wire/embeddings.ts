import { z } from 'zod'
import { EmbeddingUsage } from './usage.js'

/** `POST /v1/embeddings`: strings, one list of tokens, or several; objects are kept for multimodal providers. */
export const EmbeddingRequest = z.looseObject({
  model: z.string().min(1),
  input: z.union([
    z.string(),
    z.array(z.string()).min(1),
    z.array(z.int()).min(1),
    z.array(z.array(z.int())).min(1),
    z.array(z.looseObject({})).min(1),
  ]),
  dimensions: z.int().positive().nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  user: z.string().nullish(),
})

/** The vectors in the order of the input; `embedding` is base64 of little-endian float32 where that was asked for. */
export const EmbeddingResponse = z.looseObject({
  object: z.literal('list'),
  data: z.array(
    z.looseObject({
      object: z.literal('embedding'),
      index: z.int(),
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  model: z.string(),
  usage: EmbeddingUsage,
})

export type EmbeddingRequest = z.infer<typeof EmbeddingRequest>
export type EmbeddingResponse = z.infer<typeof EmbeddingResponse>
