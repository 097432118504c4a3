import { isObject, parseJson, type JsonObject } from '../../src/wire/json.js'
import { readSse } from './sse-events.js'

/** What a client of the gateway got, unread. */
export interface Received {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** A stream as OpenAI's client reads it. */
export interface ReceivedStream {
  /** The chunks, in order. */
  readonly chunks: readonly JsonObject[]
  /** The `error` object that ended the stream; openai-node throws on it. */
  readonly error: JsonObject | undefined
  /** `[DONE]` came last. */
  readonly done: boolean
  /** What is no legal event of a stream in OpenAI's format. */
  readonly problems: readonly string[]
}

/** Reads the body of a streamed reply strictly: every event is one JSON object or `[DONE]`. */
export function readStream(text: string): ReceivedStream {
  const chunks: JsonObject[] = []
  const problems: string[] = []
  let error: JsonObject | undefined
  let done = false
  for (const { data } of readSse(text)) {
    if (done || error) problems.push(`an event after the end: ${data.slice(0, 80)}`)
    if (data === '[DONE]') {
      done = true
      continue
    }
    const event = parseJson(data)
    if (!isObject(event)) problems.push(`an event that is no object: ${data.slice(0, 80)}`)
    else if (isObject(event['error'])) error = event['error']
    else chunks.push(event)
  }
  if (error && done) problems.push('[DONE] after an error')
  if (!error && !done) problems.push('neither [DONE] nor an error at the end')
  return { chunks, error, done, problems }
}
