import type { ChatRequest } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import type { Take } from '../parameter-table.js'
import { usesJsonTool } from './tools.js'

/** OpenAI's parameters by Cohere's names: https://docs.cohere.com/reference/chat */
export const chatTable: Readonly<Record<string, Take>> = {
  max_tokens: 'max_tokens',
  max_completion_tokens: 'max_tokens',
  temperature: 'temperature',
  top_p: 'p',
  top_k: 'k',
  seed: 'seed',
  logprobs: (value) => (value === true ? { logprobs: true } : {}),
  stop: (value) => ({ stop_sequences: typeof value === 'string' ? [value] : value }),
}

const penalties = ['frequency_penalty', 'presence_penalty'] as const

/** Penalties, which Cohere knows from 0 to 1 only. */
export function planPenalties(request: ChatRequest): {
  readonly members: JsonObject
  readonly unsupported: readonly string[]
} {
  const given = penalties.filter((name) => numberOf(request[name]) !== undefined)
  const fits = (name: (typeof penalties)[number]): boolean => {
    const value = request[name] ?? 0
    return value >= 0 && value <= 1
  }
  return {
    members: Object.fromEntries(given.filter(fits).map((name) => [name, request[name]])),
    unsupported: given.filter((name) => !fits(name)),
  }
}

/** The member `response_format`: JSON, or JSON of a schema; absent where a tool stands in for it. */
export function toResponseFormat(request: ChatRequest): JsonObject {
  const format = request.response_format
  if (!format || usesJsonTool(request)) return {}
  if (format.type === 'json_object') return { response_format: { type: 'json_object' } }
  if (format.type !== 'json_schema') return {}
  const schema = format.json_schema?.schema
  return { response_format: { type: 'json_object', ...(schema && { json_schema: schema }) } }
}

const budgets: Readonly<Record<string, number | undefined>> = { minimal: 512, low: 1024, medium: 4096 }

/** The member `thinking`; efforts below high are budgets of tokens, higher ones have none. */
export function planThinking(
  request: ChatRequest,
  thinks: boolean,
): { readonly members: JsonObject; readonly unsupported: readonly string[] } {
  const effort = stringOf(request.reasoning_effort)
  const { thinking } = request
  if (!isObject(thinking) && (effort === undefined || effort === 'default')) return { members: {}, unsupported: [] }
  const off = isObject(thinking) ? thinking['type'] === 'disabled' : effort === 'none'
  if (!thinks) {
    return { members: {}, unsupported: off ? [] : [isObject(thinking) ? 'thinking' : 'reasoning_effort'] }
  }
  if (off) return { members: { thinking: { type: 'disabled' } }, unsupported: [] }
  const asked = isObject(thinking) ? (thinking['token_budget'] ?? thinking['budget_tokens']) : undefined
  const budget = numberOf(asked) ?? (effort === undefined ? undefined : budgets[effort])
  return {
    members: { thinking: { type: 'enabled', ...(budget !== undefined && { token_budget: budget }) } },
    unsupported: [],
  }
}
