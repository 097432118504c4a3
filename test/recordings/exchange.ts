import { existsSync, readFileSync } from 'node:fs'
import { isObject, type JsonObject } from '../../src/wire/json.js'
import { awsPayloadsOf } from './aws-events.js'

/** One line of the index of recordings. */
export interface IndexEntry {
  readonly id: string
  readonly file: string
  readonly provider: string
  readonly api: string
  readonly model: string
  readonly features: readonly string[]
  readonly status: number
  readonly format: string
}

/** One recorded exchange: what a client sent to a provider, and what the provider answered. */
export interface Exchange {
  readonly entry: IndexEntry
  /** Absent where the recorder kept the answer only. */
  readonly request: { readonly url: string; readonly body: JsonObject } | undefined
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly format: string
    /** What was on the wire, or the JSON that the recorder kept, written again. */
    readonly text: string
    /** Set instead of `text` where the body is no text: pictures, AWS event streams. */
    readonly bytes?: Buffer | undefined
  }
}

const directory = process.env['SLUICE_RECORDINGS'] ?? new URL('../../../shared/recordings', import.meta.url).pathname

/** Whether the recordings are present; without them there is nothing to replay. */
export const recordingsAvailable = existsSync(`${directory}/index.jsonl`)

/** Every recorded exchange, by its line in the index. */
export function readIndex(): readonly IndexEntry[] {
  const lines = readFileSync(`${directory}/index.jsonl`, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as IndexEntry)
}

/** Reads one exchange from its file. */
export function readExchange(entry: IndexEntry): Exchange {
  const recording = JSON.parse(readFileSync(`${directory}/${entry.file}`, 'utf8')) as JsonObject
  const { request, response } = recording
  if (!isObject(response)) throw new Error(`${entry.id} holds no response`)
  return {
    entry,
    request: readRequest(request),
    response: {
      status: Number(response['status']),
      headers: response['headers'] as Readonly<Record<string, string>>,
      format: String(response['format']),
      text: readText(response),
      bytes: typeof response['base64'] === 'string' ? Buffer.from(response['base64'], 'base64') : undefined,
    },
  }
}

function readRequest(request: unknown): Exchange['request'] {
  if (!isObject(request)) return undefined
  const { url, body } = request
  // Some recorders wrote `<NAME>` in place of a host.
  return isObject(body) ? { url: String(url).replace(/\/\/<\w+>/, '//host'), body } : undefined
}

function readText(response: JsonObject): string {
  const { text, body, format, base64 } = response
  if (format === 'eventstream') return JSON.stringify(awsPayloadsOf(Buffer.from(String(base64), 'base64')))
  if (typeof text === 'string') return text
  return body === undefined ? '' : JSON.stringify(body)
}

/** The member at a path of an unknown value; undefined where the path leads nowhere. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value
  for (const key of path) {
    if (typeof key === 'number') current = Array.isArray(current) ? current[key] : undefined
    else current = isObject(current) ? current[key] : undefined
  }
  return current
}

/** The objects of a list; empty where the value is no list. */
export function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** The value where it is a string, else the empty string. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
