import { z } from 'zod'
import type { CallRecord, TraceParent } from '../../ports/callback.js'
import { version } from '../../version.js'
import { groupAlike } from '../alike.js'
import { isDone } from '../is-done.js'
import { objectWith } from '../settings.js'
import { defineRecordSink } from '../sink.js'
import { type Attributes, type SpanFacts, hasSameMetrics, metricAttributes, toSpans } from '../spans.js'

/** What is used of a span of `@opentelemetry/api`. */
export interface OtelSpan {
  addEvent(name: string, attributes: Attributes, time: Date): unknown
  setStatus(status: { readonly code: number; readonly message?: string }): unknown
  spanContext(): { readonly traceId: string; readonly spanId: string; readonly traceFlags: number }
  end(time: Date): void
}

/** What is used of a tracer. */
export interface OtelTracer {
  startSpan(name: string, options: object, context: unknown): OtelSpan
}

/** What is used of an instrument. */
export interface OtelInstrument {
  record(value: number, attributes: Attributes): void
}

/** What is used of `@opentelemetry/api`; pass the module. */
export interface OtelApi {
  readonly ROOT_CONTEXT: unknown
  readonly trace: {
    getTracer(name: string, version?: string): OtelTracer
    getActiveSpan(): OtelSpan | undefined
    setSpan(context: unknown, span: OtelSpan): unknown
    setSpanContext(context: unknown, parent: object): unknown
  }
  readonly metrics: {
    getMeter(
      name: string,
      version?: string,
    ): {
      createHistogram(name: string, options: object): OtelInstrument
      createCounter(name: string, options: object): { add(value: number, attributes: Attributes): void }
    }
  }
}

/** Spans and metrics over the host's OpenTelemetry, with the names of its GenAI semantic conventions. */
export interface OpenTelemetryOptions {
  /** `import * as api from '@opentelemetry/api'`; whatever SDK the host has set up gets the spans. */
  readonly api: OtelApi
}

const schema = z.strictObject({ api: z.custom<OtelApi>(isApi, { error: 'must be the module @opentelemetry/api' }) })
const hasTracer = objectWith('getTracer', 'setSpanContext')

function isApi(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('trace' in value) || !('metrics' in value)) return false
  return hasTracer.safeParse(value.trace).success && objectWith('getMeter').safeParse(value.metrics).success
}

const client = 2
const failed = 2
const tokenBuckets = [
  1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
]
const secondBuckets = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]

/** https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ and gen-ai-metrics/ */
export const opentelemetry = defineRecordSink(schema, ({ api }) => {
  // The API hands on to whatever SDK the host sets up, also later.
  const tracer = api.trace.getTracer('sluice', version)
  const measure = createMeasure(api)
  return {
    name: 'opentelemetry',
    batchSize: 50,
    parallel: 1,
    delayMs: 50,
    deliver(records) {
      const written = records.filter((record) => isDone(() => writeSpans(record, api, tracer)))
      const alike = groupAlike(written, hasSameMetrics)
      const unmeasured = alike.filter((calls) => !isDone(() => measure(calls))).flat()
      return Promise.resolve({ refused: records.length - written.length + unmeasured.length })
    },
  }
})

/** The host's span that is active now, so that calls become its children; undefined where there is none. Never throws. */
export function activeTrace(api: OtelApi): TraceParent | undefined {
  try {
    const span = api.trace.getActiveSpan()?.spanContext()
    return span && { traceId: span.traceId, spanId: span.spanId, flags: span.traceFlags }
  } catch {
    return undefined
  }
}

function writeSpans(record: CallRecord, api: OtelApi, tracer: OtelTracer): void {
  const { call, attempts } = toSpans(record)
  const root = writeSpan(call, tracer, parentOf(record, api))
  const below = api.trace.setSpan(api.ROOT_CONTEXT, root)
  for (const attempt of attempts) endSpan(writeSpan(attempt, tracer, below), attempt)
  endSpan(root, call)
}

function writeSpan(
  { name, startedAt, attributes, events, error }: SpanFacts,
  tracer: OtelTracer,
  parent: unknown,
): OtelSpan {
  const options = { kind: client, startTime: new Date(startedAt), attributes }
  const span = tracer.startSpan(name, options, parent)
  for (const event of events) span.addEvent(event.name, event.attributes, new Date(event.at))
  if (error !== undefined) span.setStatus({ code: failed, message: error })
  return span
}

function endSpan(span: OtelSpan, { endedAt }: SpanFacts): void {
  span.end(new Date(endedAt))
}

function parentOf({ trace }: CallRecord, api: OtelApi): unknown {
  if (!trace) return api.ROOT_CONTEXT
  const { traceId, spanId, flags = 1 } = trace
  return api.trace.setSpanContext(api.ROOT_CONTEXT, { traceId, spanId, traceFlags: flags, isRemote: true })
}

type AlikeCalls = readonly [CallRecord, ...CallRecord[]]

function createMeasure(api: OtelApi): (calls: AlikeCalls) => void {
  const meter = api.metrics.getMeter('sluice', version)
  const histogram = (name: string, unit: string, buckets: readonly number[]) =>
    meter.createHistogram(name, { unit, advice: { explicitBucketBoundaries: [...buckets] } })
  const duration = histogram('gen_ai.client.operation.duration', 's', secondBuckets)
  const firstChunk = histogram('gen_ai.client.operation.time_to_first_chunk', 's', secondBuckets)
  const tokens = histogram('gen_ai.client.token.usage', '{token}', tokenBuckets)
  const cost = meter.createCounter('sluice.cost', { unit: '{USD}', description: 'What providers charge.' })
  return (calls) => {
    const attributes = metricAttributes(calls[0])
    const input = { ...attributes, 'gen_ai.token.type': 'input' }
    const output = { ...attributes, 'gen_ai.token.type': 'output' }
    for (const { startedAt, firstTokenAt, endedAt, inputTokens, outputTokens, cost: dollars } of calls) {
      duration.record((endedAt - startedAt) / 1_000, attributes)
      if (firstTokenAt !== undefined) firstChunk.record((firstTokenAt - startedAt) / 1_000, attributes)
      if (inputTokens > 0) tokens.record(inputTokens, input)
      if (outputTokens > 0) tokens.record(outputTokens, output)
      if (dollars !== '0') cost.add(Number(dollars), attributes)
    }
  }
}
