import type { ChatUsage } from '../../wire/usage.js'
import { isObject, type JsonObject, numberOf } from '../../wire/json.js'

const count = (counts: unknown, ...names: readonly string[]): number => {
  if (!isObject(counts)) return 0
  const value = names.map((name) => numberOf(counts[name])).find((found) => found !== undefined)
  return Math.max(0, Math.trunc(value ?? 0))
}

/** Searches that the provider made, each of which it charges for; opening a page that was found costs nothing. */
function webSearches(output: unknown): number {
  const calls = Array.isArray(output) ? output.filter(isObject).filter(({ type }) => type === 'web_search_call') : []
  return calls.filter(({ action }) => !isObject(action) || action['type'] === 'search').length
}

/**
 * The API's usage as chat counts it; undefined where there is none. What else it tells (tool calls, cost) is kept, and
 * the searches among the `output` are counted where Claude's usage counts its own.
 */
export function toUsage(usage: unknown, output?: unknown): ChatUsage | undefined {
  if (!isObject(usage)) return undefined
  const prompt = count(usage, 'input_tokens')
  const completion = count(usage, 'output_tokens')
  const { input_tokens_details: inputs, output_tokens_details: outputs } = usage
  const searches = webSearches(output)
  const cached = count(inputs, 'cached_tokens', 'cache_read_input_tokens')
  const written = count(inputs, 'cache_write_tokens', 'cache_creation_input_tokens')
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached, ...(written > 0 && { cache_creation_tokens: written }) },
    completion_tokens_details: { reasoning_tokens: count(outputs, 'reasoning_tokens') },
    ...(written > 0 && { cache_creation_input_tokens: written }),
    ...(cached > 0 && written > 0 && { cache_read_input_tokens: cached }),
    ...(searches > 0 && { server_tool_use: { web_search_requests: searches } }),
    ...beyondTokens(usage),
  }
}

function beyondTokens(usage: JsonObject): JsonObject {
  const kept = ['cost', 'tool_calls_details', 'num_sources_used', 'num_server_side_tools_used', 'cost_in_usd_ticks']
  return Object.fromEntries(
    kept.flatMap((name) => {
      const value = usage[name]
      return value === undefined || value === null ? [] : [[name, value]]
    }),
  )
}
