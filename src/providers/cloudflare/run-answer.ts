import { isObject, type JsonObject, numberOf } from '../../wire/json.js'

/** What `/ai/run` stops at where a request sets no limit: https://developers.cloudflare.com/workers-ai/models/ */
const defaultLimit = 256

/** The limit of a request, its deployment's where it sets none. */
export function tokenLimit(request: JsonObject, params: JsonObject): number {
  for (const { max_completion_tokens: newer, max_tokens: older } of [request, params]) {
    const limit = numberOf(newer) ?? numberOf(older)
    if (limit !== undefined) return limit
  }
  return defaultLimit
}

/** A whole answer of `/ai/run` in OpenAI's shape, which newer models have already; errors are left as they are. */
export function toCompletion(body: unknown, limit: number): unknown {
  if (!isObject(body) || body['success'] === false) return body
  const result = isObject(body['result']) ? body['result'] : body
  if (Array.isArray(result['choices'])) return result
  const { response, tool_calls: calls, usage } = result
  if (response === undefined && !Array.isArray(calls)) return body
  const message = { role: 'assistant', content: toText(response), tool_calls: toCalls(calls) }
  return { choices: [{ index: 0, message, finish_reason: finishOf(usage, limit) }], usage }
}

/**
 * One event of a stream of `/ai/run` as a chunk of OpenAI's; the one with usage is the last, and nothing says why the
 * answer ended but its number of tokens.
 */
export function toChunk(event: JsonObject, limit: number): JsonObject {
  if (Array.isArray(event['choices'])) return event
  const { response, tool_calls: calls, usage } = event
  if (response === undefined && !Array.isArray(calls) && !isObject(usage)) return event
  const delta = { content: toText(response) ?? '', tool_calls: toCalls(calls) }
  const finish = isObject(usage) ? finishOf(usage, limit) : null
  return { choices: [{ index: 0, delta, finish_reason: finish }], ...(isObject(usage) && { usage }) }
}

const finishOf = (usage: unknown, limit: number): string => {
  const written = isObject(usage) ? numberOf(usage['completion_tokens']) : undefined
  return written !== undefined && written >= limit ? 'length' : 'stop'
}

/** In JSON mode the answer is a value, and a token such as `true` or `4` comes as one in any mode. */
function toText(response: unknown): string | null {
  if (typeof response === 'string') return response
  return response === null || response === undefined ? null : JSON.stringify(response)
}

/** Calls in OpenAI's form, or as name and arguments; undefined where there are none. */
function toCalls(calls: unknown): readonly JsonObject[] | undefined {
  if (!Array.isArray(calls) || calls.length === 0) return undefined
  return calls.filter(isObject).map((call, index) => {
    const { function: called, id, name, arguments: args, index: given } = call
    const fields = isObject(called) ? called : { name, arguments: args }
    const text =
      typeof fields['arguments'] === 'string' ? fields['arguments'] : JSON.stringify(fields['arguments'] ?? {})
    return {
      index: numberOf(given) ?? index,
      ...(typeof id === 'string' && { id }),
      type: 'function',
      function: { ...fields, arguments: text },
    }
  })
}
