import type { JsonObject } from '../../wire/json.js'
import { isObject, numberOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'

const keptFields = ['cache_creation', 'server_tool_use', 'service_tier', 'inference_geo', 'speed', 'iterations']

function count(usage: JsonObject, field: string): number {
  return Math.max(0, Math.trunc(numberOf(usage[field]) ?? 0))
}

function cacheCreation(usage: JsonObject): number {
  const total = count(usage, 'cache_creation_input_tokens')
  const parts = usage['cache_creation']
  if (total > 0 || !isObject(parts)) return total
  return Object.keys(parts).reduce((sum, field) => sum + count(parts, field), 0)
}

/** Compaction is billed as passes of its own, which the totals leave out. */
function compactions(usage: JsonObject): readonly JsonObject[] {
  const iterations = usage['iterations']
  if (!Array.isArray(iterations)) return []
  return iterations.filter((entry) => isObject(entry) && entry['type'] === 'compaction')
}

/**
 * Usage in OpenAI's form. Claude's `input_tokens` exclude cached ones, OpenAI's `prompt_tokens` include them; Claude's
 * own names and what only Claude counts (cache lifetimes, server tools) stay beside them.
 * @see https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance
 */
export function toUsage(native: unknown): ChatUsage {
  const usage = isObject(native) ? native : {}
  const passes = [usage, ...compactions(usage)]
  const sum = (counted: (pass: JsonObject) => number): number =>
    passes.reduce((total, pass) => total + counted(pass), 0)
  const created = sum(cacheCreation)
  const read = sum((pass) => count(pass, 'cache_read_input_tokens'))
  const prompt = sum((pass) => count(pass, 'input_tokens')) + created + read
  const completion = sum((pass) => count(pass, 'output_tokens'))
  const details = usage['output_tokens_details']
  const kept = keptFields.filter((field) => usage[field] !== null && usage[field] !== undefined)
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: read, cache_creation_tokens: created },
    ...(isObject(details) && {
      completion_tokens_details: { reasoning_tokens: count(details, 'thinking_tokens') },
    }),
    cache_creation_input_tokens: created,
    cache_read_input_tokens: read,
    ...Object.fromEntries(kept.map((field) => [field, usage[field]])),
  }
}

/**
 * Joins the usage of a later stream event into the earlier: counts are cumulative, so later ones replace and are never
 * added. A later null or zero is a field that the event does not report, but for a zero of output: a stream that is
 * refused begins with a token that it takes back.
 */
export function mergeUsage(earlier: JsonObject, later: unknown): JsonObject {
  if (!isObject(later)) return earlier
  const reported = Object.entries(later).filter(
    ([field, value]) => value !== null && (value !== 0 || field === 'output_tokens' || !numberOf(earlier[field])),
  )
  return { ...earlier, ...Object.fromEntries(reported) }
}
