import { z } from 'zod'
import type { CallRecord, CallbackEvent, UnknownCallersEvent } from '../../ports/callback.js'
import { numberOf, stringOf } from '../../wire/json.js'
import { countCalls } from '../count-calls.js'
import { isDone } from '../is-done.js'
import { type PromClient, type PromRegistry, createMetrics, type Metrics } from '../metrics.js'
import { objectWith } from '../settings.js'
import { defineSink } from '../sink.js'

/** Metrics in the host's own registry of prom-client. */
export interface PrometheusOptions {
  /** `import * as client from 'prom-client'` */
  readonly client: PromClient
  /** @default prom-client's own, `client.register` */
  readonly registry?: PromRegistry | undefined
  /** What every name begins with. @default 'sluice_' */
  readonly prefix?: string | undefined
  /** Adds the label `end_user`: as many series as there are end users. @default false */
  readonly endUser?: boolean | undefined
  /** Upper bounds of seconds. @default LiteLLM's */
  readonly buckets?: readonly number[] | undefined
}

const schema = z.strictObject({
  client: z.custom<PromClient>(isClient, { error: 'must be the module prom-client' }),
  registry: objectWith<PromRegistry>('getSingleMetric', 'registerMetric', 'metrics').optional(),
  prefix: z
    .string()
    .regex(/^[a-zA-Z_:][\w:]*$/)
    .default('sluice_'),
  endUser: z.boolean().default(false),
  buckets: z.array(z.number().positive()).min(1).optional(),
})

function isClient(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ['Counter', 'Gauge'].every((name) => name in value)
}

/** Something to be counted. */
type Counted = { readonly record: CallRecord } | { readonly event: CallbackEvent }

/** Counted off the path of calls. */
export const prometheus = defineSink<z.output<typeof schema>, Counted>(schema, (settings, { stats }) => {
  const metrics = createMetrics(settings, stats)
  return {
    name: 'prometheus',
    batchSize: 200,
    parallel: 1,
    delayMs: 20,
    take: (record) => ({ record }),
    takeEvent: (event) => ({ event }),
    deliver(items) {
      const records = items.flatMap((item) => ('record' in item ? item.record : []))
      const events = items.flatMap((item) => ('event' in item ? item.event : []))
      const uncounted = events.filter((event) => !isDone(() => countEvent(event, metrics, settings.endUser)))
      return Promise.resolve({ refused: countCalls(records, metrics, settings) + uncounted.length })
    },
  }
})

/** Calls that are only counted have the labels that their records would have had. */
function countUnknown(event: CallbackEvent, metrics: Metrics, endUser: boolean): void {
  const read = (name: keyof UnknownCallersEvent): string => String(Reflect.get(event, name))
  const who = { hashed_api_key: '', team: '', user: '', ...(endUser && { end_user: '' }) }
  const what = { model_group: '', operation: read('operation'), outcome: read('outcome'), status_code: read('status') }
  metrics.requests.inc({ ...who, ...what }, numberOf(Reflect.get(event, 'calls')) ?? 0)
}

const [healthy, outage] = [0, 2]

function countEvent(event: CallbackEvent, metrics: Metrics, endUser: boolean): void {
  if (event.type === 'unknown_callers') return countUnknown(event, metrics, endUser)
  const deployment = stringOf(Reflect.get(event, 'deployment'))
  if (deployment === undefined) return
  const labels = { deployment, model_group: stringOf(Reflect.get(event, 'modelName')) ?? '' }
  if (event.type === 'recovered') metrics.deploymentState.set(labels, healthy)
  if (event.type !== 'cooldown') return
  metrics.deploymentState.set(labels, outage)
  metrics.cooldowns.inc(labels)
}
