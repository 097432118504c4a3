import { Histogram, type Labels } from './histogram.js'
import type { SinkStats } from './sink.js'

/** What is used of prom-client's counters. */
export interface PromCounter {
  inc(labels: Labels, value?: number): void
}

/** What is used of histograms: ours, or one of another copy of this package. */
export type PromHistogram = Pick<Histogram, 'observeAll'>

/** What is used of its gauges. */
export interface PromGauge {
  set(labels: Labels, value: number): void
}

/** What is used of its registries. */
export interface PromRegistry {
  getSingleMetric(name: string): unknown
  registerMetric(metric: never): void
}

interface PromSettings {
  readonly name: string
  readonly help: string
  readonly labelNames: string[]
  readonly registers: never[]
  readonly collect?: () => void
}

/** What is used of the module prom-client. */
export interface PromClient {
  readonly Counter: new (settings: PromSettings) => PromCounter
  readonly Gauge: new (settings: PromSettings) => PromGauge
  readonly register: PromRegistry
}

/** Every metric of a gateway; the names and help texts are below. */
export interface Metrics {
  readonly requests: PromCounter
  readonly spend: PromCounter
  readonly inputTokens: PromCounter
  readonly outputTokens: PromCounter
  readonly cacheHits: PromCounter
  readonly attempts: PromCounter
  readonly cooldowns: PromCounter
  readonly duration: PromHistogram
  readonly overhead: PromHistogram
  readonly firstToken: PromHistogram
  readonly attemptDuration: PromHistogram
  readonly deploymentState: PromGauge
}

/** How metrics are made. */
export interface MetricSettings {
  readonly client: PromClient
  readonly registry?: PromRegistry | undefined
  readonly prefix: string
  readonly endUser: boolean
  readonly buckets?: readonly number[] | undefined
}

// LiteLLM's: 5 ms to 5 min.
const standardBuckets = [
  0.005, 0.00625, 0.0125, 0.025, 0.05, 0.1, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5,
  10, 15, 20, 25, 30, 60, 120, 180, 240, 300,
]

/** Makes the metrics, or finds those that another gateway made in the same registry. */
export function createMetrics(settings: MetricSettings, stats: () => Readonly<Record<string, SinkStats>>): Metrics {
  const make = createMaker(settings)
  const who = ['hashed_api_key', 'team', 'user', ...(settings.endUser ? ['end_user'] : [])]
  const place = ['api_provider', 'model']
  const spent = [...who, 'model_group', ...place]
  const deployment = ['deployment', 'model_group', ...place]
  make.gauge(
    'callback_records',
    'Records of each callback: queued, delivered, dropped, failed',
    ['callback', 'state'],
    (gauge) => {
      for (const [callback, states] of Object.entries(stats())) {
        for (const [state, count] of Object.entries(states)) gauge.set({ callback, state }, Number(count))
      }
    },
  )
  return {
    requests: make.counter('requests_total', 'Calls that are over', [
      ...who,
      'model_group',
      'operation',
      'outcome',
      'status_code',
    ]),
    spend: make.counter('spend_dollars_total', 'Dollars charged; the ledger has them exactly', spent),
    inputTokens: make.counter('input_tokens_total', 'Tokens of prompts', spent),
    outputTokens: make.counter('output_tokens_total', 'Tokens of answers', spent),
    cacheHits: make.counter('cache_hits_total', 'Calls answered from the cache', ['model_group', 'operation']),
    attempts: make.counter('deployment_attempts_total', 'Attempts at deployments', [
      ...deployment,
      'reason',
      'outcome',
      'failure',
    ]),
    cooldowns: make.counter('deployment_cooldowns_total', 'Cooldowns that began', ['deployment', 'model_group']),
    duration: make.histogram('request_duration_seconds', 'Calls from start to end', [
      'model_group',
      'operation',
      'status',
    ]),
    overhead: make.histogram('overhead_seconds', 'Time of calls in which no attempt ran', ['model_group', 'operation']),
    firstToken: make.histogram('time_to_first_token_seconds', 'Streams until their first content', [
      'model_group',
      ...place,
    ]),
    attemptDuration: make.histogram('deployment_duration_seconds', 'Attempts from start to end', [
      ...deployment,
      'outcome',
    ]),
    deploymentState: make.gauge('deployment_state', '0: takes calls, 2: cools down', ['deployment', 'model_group']),
  }
}

/** prom-client's own, which the host may have made. */
interface ClientHistogram {
  observe(labels: Labels, value: number): void
}

function oneByOne(histogram: ClientHistogram): PromHistogram {
  return {
    observeAll(labels, values) {
      for (const value of values) histogram.observe(labels, value)
    },
  }
}

interface Maker {
  counter(name: string, help: string, labelNames: string[]): PromCounter
  histogram(name: string, help: string, labelNames: string[]): PromHistogram
  gauge(name: string, help: string, labelNames: string[], collect?: (gauge: PromGauge) => void): PromGauge
}

function createMaker({ client, registry = client.register, prefix, buckets = standardBuckets }: MetricSettings): Maker {
  // A registry of prom-client's own class, which only prom-client's own types can name.
  const registers = [registry as never]
  const known = (name: string): unknown => registry.getSingleMetric(`${prefix}${name}`)
  const common = (name: string, help: string, labelNames: string[]): PromSettings => ({
    name: `${prefix}${name}`,
    help,
    labelNames,
    registers,
  })
  return {
    counter(name, help, labelNames) {
      const found = known(name)
      return isCounter(found) ? found : new client.Counter(common(name, help, labelNames))
    },
    histogram(name, help, labelNames) {
      const found = known(name)
      if (isHistogram(found)) return found
      if (isClientHistogram(found)) return oneByOne(found)
      const histogram = new Histogram({ name: `${prefix}${name}`, help, labelNames, buckets })
      registry.registerMetric(histogram as never)
      return histogram
    },
    gauge(name, help, labelNames, collect) {
      const found = known(name)
      if (isGauge(found)) return found
      const gauge: PromGauge = new client.Gauge({
        ...common(name, help, labelNames),
        ...(collect && { collect: () => collect(gauge) }),
      })
      return gauge
    },
  }
}

const isCounter = (value: unknown): value is PromCounter => hasMethod(value, 'inc')
// Not `instanceof`: two copies of this package may share a registry.
const isHistogram = (value: unknown): value is PromHistogram => hasMethod(value, 'observeAll')
const isClientHistogram = (value: unknown): value is ClientHistogram => hasMethod(value, 'observe')
const isGauge = (value: unknown): value is PromGauge => hasMethod(value, 'set')

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function'
}
