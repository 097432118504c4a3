import type { UpstreamRequest } from '../../upstream/message.js'
import type { ChatCompletion } from '../../wire/chat.js'
import type { Completion } from '../../wire/completions.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import type { Operation } from '../../wire/operations.js'
import { toFinishReason } from '../finish-reason.js'
import { invalidAnswer } from '../invalid-answer.js'
import {
  type SettledRequest,
  ignoredIn,
  settleRequest,
  settleUnsupported,
  translateParameters,
} from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { countsToUsage, jsonRequest, stopList, textChoice, textHead } from '../text-answer.js'
import { createChatStream, createCompletionStream } from './complete-stream.js'
import { chatItems, completionItems, type PromptItem } from './prompt.js'

const names = {
  best_of: 'best_of',
  echo: 'echo',
  frequency_penalty: 'frequency_penalty',
  logit_bias: 'logit_bias',
  max_completion_tokens: 'maximum_tokens',
  max_tokens: 'maximum_tokens',
  n: 'n',
  presence_penalty: 'presence_penalty',
  stop: (stop: unknown) => ({ stop_sequences: stopList(stop) }),
  temperature: 'temperature',
  top_p: 'top_p',
}

// `maximum_tokens` is mandatory in this API.
const defaultMaximumTokens = 1_024

/** Text completions over `/complete`: https://docs.aleph-alpha.com/api/complete */
export const completions: Codec<'completions'> = {
  encode: (exchange) => {
    const settled = settleRequest(exchange.request, exchange.deployment)
    return encode('completions', exchange, settled, completionItems(settled.request.prompt))
  },
  decode: (body, exchange) => decodeText(body, exchange),
  decodeStream: (exchange) => createCompletionStream(exchange),
}

/** Chat over `/complete`, of models that only continue a text. */
export const chat: Codec<'chat'> = {
  encode: (exchange) => {
    const { deployment } = exchange
    const settled = settleRequest(exchange.request, deployment)
    const items = chatItems(settled.request.messages, deployment.model, deployment.provider)
    return encode('chat', exchange, settled, items)
  },
  decode: (body, exchange) => decodeChat(body, exchange),
  decodeStream: (exchange) => createChatStream(exchange),
}

function encode(
  operation: Operation,
  { deployment }: Pick<Exchange<Operation>, 'deployment'>,
  { request, policy }: SettledRequest<JsonObject>,
  prompt: readonly PromptItem[],
): UpstreamRequest {
  const { members, extra, unsupported } = translateParameters(operation, request, policy, names)
  const stream = request['stream'] === true
  const body = {
    maximum_tokens: deployment.capabilities.maxOutputTokens ?? defaultMaximumTokens,
    ...extra,
    ...members,
    model: deployment.model,
    prompt,
    ...(stream && { stream }),
  }
  return jsonRequest('/complete', body, settleUnsupported(deployment, policy, unsupported, ignoredIn(request)), stream)
}

interface TextAnswer {
  readonly texts: readonly { readonly text: string; readonly finish: string | undefined }[]
  readonly usage: ReturnType<typeof countsToUsage>
}

function readAnswer(body: unknown, provider: string): TextAnswer {
  const list: readonly unknown[] = isObject(body) && Array.isArray(body['completions']) ? body['completions'] : []
  const texts = list.filter(isObject).map((item) => ({
    text: stringOf(item['completion']) ?? '',
    finish: stringOf(item['finish_reason']),
  }))
  if (!isObject(body) || texts.length === 0) throw invalidAnswer(body, provider, 'an answer without completions')
  const usage = countsToUsage(numberOf(body['num_tokens_prompt_total']), numberOf(body['num_tokens_generated']))
  return { texts, usage }
}

function decodeText(body: unknown, exchange: Exchange<'completions'>): Completion {
  const { texts, usage } = readAnswer(body, exchange.deployment.provider)
  // The API numbers choices as it likes, or not at all; their order is OpenAI's index.
  const choices = texts.map(({ text, finish }, index) => textChoice(index, text, finish))
  return { ...textHead(exchange), choices, ...(usage && { usage }) }
}

function decodeChat(body: unknown, { id, created, deployment }: Exchange<'chat'>): ChatCompletion {
  const { texts, usage } = readAnswer(body, deployment.provider)
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created,
    model: deployment.model,
    choices: texts.map(({ text, finish }, index) => ({
      index,
      message: { role: 'assistant', content: text, refusal: null },
      finish_reason: toFinishReason(finish),
      logprobs: null,
    })),
    ...(usage && { usage }),
  }
}
