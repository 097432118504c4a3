import { z } from 'zod'
import type { CallRecord } from '../../ports/callback.js'
import { type JsonObject, isObject, numberOf, parseJson, stringOf } from '../../wire/json.js'
import { inputOf, isoTime, labelsOf, modelOf, outputOf, parametersOf, userOf } from '../content.js'
import { deliverTo } from '../http.js'
import { type SecretText, address, basic, jsonHeaders, secret } from '../settings.js'
import { type Delivery, defineRecordSink } from '../sink.js'

/** Langfuse: one trace with one generation for every call. */
export interface LangfuseOptions {
  /** `pk-lf-…` */
  readonly publicKey: string
  /** `sk-lf-…` */
  readonly secretKey: SecretText
  /** @default 'https://cloud.langfuse.com' */
  readonly baseUrl?: string | undefined
  readonly release?: string | undefined
  /** Lower-case letters, digits, `-` and `_`. @default Langfuse's own, `default` */
  readonly environment?: string | undefined
}

const schema = z.strictObject({
  publicKey: z.string().min(1),
  secretKey: secret,
  baseUrl: address.default('https://cloud.langfuse.com'),
  release: z.string().optional(),
  environment: z
    .string()
    .regex(/^(?!langfuse)[a-z0-9_-]{1,40}$/, { error: 'must be lower-case letters, digits, - and _' })
    .optional(),
})

type Settings = z.output<typeof schema>

/** The batch ingestion API: https://api.reference.langfuse.com/#tag/ingestion */
export const langfuse = defineRecordSink(schema, (settings, { send }) => ({
  name: 'langfuse',
  batchSize: 100,
  parallel: 2,
  async deliver(records, deadlineMs) {
    const batch = records.flatMap((record) => toEvents(record, settings))
    const request = {
      url: `${settings.baseUrl}/api/public/ingestion`,
      headers: { ...jsonHeaders, authorization: basic(settings.publicKey, settings.secretKey) },
      body: JSON.stringify({ batch, metadata: { sdk_integration: 'sluice', batch_size: batch.length } }),
    }
    return readAnswer(await deliverTo(send, request, deadlineMs), records)
  },
}))

function toEvents(record: CallRecord, settings: Settings): readonly JsonObject[] {
  const traceId = record.trace?.traceId ?? record.callId
  const common = {
    environment: settings.environment,
    input: inputOf(record),
    output: outputOf(record),
    metadata: labelsOf(record),
  }
  const trace = {
    ...common,
    id: traceId,
    timestamp: isoTime(record.startedAt),
    name: `sluice-${record.operation}`,
    userId: userOf(record),
    sessionId: record.sessionId,
    tags: record.tags,
    release: settings.release,
  }
  const generation = {
    ...common,
    id: record.id,
    traceId,
    name: record.operation,
    startTime: isoTime(record.startedAt),
    endTime: isoTime(record.endedAt),
    completionStartTime: record.firstTokenAt === undefined ? undefined : isoTime(record.firstTokenAt),
    model: modelOf(record),
    modelParameters: parametersOf(record),
    usageDetails: { ...usageOf(record), total: record.inputTokens + record.outputTokens },
    costDetails: record.priced ? { total: Number(record.cost) } : undefined,
    level: record.error ? 'ERROR' : 'DEFAULT',
    statusMessage: record.error?.message,
  }
  const timestamp = isoTime(record.endedAt)
  return [
    { id: `${record.id}-trace`, type: 'trace-create', timestamp, body: trace },
    { id: `${record.id}-generation`, type: 'generation-create', timestamp, body: generation },
  ]
}

/** Names beginning with `input` and `output` are what Langfuse adds up by itself. */
function usageOf({ inputTokens, outputTokens, usage }: CallRecord): JsonObject {
  const read = (usage['cacheRead'] ?? 0) + (usage['cacheReadAudio'] ?? 0) + (usage['cacheReadImage'] ?? 0)
  const written = (usage['cacheWrite5m'] ?? 0) + (usage['cacheWrite1h'] ?? 0)
  const reasoning = usage['reasoning'] ?? 0
  return {
    input: inputTokens - read - written,
    output: outputTokens - reasoning,
    ...(read > 0 && { input_cached_tokens: read }),
    ...(written > 0 && { input_cache_creation: written }),
    ...(reasoning > 0 && { output_reasoning_tokens: reasoning }),
  }
}

/** The API answers 207, and says of each event what became of it. */
function readAnswer(text: string, records: readonly CallRecord[]): Delivery<CallRecord> {
  const answer = parseJson(text)
  const errors: unknown = isObject(answer) ? answer['errors'] : undefined
  const failures = (Array.isArray(errors) ? errors.filter(isObject) : []).map((error) => ({
    id: stringOf(error['id'])?.replace(/-(trace|generation)$/, ''),
    status: numberOf(error['status']) ?? 500,
  }))
  const isFailed = (wanted: boolean) => (record: CallRecord) =>
    failures.some(({ id, status }) => id === record.id && (status >= 500 || status === 429) === wanted)
  const again = records.filter(isFailed(true))
  return { again, refused: records.filter((record) => !again.includes(record)).filter(isFailed(false)).length }
}
