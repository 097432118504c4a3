import type { ChatCompletion, ChatResponseMessage } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import { toFinishReason } from '../finish-reason.js'
import { invalidAnswer } from '../invalid-answer.js'
import type { Exchange } from '../protocol.js'

/** A whole answer of either format. @throws GatewayError for a body that is none */
export function decodeChat(body: unknown, exchange: Exchange<'chat'>): ChatCompletion {
  const { id, created, deployment } = exchange
  const answer = isObject(body) && isObject(body['chatResponse']) ? body['chatResponse'] : {}
  const choices = choicesIn(answer, id)
  if (choices.length === 0) throw invalidAnswer(body, deployment.provider, 'an answer without choices')
  const usage = toUsage(answer['usage'])
  const model = isObject(body) ? stringOf(body['modelId']) : undefined
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created: createdOf(answer['timeCreated']) ?? created,
    model: model ?? deployment.model,
    choices,
    ...(usage && { usage }),
  }
}

function choicesIn(answer: JsonObject, id: string): ChatCompletion['choices'] {
  if (Array.isArray(answer['choices'])) {
    return answer['choices'].filter(isObject).map((choice, position) => {
      const message = isObject(choice['message']) ? choice['message'] : {}
      const index = numberOf(choice['index']) ?? position
      const calls = callsIn(message['toolCalls'], id, index)
      return toChoice(index, textIn(message['content']), calls, choice['finishReason'], {
        refusal: stringOf(message['refusal']),
        reasoning: stringOf(message['reasoningContent']),
      })
    })
  }
  if (typeof answer['text'] !== 'string') return []
  return [toChoice(0, answer['text'], callsIn(answer['toolCalls'], id, 0), answer['finishReason'], {})]
}

type Calls = NonNullable<ChatResponseMessage['tool_calls']>

function toChoice(
  index: number,
  text: string,
  calls: Calls,
  native: unknown,
  { refusal, reasoning }: { readonly refusal?: string | undefined; readonly reasoning?: string | undefined },
): ChatCompletion['choices'][number] {
  const message: ChatResponseMessage = {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: refusal ?? null,
    ...(reasoning !== undefined && { reasoning_content: reasoning }),
    ...(calls.length > 0 && { tool_calls: calls }),
  }
  return { index, message, finish_reason: toFinishReason(stringOf(native), calls.length > 0), logprobs: null }
}

/** Every text part of a content, not only the first. */
export function textIn(content: unknown): string {
  if (!Array.isArray(content)) return ''
  return content
    .filter(isObject)
    .map((part) => stringOf(part['text']) ?? '')
    .join('')
}

/** Calls of either format; Cohere's have no id and their arguments are an object. */
export function callsIn(calls: unknown, exchangeId: string, choice: number): Calls {
  const list: readonly unknown[] = Array.isArray(calls) ? calls : []
  return list.filter(isObject).map((call, at) => ({
    id: stringOf(call['id']) ?? `call_${exchangeId}${choice}${at}`,
    type: 'function',
    function: { name: stringOf(call['name']) ?? '', arguments: argumentsOf(call) },
  }))
}

function argumentsOf(call: JsonObject): string {
  const { arguments: given, parameters } = call
  if (typeof given === 'string') return given === '' ? '{}' : given
  return JSON.stringify(parameters ?? given ?? {})
}

/** Counts as usage; undefined where the answer holds none. */
export function toUsage(usage: unknown): ChatUsage | undefined {
  if (!isObject(usage)) return undefined
  const prompt = numberOf(usage['promptTokens'])
  const completion = numberOf(usage['completionTokens'])
  if (prompt === undefined && completion === undefined) return undefined
  const counts = { prompt_tokens: prompt ?? 0, completion_tokens: completion ?? 0 }
  const cached = detail(usage['promptTokensDetails'], 'cachedTokens')
  const reasoning = detail(usage['completionTokensDetails'], 'reasoningTokens')
  return {
    ...counts,
    total_tokens: numberOf(usage['totalTokens']) ?? counts.prompt_tokens + counts.completion_tokens,
    ...(cached !== undefined && { prompt_tokens_details: { cached_tokens: cached } }),
    ...(reasoning !== undefined && { completion_tokens_details: { reasoning_tokens: reasoning } }),
  }
}

const detail = (details: unknown, name: string): number | undefined =>
  isObject(details) ? numberOf(details[name]) : undefined

function createdOf(time: unknown): number | undefined {
  const milliseconds = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isFinite(milliseconds) ? Math.floor(milliseconds / 1_000) : undefined
}
