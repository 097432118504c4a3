import { z } from 'zod'
import type { UsageEvent } from '../ports/ledger.js'
import { type JsonObject, isObject, parseJson } from '../wire/json.js'

const money = z
  .string()
  .regex(/^-?\d+$/)
  .transform((digits) => BigInt(digits))
// A record of zod's leaves a member out that is called __proto__.
const object = z.custom<JsonObject>(isObject)

const Line = z.object({
  id: z.string(),
  callId: z.string(),
  at: z.number(),
  operation: z.string(),
  caller: z.string(),
  scopes: z.array(
    z
      .object({
        kind: z.enum([
          'gateway',
          'organization',
          'team',
          'member',
          'user',
          'key',
          'customer',
          'session',
          'model',
          'provider',
          'deployment',
          'tag',
          'cache',
        ]),
        id: z.string(),
        charged: money.optional(),
      })
      .transform(({ charged, ...ref }) => (charged === undefined ? ref : { ...ref, charged })),
  ),
  modelName: z.string(),
  deployment: z.string(),
  provider: z.string(),
  model: z.string(),
  usage: z.record(z.string(), z.number()),
  price: object.nullable(),
  cost: money,
  charged: money,
  priced: z.boolean(),
  estimated: z.boolean(),
  aborted: z.boolean(),
  cached: z.boolean(),
  billable: z.boolean(),
  latencyMs: z.number(),
  firstTokenMs: z.number().optional().transform(orUndefined),
  status: z.number(),
  failure: z.string().optional().transform(orUndefined),
  tags: z.array(z.string()),
  endUser: z.string().optional().transform(orUndefined),
  metadata: object.optional().transform(orUndefined),
  corrects: z.string().optional(),
})

/** Keeps the member where the line has none. */
function orUndefined<T>(value: T | undefined): T | undefined {
  return value
}

/** An entry or event as one line of text, without the line's end; money as digits. */
export function toLine(entry: UsageEvent): string {
  return JSON.stringify(entry, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

/** What `toLine` wrote; undefined for a line that was cut off, or is none of ours. */
export function fromLine(line: string): UsageEvent | undefined {
  const parsed = Line.safeParse(parseJson(line))
  if (!parsed.success) return undefined
  const { firstTokenMs, failure, endUser, metadata, corrects, ...rest } = parsed.data
  return { ...rest, firstTokenMs, failure, endUser, metadata, ...(corrects !== undefined && { corrects }) }
}
