import { z } from 'zod'

/** One entry of `GET /v1/models`. */
export const Model = z.looseObject({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
})

/** `GET /v1/models`: the names the caller may use. */
export const ModelList = z.looseObject({ object: z.literal('list'), data: z.array(Model) })

export type Model = z.infer<typeof Model>
export type ModelList = z.infer<typeof ModelList>
