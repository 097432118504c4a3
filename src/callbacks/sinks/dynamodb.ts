import { z } from 'zod'
import type { CallRecord } from '../../ports/callback.js'
import { type JsonObject, isObject, parseJson, stringOf } from '../../wire/json.js'
import { type AwsOptions, awsAddress, awsShape, createAwsSender } from '../aws-sender.js'
import { DeliveryError, type SinkAnswer, isTransient } from '../http.js'
import { defineRecordSink } from '../sink.js'

/** Items in a DynamoDB table whose partition key is a text. */
export interface DynamoDbOptions extends AwsOptions {
  readonly table: string
  /** The partition key's name; it gets the record's id. @default 'id' */
  readonly key?: string | undefined
}

const schema = z.strictObject({
  ...awsShape,
  table: z.string().regex(/^[\w.-]{3,255}$/, { error: 'must be the name of a table' }),
  key: z.string().min(1).max(255).default('id'),
})

const mostItems = 25
const throttled = /Throttling|Throughput|LimitExceeded/

/** `BatchWriteItem`: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html */
export const dynamodb = defineRecordSink(schema, (settings, parts) => {
  const { table, key } = settings
  const send = createAwsSender('dynamodb', settings, parts)
  return {
    name: 'dynamodb',
    batchSize: mostItems,
    parallel: 2,
    async deliver(records, deadlineMs) {
      const requests = records.map((record) => ({ PutRequest: { Item: toItem(record, key) } }))
      const headers = {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'DynamoDB_20120810.BatchWriteItem',
      }
      const body = JSON.stringify({ RequestItems: { [table]: requests } })
      const answer = await send({ url: `${awsAddress('dynamodb', settings)}/`, headers, body }, deadlineMs)
      const left = readUnprocessed(answer, table, key)
      return { again: records.filter(({ id }) => left.has(id)) }
    },
  }
})

/** Ids of the items that were not written; throttling is a 400 here. */
function readUnprocessed({ status, text }: SinkAnswer, table: string, key: string): ReadonlySet<string> {
  const answer = parseJson(text)
  const body: JsonObject = isObject(answer) ? answer : {}
  if (status < 200 || status >= 300) {
    const retry = isTransient(status) || throttled.test(stringOf(body['__type']) ?? '')
    throw new DeliveryError(`answered ${status}`, { retry })
  }
  const tables = body['UnprocessedItems']
  const left: unknown = isObject(tables) ? tables[table] : undefined
  return new Set(Array.isArray(left) ? left.flatMap((request) => idOf(request, key)) : [])
}

function idOf(request: unknown, key: string): readonly string[] {
  const put = isObject(request) ? request['PutRequest'] : undefined
  const item = isObject(put) ? put['Item'] : undefined
  const value = isObject(item) ? item[key] : undefined
  const id = isObject(value) ? stringOf(value['S']) : undefined
  return id === undefined ? [] : [id]
}

function toItem(record: CallRecord, key: string): JsonObject {
  const { id, ...rest } = record
  return { ...toMap(rest), [key]: { S: id } }
}

/** Any JSON value as an `AttributeValue`. */
function toAttribute(value: unknown): JsonObject {
  if (typeof value === 'string') return { S: value }
  if (typeof value === 'number' && Number.isFinite(value)) return { N: String(value) }
  if (typeof value === 'boolean') return { BOOL: value }
  if (Array.isArray(value)) return { L: value.map(toAttribute) }
  if (isObject(value)) return { M: toMap(value) }
  return { NULL: true }
}

function toMap(object: object): JsonObject {
  const known = Object.entries(object).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known.map(([name, value]) => [name, toAttribute(value)]))
}
