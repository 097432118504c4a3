import { isObject, numberOf, stringOf, type JsonObject } from '../../wire/json.js'

function toToken(entry: JsonObject): { token: string; logprob: number; bytes: number[] } {
  const token = stringOf(entry['token']) ?? ''
  return { token, logprob: numberOf(entry['logProbability']) ?? 0, bytes: [...Buffer.from(token)] }
}

/** A logprobsResult in OpenAI's form; null where there is none. */
export function toLogprobs(result: unknown): { content: unknown[]; refusal: null } | null {
  if (!isObject(result) || !Array.isArray(result['chosenCandidates'])) return null
  const alternatives = Array.isArray(result['topCandidates']) ? result['topCandidates'] : []
  const content = result['chosenCandidates'].filter(isObject).map((chosen, position) => {
    const step: unknown = alternatives[position]
    const others = isObject(step) && Array.isArray(step['candidates']) ? step['candidates'].filter(isObject) : []
    return { ...toToken(chosen), top_logprobs: others.map(toToken) }
  })
  return { content, refusal: null }
}
