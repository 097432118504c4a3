import { isObject, type JsonObject } from '../../wire/json.js'

/**
 * Logprobs as OpenAI's chat has them, both lists present. The lists of tokens and numbers that older servers send are
 * brought into that form; null for anything else.
 */
export function toLogprobs(logprobs: unknown): JsonObject | null {
  if (!isObject(logprobs)) return null
  if ('content' in logprobs) return 'refusal' in logprobs ? logprobs : { ...logprobs, refusal: null }
  const { tokens, token_logprobs: values } = logprobs
  if (!Array.isArray(tokens) || !Array.isArray(values)) return null
  const content = tokens.map((token: unknown, position) => ({
    token: String(token),
    logprob: typeof values[position] === 'number' ? values[position] : 0,
    bytes: null,
    top_logprobs: [],
  }))
  return { content, refusal: null }
}
