import { z } from 'zod'

const Part = z.union([
  z.looseObject({ type: z.literal('text'), text: z.string() }),
  z.looseObject({ type: z.literal('image_url'), image_url: z.looseObject({ url: z.string() }) }),
])

/** `POST /v1/moderations`: texts that are judged one by one, or the parts of one message. */
export const ModerationRequest = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.string()).min(1), z.array(Part).min(1)]),
})

/** A judgement for each text, in the order of the input; for parts there is one. */
export const ModerationResponse = z.looseObject({
  id: z.string(),
  model: z.string(),
  results: z.array(
    z.looseObject({
      flagged: z.boolean(),
      categories: z.record(z.string(), z.boolean()),
      category_scores: z.record(z.string(), z.number()),
      category_applied_input_types: z.record(z.string(), z.array(z.string())).nullish(),
    }),
  ),
})

export type ModerationRequest = z.infer<typeof ModerationRequest>
export type ModerationResponse = z.infer<typeof ModerationResponse>
