import { isObject, type JsonObject } from '../../wire/json.js'

/**
 * Logprobs as OpenAI's chat has them, both lists present. The lists of tokens and numbers that older servers send are
 * brought into that form; null for anything else.
 */
export function toLogprobs(logprobs: unknown): JsonObject | null {
  if (!isObject(logprobs)) return null
  if ('content' in logprobs) return toLists(logprobs)
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

function toLists(logprobs: JsonObject): JsonObject {
  const { content } = logprobs
  const first: unknown = Array.isArray(content) ? content[0] : undefined
  const isWhole = 'refusal' in logprobs && (!isObject(first) || 'bytes' in first)
  if (isWhole) return logprobs
  const entries = Array.isArray(content) ? content.filter(isObject).map(withBytes) : content
  return { ...logprobs, content: entries, refusal: logprobs['refusal'] ?? null }
}

function withBytes(entry: JsonObject): JsonObject {
  const top = Array.isArray(entry['top_logprobs']) ? entry['top_logprobs'].filter(isObject) : []
  return { ...withByteList(entry), top_logprobs: top.map(withByteList) }
}

/** Some servers write a token's bytes as base64. */
function withByteList(entry: JsonObject): JsonObject {
  const { bytes = null } = entry
  return { ...entry, bytes: typeof bytes === 'string' ? [...Buffer.from(bytes, 'base64')] : bytes }
}
