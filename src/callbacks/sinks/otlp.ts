import { z } from 'zod'
import type { CallRecord } from '../../ports/callback.js'
import { inputOf, outputOf } from '../content.js'
import { deliverTo } from '../http.js'
import { type VendorAttributes, toOtlp } from '../otlp.js'
import { toProtobuf } from '../otlp-protobuf.js'
import { type SecretText, address, basic, bearer, fullAddress, headers, jsonHeaders, secret } from '../settings.js'
import { type Sink, type SinkParts, defineRecordSink } from '../sink.js'

/** Any OpenTelemetry collector that takes OTLP over HTTP in JSON. */
export interface OtlpOptions {
  /** The whole address, such as `http://localhost:4318/v1/traces`. */
  readonly url: string
  /** What the collector wants besides: an API key ... */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** @default 'sluice' */
  readonly serviceName?: string | undefined
}

/** Traceloop, over OTLP. */
export interface TraceloopOptions {
  readonly apiKey: SecretText
  /** @default 'https://api.traceloop.com' */
  readonly baseUrl?: string | undefined
  /** @default 'sluice' */
  readonly serviceName?: string | undefined
}

/** MLflow from 3.6 on, whose tracking server takes traces over OTLP. */
export interface MlflowOptions {
  readonly trackingUri: string
  /** @default '0', MLflow's own default experiment */
  readonly experimentId?: string | undefined
  /** A bearer token, as Databricks wants it. */
  readonly token?: SecretText | undefined
  readonly username?: string | undefined
  readonly password?: SecretText | undefined
  /** @default 'sluice' */
  readonly serviceName?: string | undefined
}

const serviceName = z.string().min(1).default('sluice')

/** One trace for every call, its attempts below it. */
export const otlp = defineRecordSink(
  z.strictObject({ url: fullAddress, headers: headers.default({}), serviceName }),
  (settings, parts) =>
    otlpSink('otlp', parts, (records) => ({
      url: settings.url,
      headers: { ...settings.headers, ...jsonHeaders },
      body: JSON.stringify(toOtlp(records, settings.serviceName)),
    })),
)

/** https://www.traceloop.com/docs/openllmetry/integrations/traceloop */
export const traceloop = defineRecordSink(
  z.strictObject({ apiKey: secret, baseUrl: address.default('https://api.traceloop.com'), serviceName }),
  (settings, parts) =>
    otlpSink('traceloop', parts, (records) => ({
      url: `${settings.baseUrl}/v1/traces`,
      headers: { ...jsonHeaders, authorization: bearer(settings.apiKey) },
      body: JSON.stringify(toOtlp(records, settings.serviceName, traceloopAttributes)),
    })),
)

const mlflowSchema = z.strictObject({
  trackingUri: address,
  experimentId: z.string().min(1).default('0'),
  token: secret.optional(),
  username: z.string().optional(),
  password: secret.optional(),
  serviceName,
})

/** The server reads protobuf only: https://mlflow.org/docs/latest/genai/tracing/opentelemetry/ingest/ */
export const mlflow = defineRecordSink(mlflowSchema, (settings, parts) =>
  otlpSink('mlflow', parts, (records) => ({
    url: `${settings.trackingUri}/v1/traces`,
    headers: {
      'content-type': 'application/x-protobuf',
      'x-mlflow-experiment-id': settings.experimentId,
      ...mlflowAuthorization(settings),
    },
    body: toProtobuf(toOtlp(records, settings.serviceName, mlflowAttributes)),
  })),
)

function otlpSink(
  name: string,
  { send }: SinkParts,
  toRequest: (records: readonly CallRecord[]) => Parameters<typeof deliverTo>[1],
): Omit<Sink<CallRecord>, 'take'> {
  return {
    name,
    batchSize: 100,
    parallel: 2,
    async deliver(records, deadlineMs) {
      await deliverTo(send, toRequest(records), deadlineMs)
      return {}
    },
  }
}

function mlflowAuthorization({
  token,
  username,
  password,
}: z.output<typeof mlflowSchema>): Readonly<Record<string, string>> {
  if (token) return { authorization: bearer(token) }
  if (username !== undefined && password) return { authorization: basic(username, password) }
  return {}
}

const traceloopAttributes: VendorAttributes = (record) => ({
  'traceloop.span.kind': 'workflow',
  'traceloop.workflow.name': `sluice.${record.operation}`,
  'traceloop.entity.name': `sluice.${record.operation}`,
  'traceloop.association.properties.caller': record.caller,
  ...(record.endUser !== undefined && { 'traceloop.association.properties.user_id': record.endUser }),
  ...(record.sessionId !== undefined && { 'traceloop.association.properties.session_id': record.sessionId }),
})

const mlflowSpanTypes: Readonly<Record<string, string>> = { chat: 'CHAT_MODEL', embeddings: 'EMBEDDING' }

const mlflowAttributes: VendorAttributes = (record) => {
  const { inputTokens, outputTokens } = record
  const usage = { input_tokens: inputTokens, output_tokens: outputTokens, total_tokens: inputTokens + outputTokens }
  const [input, output] = [inputOf(record), outputOf(record)]
  return {
    'mlflow.spanType': mlflowSpanTypes[record.operation] ?? 'LLM',
    'mlflow.chat.tokenUsage': JSON.stringify(usage),
    ...(input !== undefined && { 'mlflow.spanInputs': JSON.stringify(input) }),
    ...(output !== undefined && { 'mlflow.spanOutputs': JSON.stringify(output) }),
    ...(record.sessionId !== undefined && { 'mlflow.trace.session': record.sessionId }),
    'mlflow.trace.user': record.endUser ?? record.caller,
  }
}
