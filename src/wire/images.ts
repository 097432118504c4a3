import { z } from 'zod'
import { ImageUsage } from './usage.js'

/** `POST /v1/images/generations`. */
export const ImageRequest = z.looseObject({
  model: z.string().min(1),
  prompt: z.string().min(1),
  background: z.string().nullish(),
  moderation: z.string().nullish(),
  n: z.int().positive().nullish(),
  output_compression: z.int().nullish(),
  output_format: z.string().nullish(),
  quality: z.string().nullish(),
  response_format: z.enum(['url', 'b64_json']).nullish(),
  size: z.string().nullish(),
  style: z.string().nullish(),
  user: z.string().nullish(),
})

/** Images as `url` or `b64_json`, whichever the provider gives. */
export const ImageResponse = z.looseObject({
  created: z.int(),
  data: z.array(
    z.looseObject({
      url: z.string().optional(),
      b64_json: z.string().optional(),
      revised_prompt: z.string().optional(),
    }),
  ),
  usage: ImageUsage.optional(),
})

export type ImageRequest = z.infer<typeof ImageRequest>
export type ImageResponse = z.infer<typeof ImageResponse>
