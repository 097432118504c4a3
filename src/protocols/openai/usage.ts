import type { ChatUsage } from '../../wire/usage.js'
import { isObject, type JsonObject } from '../../wire/json.js'

const tokens = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? Math.round(number) : undefined
}

// Where providers put the tokens they read from a cache, besides OpenAI's own place.
const cachedNames = ['prompt_cache_hit_tokens', 'num_cached_tokens', 'cached_tokens']
// Misspelled or older names of the details.
const promptDetailsNames = ['prompt_tokens_details', 'prompt_token_details', 'input_tokens_details']

/** Usage in OpenAI's shape, counts whole and adding up; the same object where it already is. Undefined where there is none. */
export function toUsage(usage: unknown): ChatUsage | undefined {
  if (!isObject(usage)) return undefined
  const counts = toCounts(usage)
  if (!counts) return undefined
  const promptDetails = toPromptDetails(usage)
  const completionDetails = toCompletionDetails(usage)
  const isSame =
    usage['prompt_tokens'] === counts.prompt_tokens &&
    usage['completion_tokens'] === counts.completion_tokens &&
    usage['total_tokens'] === counts.total_tokens &&
    usage['prompt_tokens_details'] === promptDetails &&
    usage['completion_tokens_details'] === completionDetails
  if (isSame) return usage as ChatUsage
  const { prompt_tokens_details: _prompt, completion_tokens_details: _completion, ...rest } = usage
  return {
    ...rest,
    ...counts,
    ...(promptDetails && { prompt_tokens_details: promptDetails }),
    ...(completionDetails && { completion_tokens_details: completionDetails }),
  }
}

interface Counts {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
}

/** The provider's total is what it bills; what prompt and completion leave of it is output (xAI counts reasoning apart). */
function toCounts(usage: JsonObject): Counts | undefined {
  const prompt = tokens(usage['prompt_tokens'])
  const completion = tokens(usage['completion_tokens'])
  const total = tokens(usage['total_tokens'])
  if (prompt === undefined && completion === undefined && total === undefined) return undefined
  const promptTokens = prompt ?? Math.max((total ?? 0) - (completion ?? 0), 0)
  const rest = (total ?? 0) - promptTokens
  const completionTokens = Math.max(completion ?? 0, rest)
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  }
}

function toPromptDetails(usage: JsonObject): JsonObject | undefined {
  const found = promptDetailsNames.map((name) => usage[name]).find(isObject)
  const details = found && withoutNulls(found)
  if (tokens(details?.['cached_tokens']) !== undefined) return details
  const cached = cachedNames.map((name) => tokens(usage[name])).find((count) => count !== undefined)
  return cached === undefined ? details : { ...details, cached_tokens: cached }
}

function toCompletionDetails(usage: JsonObject): JsonObject | undefined {
  const found = [usage['completion_tokens_details'], usage['output_tokens_details']].find(isObject)
  const details = found && withoutNulls(found)
  if (tokens(details?.['reasoning_tokens']) !== undefined) return details
  const reasoning = tokens(usage['reasoning_tokens'])
  return reasoning === undefined ? details : { ...details, reasoning_tokens: reasoning }
}

function withoutNulls(details: JsonObject): JsonObject {
  for (const name in details) {
    if (details[name] === null) {
      return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== null))
    }
  }
  return details
}
