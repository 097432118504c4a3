import { z } from 'zod'
import type { CallOutcome, CallRecord } from '../../ports/callback.js'
import type { JsonObject } from '../../wire/json.js'
import {
  inputMessages,
  isoTime,
  labelsOf,
  modelOf,
  noContent,
  outputMessages,
  parametersOf,
  textOf,
} from '../content.js'
import { deliverTo } from '../http.js'
import { type SecretText, address, jsonHeaders, secret } from '../settings.js'
import { defineRecordSink } from '../sink.js'

/** PromptLayer: one logged request for every call. */
export interface PromptLayerOptions {
  /** `pl_…` */
  readonly apiKey: SecretText
  /** @default 'https://api.promptlayer.com' */
  readonly baseUrl?: string | undefined
}

const schema = z.strictObject({ apiKey: secret, baseUrl: address.default('https://api.promptlayer.com') })

/** https://docs.promptlayer.com/reference/log-request */
export const promptlayer = defineRecordSink(schema, ({ apiKey, baseUrl }, { send }) => ({
  name: 'promptlayer',
  batchSize: 1,
  parallel: 8,
  async deliver(records, deadlineMs) {
    for (const record of records) {
      const request = {
        url: `${baseUrl}/log-request`,
        headers: { ...jsonHeaders, 'x-api-key': apiKey.reveal() },
        body: JSON.stringify(toLog(record)),
      }
      await deliverTo(send, request, deadlineMs)
    }
    return {}
  },
}))

/** PromptLayer's kinds of errors; the others are `UNKNOWN_ERROR`. */
const errorTypes: Partial<Readonly<Record<CallOutcome, string>>> = {
  upstream_timeout: 'PROVIDER_TIMEOUT',
  rate_limited: 'PROVIDER_RATE_LIMIT',
  upstream_refused: 'PROVIDER_AUTH_ERROR',
  upstream_error: 'PROVIDER_ERROR',
  upstream_unreachable: 'PROVIDER_ERROR',
  stream_broken: 'PROVIDER_ERROR',
}

const longestTag = 512

function toLog(record: CallRecord): JsonObject {
  const { error } = record
  return {
    provider: record.provider ?? 'sluice',
    model: modelOf(record),
    ...(record.operation === 'chat' && { api_type: 'chat-completions' }),
    function_name: `sluice.${record.operation}`,
    input: toTemplate(inputMessages(record), 'user'),
    output: toTemplate(error ? [] : outputMessages(record), 'assistant'),
    parameters: parametersOf(record),
    request_start_time: isoTime(record.startedAt),
    request_end_time: isoTime(record.endedAt),
    input_tokens: record.inputTokens,
    output_tokens: record.outputTokens,
    price: Number(record.cost),
    tags: record.tags.map((tag) => tag.slice(0, longestTag)),
    metadata: toTexts(labelsOf(record)),
    status: error ? 'ERROR' : 'SUCCESS',
    ...(error && { error_type: errorTypes[record.outcome] ?? 'UNKNOWN_ERROR', error_message: error.message }),
  }
}

/** A prompt blueprint of the kind `chat`. */
function toTemplate(messages: readonly JsonObject[], role: string): JsonObject {
  const given = messages.length > 0 ? messages : [{ role, content: noContent }]
  return {
    type: 'chat',
    messages: given.map((message) => ({
      role: message['role'] ?? role,
      content: [{ type: 'text', text: textOf(message) }],
      ...(message['tool_calls'] !== undefined && { tool_calls: message['tool_calls'] }),
      ...(message['tool_call_id'] !== undefined && { tool_call_id: message['tool_call_id'] }),
    })),
  }
}

/** Metadata is text by text. */
function toTexts(labels: JsonObject): Readonly<Record<string, string>> {
  const known = Object.entries(labels).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(
    known.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  )
}
