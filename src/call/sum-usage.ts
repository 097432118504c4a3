import { type JsonObject, isObject, numberOf } from '../wire/json.js'

/** What is known of the tokens of an attempt that broke off. */
export interface PartialUsage {
  /** As the provider told it, which is often nothing. */
  readonly told: JsonObject | undefined
  /** Tokens of the input and of what was received, estimated. */
  readonly promptTokens: number
  readonly completionTokens: number
}

/** The usage of an answer that several attempts gave: what the last one told, and what the earlier ones took. */
export function sumUsage(last: JsonObject, earlier: readonly PartialUsage[]): JsonObject {
  return earlier.reduce((sum, part) => add(sum, toUsage(part)), last)
}

/** Providers tell the output only at the end, so that what was received counts where it is more. */
function toUsage({ told = {}, promptTokens, completionTokens }: PartialUsage): JsonObject {
  const prompt = numberOf(told['prompt_tokens']) ?? promptTokens
  const completion = Math.max(numberOf(told['completion_tokens']) ?? 0, completionTokens)
  return { ...told, prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}

function add(left: JsonObject, right: JsonObject): JsonObject {
  const sum: Record<string, unknown> = { ...right, ...left }
  for (const [name, value] of Object.entries(right)) {
    const other = left[name]
    if (typeof value === 'number' && typeof other === 'number') sum[name] = value + other
    else if (isObject(value) && isObject(other)) sum[name] = add(other, value)
  }
  return sum
}
