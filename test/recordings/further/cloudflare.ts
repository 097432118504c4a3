import { isObject, numberOf, type JsonObject } from '../../../src/wire/json.js'
import type { CalledTool } from '../answer.js'
import { finishReasonOf } from '../answer.js'
import { at, objectsIn, textOf } from '../exchange.js'
import { readOpenAiAnswer } from '../expected-openai.js'
import { type FurtherDialect, pathAfter } from './dialect.js'

/** Workers AI at `/ai/run`: https://developers.cloudflare.com/workers-ai/ */
export const cloudflare: FurtherDialect = {
  request: ({ request }) => {
    const { messages, response_format: format, ...rest } = request?.body ?? {}
    return {
      ...rest,
      messages: objectsIn(messages).map(toMessage),
      ...(isObject(format) && { response_format: toFormat(format) }),
    }
  },
  answer: (payloads, { request }) => {
    const results = payloads.map((payload) => at(payload, 'result') ?? payload)
    const usage = results.map((result) => at(result, 'usage')).findLast(isObject)
    const written = numberOf(at(usage, 'completion_tokens'))
    const limit = numberOf(request?.body['max_tokens']) ?? 256
    const text = results.map((result) => toText(at(result, 'response'))).join('')
    const toolCalls = results.flatMap((result) => objectsIn(at(result, 'tool_calls')).map(toCall))
    const finish = written !== undefined && written >= limit ? 'length' : finishReasonOf('stop', toolCalls.length)
    return {
      choices: new Map([[0, { text, reasoning: '', images: 0, toolCalls, finish }]]),
      usage: usage && readOpenAiAnswer([{ usage }]).usage,
    }
  },
  model: (exchange) => pathAfter(exchange, '/ai/run/'),
  settings: { accountId: 'ACCOUNT_ID' },
  equivalences: [
    {
      name: 'a schema that is not streamed',
      reason: 'these models refuse a stream with a schema; the answer is asked for whole and streamed by us',
      holds: ({ path, recorded, sent }, { exchange }) =>
        path === '.stream' && recorded === true && sent === undefined && exchange.response.status === 403,
    },
  ],
}

/** The recorder's own history of calls names no call; OpenAI's has to. */
function toMessage(message: JsonObject): JsonObject {
  return message['role'] === 'tool' && message['tool_call_id'] === undefined
    ? { ...message, tool_call_id: 'call_1' }
    : message
}

function toFormat(format: JsonObject): JsonObject {
  const { type, json_schema: schema } = format
  return isObject(schema) ? { type, json_schema: { name: 'answer', schema } } : format
}

function toText(response: unknown): string {
  if (response === null || response === undefined) return ''
  return typeof response === 'string' ? response : JSON.stringify(response)
}

function toCall(call: JsonObject): CalledTool {
  const called = isObject(call['function']) ? call['function'] : call
  const args = called['arguments']
  return {
    id: textOf(call['id']) || undefined,
    name: textOf(called['name']),
    arguments: typeof args === 'string' ? args : JSON.stringify(args),
  }
}
