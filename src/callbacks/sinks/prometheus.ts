import { z } from 'zod'
import type { CallRecord, CallbackEvent, UnknownCallersEvent } from '../../ports/callback.js'
import type { ScopeKind } from '../../ports/ledger.js'
import { numberOf, stringOf } from '../../wire/json.js'
import { type PromClient, type PromRegistry, createMetrics, type Labels, type Metrics } from '../metrics.js'
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
  return typeof value === 'object' && value !== null && ['Counter', 'Histogram', 'Gauge'].every((name) => name in value)
}

/** Counted off the path of calls, in the order in which they ended. */
export const prometheus = defineSink(schema, (settings, { stats }) => {
  const metrics = createMetrics(settings, stats)
  return {
    name: 'prometheus',
    batchSize: 200,
    parallel: 1,
    delayMs: 20,
    take: (record: CallRecord) => () => countCall(record, metrics, settings.endUser),
    takeEvent: (event) => () => countEvent(event, metrics, settings.endUser),
    deliver: (counts) => Promise.resolve({ refused: counts.filter((count) => !isCounted(count)).length }),
  }
})

function isCounted(count: () => void): boolean {
  try {
    count()
    return true
  } catch {
    return false
  }
}

function countCall(record: CallRecord, metrics: Metrics, endUser: boolean): void {
  const { outcome, operation, status, startedAt, firstTokenAt, endedAt } = record
  // A name that a client made up is no label.
  const group = { model_group: record.modelName ?? '' }
  const who = { ...callerLabels(record), ...(endUser && { end_user: record.endUser ?? '' }) }
  const place = { api_provider: record.provider ?? '', model: record.model ?? '' }
  metrics.requests.inc({ ...who, ...group, operation, outcome, status_code: String(record.error?.status ?? 200) })
  metrics.duration.observe({ ...group, operation, status }, (endedAt - startedAt) / 1_000)
  metrics.overhead.observe({ ...group, operation }, overheadMs(record) / 1_000)
  if (firstTokenAt !== undefined) {
    metrics.firstToken.observe({ ...group, ...place }, (firstTokenAt - startedAt) / 1_000)
  }
  const spent: Labels = { ...who, ...group, ...place }
  if (record.inputTokens > 0) metrics.inputTokens.inc(spent, record.inputTokens)
  if (record.outputTokens > 0) metrics.outputTokens.inc(spent, record.outputTokens)
  if (record.charged !== '0') metrics.spend.inc(spent, Number(record.charged))
  if (record.cached) metrics.cacheHits.inc({ ...group, operation })
  countAttempts(record, metrics)
}

function countAttempts({ attempts }: CallRecord, metrics: Metrics): void {
  for (const { deployment, modelName, provider, model, outcome, error, startedAt, endedAt, reason } of attempts) {
    const labels = { deployment, model_group: modelName, api_provider: provider, model }
    metrics.attempts.inc({ ...labels, reason, outcome, failure: error?.kind ?? '' })
    metrics.attemptDuration.observe({ ...labels, outcome }, (endedAt - startedAt) / 1_000)
  }
}

/** Whom a call counts for, as LiteLLM names them. */
function callerLabels({ scopes }: CallRecord): Labels {
  const idOf = (wanted: ScopeKind): string => scopes.find(({ kind }) => kind === wanted)?.id ?? ''
  return { hashed_api_key: idOf('key'), team: idOf('team'), user: idOf('user') }
}

/** Calls that are only counted have the labels that their records would have had. */
function countUnknown(event: CallbackEvent, metrics: Metrics, endUser: boolean): void {
  const read = (name: keyof UnknownCallersEvent): string => String(Reflect.get(event, name))
  const who = { hashed_api_key: '', team: '', user: '', ...(endUser && { end_user: '' }) }
  const what = { model_group: '', operation: read('operation'), outcome: read('outcome'), status_code: read('status') }
  metrics.requests.inc({ ...who, ...what }, numberOf(Reflect.get(event, 'calls')) ?? 0)
}

/** Time of the call in which no attempt ran. */
function overheadMs({ attempts, startedAt, endedAt }: CallRecord): number {
  let covered = startedAt
  let overhead = 0
  for (const attempt of attempts.toSorted((left, right) => left.startedAt - right.startedAt)) {
    overhead += Math.max(0, attempt.startedAt - covered)
    covered = Math.max(covered, attempt.endedAt)
  }
  return overhead + Math.max(0, endedAt - covered)
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
