import { z } from 'zod'
import type { RedactBody } from './redact-record.js'
import type { SinkType } from './sink.js'
import { type SinkOptions, sinkTypes } from './sinks/index.js'

/** Who is told of calls. */
export interface CallbackOptions {
  readonly sinks: readonly SinkOptions[]
  /**
   * Records the bodies of requests and answers: of all calls, or with `by_scope` of callers whose `metadata` (of the key,
   * its user, team or organization) has `'log-bodies': true`. Credentials, media, what guardrails hid, and whatever is
   * beyond 64 K characters are taken out. A request opts out with `"no-log": true`, a caller with `'no-log': true`.
   * @default false
   */
  readonly bodies?: boolean | 'by_scope' | undefined
  /** The host's own redaction; where it throws, the body is left out. */
  readonly redact?: RedactBody | undefined
  readonly queue?: QueueOptions | undefined
}

/** Of every sink's own queue. */
export interface QueueOptions {
  /** Records that wait at most; further ones are dropped and counted. @default 10,000 */
  readonly maxQueued?: number | undefined
  /** Bytes that wait at most, roughly. @default 33,554,432 */
  readonly maxQueuedBytes?: number | undefined
  /** How long a record waits for others to be sent with, in milliseconds. @default 5,000 */
  readonly delayMs?: number | undefined
  /** How long one delivery may take, in milliseconds. @default 10,000 */
  readonly deadlineMs?: number | undefined
  /** How often a record is tried before it is given up. @default 6 */
  readonly maxTries?: number | undefined
}

const count = (standard: number) => z.number().int().positive().default(standard)

const queueSchema = z.strictObject({
  maxQueued: count(10_000),
  maxQueuedBytes: count(32 * 1024 * 1024),
  delayMs: count(5_000),
  deadlineMs: count(10_000),
  maxTries: count(6),
})

const commonShape = {
  name: z.string().min(1).optional(),
  on: z.enum(['all', 'success', 'failure']).default('all'),
  bodies: z.boolean().default(true),
}

const sinkSchema = z
  .looseObject({ type: z.string(), ...commonShape })
  .transform(({ type, name, on, bodies, ...own }, context) => {
    const found = typeOf(type)
    if (!found) {
      const known = Object.keys(sinkTypes).join(', ')
      context.addIssue({ code: 'custom', path: ['type'], message: `must be one of ${known}` })
      return z.NEVER
    }
    const checked = found.schema.safeParse(own)
    for (const { path, message } of checked.error?.issues ?? []) context.addIssue({ code: 'custom', path, message })
    return { type, name: name ?? type, on, bodies, own, sinkType: found }
  })

/** One checked sink. */
export type CheckedSink = z.output<typeof sinkSchema>

/** Shape of `CallbackOptions`. */
export const CallbackOptionsSchema = z.strictObject({
  sinks: z.array(sinkSchema).superRefine((sinks, context) => {
    const names = sinks.map(({ name }) => name)
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) {
      context.addIssue({ code: 'custom', message: `two are called ${twice}: give one of them another name` })
    }
  }),
  bodies: z.union([z.boolean(), z.literal('by_scope')]).default(false),
  redact: z.custom<RedactBody>((value) => typeof value === 'function', { error: 'must be a function' }).optional(),
  queue: queueSchema.prefault({}),
})

function typeOf(type: string): SinkType | undefined {
  return Object.hasOwn(sinkTypes, type) ? Object.entries(sinkTypes).find(([name]) => name === type)?.[1] : undefined
}
