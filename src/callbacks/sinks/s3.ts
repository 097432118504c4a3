import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { CallRecord } from '../../ports/callback.js'
import { type AwsOptions, awsAddress, awsShape, createAwsSender, toDayAndTime } from '../aws-sender.js'
import { DeliveryError, isTransient } from '../http.js'
import { defineRecordSink } from '../sink.js'
import { toLines } from './webhook.js'

/** Objects in S3, or what speaks its language: a batch of records each, one a line. */
export interface S3Options extends AwsOptions {
  readonly bucket: string
  /** What the objects' names begin with: letters, digits and `/ . _ -`. @default 'sluice/' */
  readonly prefix?: string | undefined
}

const schema = z.strictObject({
  ...awsShape,
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { error: 'must be the name of a bucket' }),
  // Only what is the same before and after percent-encoding, so that there is one way to sign it.
  prefix: z
    .string()
    .regex(/^(?:[\w.-]+\/)*[\w.-]*$/, { error: 'may hold letters, digits and / . _ -' })
    .refine((prefix) => !/(^|\/)\.\.?(\/|$)/.test(prefix), { error: 'must not hold . or .. as a part' })
    .default('sluice/'),
})

/** `PutObject`: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export const s3 = defineRecordSink(schema, (settings, parts) => {
  const send = createAwsSender('s3', settings, parts)
  return {
    name: 's3',
    batchSize: 500,
    parallel: 2,
    async deliver(records, deadlineMs) {
      const body = toLines(records)
      const headers = {
        'content-type': 'application/x-ndjson',
        'x-amz-content-sha256': createHash('sha256').update(body).digest('hex'),
      }
      const url = `${bucketAddress(settings)}/${settings.prefix}${nameOf(records)}`
      const { status, retryAfterMs } = await send({ method: 'PUT', url, headers, body }, deadlineMs)
      if (status >= 200 && status < 300) return {}
      throw new DeliveryError(`answered ${status}`, { retry: isTransient(status), retryAfterMs })
    },
  }
})

/** The bucket is in the path where the host gives an endpoint or its name has dots, which certificates do not cover. */
function bucketAddress(settings: z.output<typeof schema>): string {
  const { bucket, endpoint } = settings
  const service = awsAddress('s3', settings)
  if (endpoint !== undefined || bucket.includes('.')) return `${service}/${bucket}`
  return service.replace('://', `://${bucket}.`)
}

/** `2026-11-25/23-59-59-123-<id>.jsonl`; the same for the same records, so that a batch sent twice is one object. */
function nameOf(records: readonly CallRecord[]): string {
  const [first] = records
  const { day, time } = toDayAndTime(first?.endedAt ?? 0)
  const ids = records.map(({ id }) => id).join(' ')
  return `${day}/${time}-${createHash('sha256').update(ids).digest('hex').slice(0, 24)}.jsonl`
}
