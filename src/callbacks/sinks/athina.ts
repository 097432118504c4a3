import { z } from 'zod'
import type { CallRecord } from '../../ports/callback.js'
import type { JsonObject } from '../../wire/json.js'
import { inputMessages, labelsOf, modelOf, noContent, outputMessages, textOf } from '../content.js'
import { deliverTo } from '../http.js'
import { type SecretText, address, jsonHeaders, secret } from '../settings.js'
import { defineRecordSink } from '../sink.js'

/** Athina: one logged inference for every call. */
export interface AthinaOptions {
  readonly apiKey: SecretText
  /** @default 'https://log.athina.ai' */
  readonly baseUrl?: string | undefined
  /** `production`, `staging` ... */
  readonly environment?: string | undefined
}

const schema = z.strictObject({
  apiKey: secret,
  baseUrl: address.default('https://log.athina.ai'),
  environment: z.string().optional(),
})

/** https://docs.athina.ai/api-reference/logging/log-via-api-request */
export const athina = defineRecordSink(schema, ({ apiKey, baseUrl, environment }, { send }) => ({
  name: 'athina',
  batchSize: 1,
  parallel: 8,
  async deliver(records, deadlineMs) {
    for (const record of records) {
      const request = {
        url: `${baseUrl}/api/v1/log/inference`,
        headers: { ...jsonHeaders, 'athina-api-key': apiKey.reveal() },
        body: JSON.stringify({ ...toInference(record), environment }),
      }
      await deliverTo(send, request, deadlineMs)
    }
    return {}
  },
}))

function toInference(record: CallRecord): JsonObject {
  const messages = inputMessages(record)
  const [answer] = outputMessages(record)
  const question = messages.findLast(({ role }) => role === 'user')
  return {
    language_model_id: modelOf(record),
    prompt: messages.length > 0 ? messages : noContent,
    response: answer ? textOf(answer) : (record.error?.message ?? noContent),
    tool_calls: answer?.['tool_calls'],
    user_query: question && textOf(question),
    prompt_tokens: record.inputTokens,
    completion_tokens: record.outputTokens,
    total_tokens: record.inputTokens + record.outputTokens,
    cost: Number(record.cost),
    response_time: record.endedAt - record.startedAt,
    status_code: record.error?.status ?? 200,
    session_id: record.sessionId,
    customer_id: record.caller,
    customer_user_id: record.endUser,
    external_reference_id: record.callId,
    custom_attributes: labelsOf(record),
  }
}
