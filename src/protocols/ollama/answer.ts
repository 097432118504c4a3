import { GatewayError } from '../../errors.js'
import type { ToolCall } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import { errorInside, statusInError } from '../failure.js'
import { madeCallId, toArgumentsText } from '../tool-calls.js'

/**
 * An answer, or a piece of a streamed one.
 * @throws GatewayError for `{ error }` inside a 200, or a body without `member`
 */
export function toAnswerObject(body: unknown, member: string, provider: string): JsonObject {
  const answer = isObject(body) ? body : {}
  const { error } = answer
  if (stringOf(error) !== undefined || isObject(error)) {
    throw errorInside(answer, statusInError(answer) ?? 500, provider)
  }
  if (member in answer) return answer
  throw new GatewayError('upstream_invalid', `${provider} sent something that is no answer.`, {
    upstream: { provider, status: 200 },
  })
}

const count = (value: unknown): number => Math.max(0, Math.trunc(numberOf(value) ?? 0))

/** Tokens of a finished answer; a prompt that was still in the cache is not counted and stands as 0. */
export function toUsage(answer: JsonObject): ChatUsage | undefined {
  const { prompt_eval_count: prompt, eval_count: completion } = answer
  if (prompt === undefined && completion === undefined) return undefined
  const [read, written] = [count(prompt), count(completion)]
  return { prompt_tokens: read, completion_tokens: written, total_tokens: read + written }
}

/** Tool calls of a message; `before` are the calls that earlier pieces of the same answer held. */
export function toToolCalls(message: JsonObject, exchangeId: string, before: number): readonly ToolCall[] {
  const list: readonly unknown[] = Array.isArray(message['tool_calls']) ? message['tool_calls'] : []
  return list.filter(isObject).flatMap((call, position): ToolCall[] => {
    const called = isObject(call['function']) ? call['function'] : {}
    const name = stringOf(called['name'])
    if (name === undefined) return []
    const id = stringOf(call['id']) ?? madeCallId(exchangeId, 0, before + position)
    return [{ id, type: 'function', function: { name, arguments: toArgumentsText(called['arguments']) } }]
  })
}

/** Unix seconds of `created_at`; undefined where it is no date. */
export function createdOf(answer: JsonObject): number | undefined {
  const milliseconds = Date.parse(stringOf(answer['created_at']) ?? '')
  return Number.isNaN(milliseconds) || milliseconds < 0 ? undefined : Math.floor(milliseconds / 1000)
}

/** Log probabilities in OpenAI's form; undefined where the answer has none. */
export function toLogprobs(logprobs: unknown): { content: unknown[]; refusal: null } | undefined {
  if (!Array.isArray(logprobs) || logprobs.length === 0) return undefined
  const content = logprobs.filter(isObject).map((entry) => ({ bytes: null, top_logprobs: [], ...entry }))
  return { content, refusal: null }
}
