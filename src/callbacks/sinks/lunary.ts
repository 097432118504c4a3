import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { CallRecord } from '../../ports/callback.js'
import { type JsonObject, isObject, parseJson } from '../../wire/json.js'
import { inputMessages, isoTime, labelsOf, modelOf, outputOf, parametersOf, userOf } from '../content.js'
import { deliverTo } from '../http.js'
import { type SecretText, address, bearer, jsonHeaders, secret } from '../settings.js'
import { type Delivery, defineRecordSink } from '../sink.js'

/** Lunary: one run for every call. */
export interface LunaryOptions {
  /** The project's public key, a UUID. */
  readonly publicKey: SecretText
  /** @default 'https://api.lunary.ai' */
  readonly baseUrl?: string | undefined
}

const schema = z.strictObject({ publicKey: secret, baseUrl: address.default('https://api.lunary.ai') })

/** The ingestion API: a run is a `start` and an `end` or `error`. https://docs.lunary.ai/docs/api/runs/ingest */
export const lunary = defineRecordSink(schema, ({ publicKey, baseUrl }, { send }) => ({
  name: 'lunary',
  batchSize: 50,
  parallel: 2,
  async deliver(records, deadlineMs) {
    const request = {
      url: `${baseUrl}/v1/runs/ingest`,
      headers: { ...jsonHeaders, authorization: bearer(publicKey) },
      body: JSON.stringify({ events: records.flatMap(toEvents) }),
    }
    return readAnswer(await deliverTo(send, request, deadlineMs), records)
  },
}))

function toEvents(record: CallRecord): readonly JsonObject[] {
  const common = { type: record.operation === 'embeddings' ? 'embed' : 'llm', runId: toUuid(record.id) }
  const start = {
    ...common,
    event: 'start',
    timestamp: isoTime(record.startedAt),
    name: modelOf(record),
    userId: userOf(record),
    tags: record.tags,
    input: inputMessages(record),
    params: parametersOf(record),
    metadata: { ...labelsOf(record), cost: Number(record.cost) },
    runtime: 'sluice',
  }
  // Events are put in order by their time, and an end must not come before its start.
  const timestamp = isoTime(Math.max(record.endedAt, record.startedAt + 1))
  if (record.error) {
    const { kind, message } = record.error
    return [start, { ...common, event: 'error', timestamp, error: { message, stack: kind } }]
  }
  const tokensUsage = { prompt: record.inputTokens, completion: record.outputTokens }
  return [start, { ...common, event: 'end', timestamp, output: outputOf(record), tokensUsage }]
}

/** The API answers 200, and says of each event whether it was taken; a run that it has already is one that was sent twice. */
function readAnswer(text: string, records: readonly CallRecord[]): Delivery<CallRecord> {
  const answer = parseJson(text)
  const results: unknown = isObject(answer) ? answer['results'] : undefined
  const failed = (Array.isArray(results) ? results.filter(isObject) : [])
    .filter(({ success, error }) => success === false && !/already exists/.test(String(error)))
    .map(({ id }) => id)
  return { refused: records.filter(({ id }) => failed.includes(toUuid(id))).length }
}

/** The same UUID for the same record, so that one sent twice is one run. */
function toUuid(id: string): string {
  const hex = createHash('sha256').update(id).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
