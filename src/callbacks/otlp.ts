import { createHash } from 'node:crypto'
import type { CallRecord } from '../ports/callback.js'
import { version } from '../version.js'
import { type AttributeValue, type Attributes, type SpanFacts, toSpans } from './spans.js'

// OTLP's JSON form, which is that of its protobuf messages: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

/** `AnyValue` */
export type OtlpValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly OtlpValue[] } }

/** `KeyValue` */
export interface OtlpAttribute {
  readonly key: string
  readonly value: OtlpValue
}

/** `Span`; ids in hex, times in nanoseconds. */
export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly OtlpAttribute[]
  readonly events: readonly {
    readonly timeUnixNano: string
    readonly name: string
    readonly attributes: readonly OtlpAttribute[]
  }[]
  readonly status: { readonly code: number; readonly message: string }
}

/** `ExportTraceServiceRequest` */
export interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] }
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string; readonly version: string }
      readonly spans: readonly OtlpSpan[]
    }[]
  }[]
}

/** Doubles also where they happen to be whole: servers want one type for one name. */
const fractions: ReadonlySet<string> = new Set([
  'sluice.cost',
  'gen_ai.response.time_to_first_chunk',
  'gen_ai.request.temperature',
  'gen_ai.request.top_p',
])
const client = 3
const [ok, failed] = [1, 2]

/** Adds attributes of a vendor's own to the span of a call. */
export type VendorAttributes = (record: CallRecord) => Attributes

/** Calls as an OTLP request. Ids are made from the records', so that a batch sent twice is the same spans. */
export function toOtlp(
  records: readonly CallRecord[],
  serviceName: string,
  vendor: VendorAttributes = () => ({}),
): OtlpTraces {
  const spans = records.flatMap((record) => toOtlpSpans(record, vendor(record)))
  const resource = { attributes: toAttributes({ 'service.name': serviceName }) }
  return { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'sluice', version }, spans }] }] }
}

function toOtlpSpans(record: CallRecord, vendor: Attributes): readonly OtlpSpan[] {
  const { call, attempts } = toSpans(record)
  const traceId = record.trace?.traceId ?? hexId(record.callId, 32)
  const spanId = hexId(record.id, 16)
  const root = { ...call, attributes: { ...call.attributes, ...vendor } }
  return [
    toOtlpSpan(root, { traceId, spanId, parentSpanId: record.trace?.spanId ?? '' }),
    ...attempts.map((attempt, index) =>
      toOtlpSpan(attempt, { traceId, spanId: hexId(`${record.id} ${index}`, 16), parentSpanId: spanId }),
    ),
  ]
}

function toOtlpSpan(span: SpanFacts, ids: Pick<OtlpSpan, 'traceId' | 'spanId' | 'parentSpanId'>): OtlpSpan {
  return {
    ...ids,
    name: span.name,
    kind: client,
    startTimeUnixNano: nanoseconds(span.startedAt),
    endTimeUnixNano: nanoseconds(span.endedAt),
    attributes: toAttributes(span.attributes),
    events: span.events.map(({ name, at, attributes }) => ({
      timeUnixNano: nanoseconds(at),
      name,
      attributes: toAttributes(attributes),
    })),
    status: span.error === undefined ? { code: ok, message: '' } : { code: failed, message: span.error },
  }
}

function toAttributes(attributes: Attributes): readonly OtlpAttribute[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toValue(key, value) }))
}

function toValue(key: string, value: AttributeValue): OtlpValue {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') {
    const isInteger = Number.isSafeInteger(value) && !fractions.has(key)
    return isInteger ? { intValue: String(value) } : { doubleValue: value }
  }
  return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } }
}

function hexId(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}

function nanoseconds(milliseconds: number): string {
  return String(BigInt(Math.round(milliseconds * 1_000)) * 1_000n)
}
