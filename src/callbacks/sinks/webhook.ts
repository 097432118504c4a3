import { z } from 'zod'
import type { CallRecord } from '../../ports/callback.js'
import { deliverTo } from '../http.js'
import { fullAddress, headers } from '../settings.js'
import { defineRecordSink } from '../sink.js'

/** Any server that takes records over HTTP. */
export interface WebhookOptions {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** An array of records, a record a line, or a request for every record. @default 'json_array' */
  readonly format?: 'json_array' | 'ndjson' | 'single' | undefined
  /** Most records of one request. @default 100 */
  readonly batchSize?: number | undefined
}

const schema = z.strictObject({
  url: fullAddress,
  headers: headers.default({}),
  format: z.enum(['json_array', 'ndjson', 'single']).default('json_array'),
  batchSize: z.number().int().positive().max(1_000).default(100),
})

const formats = {
  json_array: { type: 'application/json', write: (records: readonly CallRecord[]) => JSON.stringify(records) },
  ndjson: { type: 'application/x-ndjson', write: toLines },
  single: { type: 'application/json', write: ([record]: readonly CallRecord[]) => JSON.stringify(record) },
} as const

/** Records as they are, posted. The receiver knows repetitions by `id`. */
export const webhook = defineRecordSink(schema, (settings, { send }) => ({
  name: 'webhook',
  batchSize: settings.format === 'single' ? 1 : settings.batchSize,
  parallel: settings.format === 'single' ? 8 : 2,
  async deliver(records, deadlineMs) {
    const { type, write } = formats[settings.format]
    const request = {
      url: settings.url,
      headers: { 'content-type': type, ...settings.headers },
      body: write(records),
    }
    await deliverTo(send, request, deadlineMs)
    return {}
  },
}))

/** A record a line. */
export function toLines(records: readonly CallRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}
