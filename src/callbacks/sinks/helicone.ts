import { z } from 'zod'
import type { CallRecord } from '../../ports/callback.js'
import { type JsonObject, isObject } from '../../wire/json.js'
import { inputMessages, modelOf, noContent, userOf } from '../content.js'
import { deliverTo } from '../http.js'
import { type SecretText, address, bearer, jsonHeaders, secret } from '../settings.js'
import { defineRecordSink } from '../sink.js'

/** Helicone, by its asynchronous logging: calls do not go through its proxy. */
export interface HeliconeOptions {
  readonly apiKey: SecretText
  /** In Europe `https://eu.api.helicone.ai`. @default 'https://api.worker.helicone.ai' */
  readonly baseUrl?: string | undefined
}

const schema = z.strictObject({ apiKey: secret, baseUrl: address.default('https://api.worker.helicone.ai') })

/** One log for every call: https://docs.helicone.ai/getting-started/integration-method/manual-logger-curl */
export const helicone = defineRecordSink(schema, ({ apiKey, baseUrl }, { send }) => ({
  name: 'helicone',
  batchSize: 1,
  parallel: 8,
  async deliver(records, deadlineMs) {
    for (const record of records) {
      const request = {
        url: `${baseUrl}/custom/v1/log`,
        headers: { ...jsonHeaders, authorization: bearer(apiKey) },
        body: JSON.stringify(toLog(record)),
      }
      await deliverTo(send, request, deadlineMs)
    }
    return {}
  },
}))

function toLog(record: CallRecord): JsonObject {
  const { request, error } = record
  return {
    providerRequest: {
      url: 'custom-model-nopath',
      json: { ...(isObject(request) ? request : { messages: withoutContent(record) }), model: modelOf(record) },
      meta: toMeta(record),
    },
    providerResponse: {
      headers: {},
      status: error?.status ?? 200,
      json: error ? { error: { message: error.message, code: error.code, type: error.kind } } : toResponse(record),
    },
    timing: {
      startTime: toTime(record.startedAt),
      endTime: toTime(record.endedAt),
      ...(record.firstTokenAt !== undefined && { timeToFirstToken: record.firstTokenAt - record.startedAt }),
    },
  }
}

function toResponse(record: CallRecord): JsonObject {
  const { response, inputTokens, outputTokens } = record
  const usage = {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
  }
  if (isObject(response)) return { ...response, usage }
  const message = { role: 'assistant', content: noContent }
  return { id: record.callId, model: modelOf(record), choices: [{ index: 0, message, finish_reason: 'stop' }], usage }
}

function withoutContent(record: CallRecord): readonly JsonObject[] {
  const messages = inputMessages(record)
  return messages.length > 0 ? messages : [{ role: 'user', content: noContent }]
}

/** Helicone's own headers: user, session, and properties to filter by. */
function toMeta(record: CallRecord): Readonly<Record<string, string>> {
  const properties = {
    Outcome: record.outcome,
    Caller: record.caller,
    'Model-Group': record.modelName ?? record.requestedModel,
    Deployment: record.deployment ?? '',
    Provider: record.provider ?? '',
    Cost: record.cost,
    Tags: record.tags.join(','),
  }
  return {
    'Helicone-Request-Id': record.callId,
    'Helicone-User-Id': userOf(record),
    ...(record.sessionId !== undefined && { 'Helicone-Session-Id': record.sessionId }),
    ...Object.fromEntries(Object.entries(properties).map(([name, value]) => [`Helicone-Property-${name}`, value])),
  }
}

/** Seconds, and the milliseconds beyond them. */
function toTime(milliseconds: number): JsonObject {
  return { seconds: Math.floor(milliseconds / 1_000), milliseconds: milliseconds % 1_000 }
}
