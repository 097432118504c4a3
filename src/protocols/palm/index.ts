import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import type { ChatCompletion } from '../../wire/chat.js'
import type { EmbeddingResponse } from '../../wire/embeddings.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { completionsOverChat } from '../completions-bridge.js'
import { readFailure } from '../failure.js'
import { invalidAnswer } from '../invalid-answer.js'
import { ignoredIn, settleRequest, settleUnsupported, type Take, translateParameters } from '../parameter-table.js'
import { type PlainTurn, toPlainTurns } from '../plain-text.js'
import type { Codec, Exchange, Protocol } from '../protocol.js'
import { jsonRequest, stopList } from '../text-answer.js'
import { textsOf, toEmbeddingResponse, vectorsOf } from '../vectors.js'

const sampling: Readonly<Record<string, Take>> = {
  temperature: 'temperature',
  top_p: 'topP',
  top_k: 'topK',
  n: 'candidateCount',
}

const textTable: Readonly<Record<string, Take>> = {
  ...sampling,
  max_tokens: 'maxOutputTokens',
  max_completion_tokens: 'maxOutputTokens',
  stop: (value) => ({ stopSequences: stopList(value) }),
}

const isChatModel = (model: string): boolean => model.startsWith('chat-')

const chatCodec: Codec<'chat'> = {
  encode,
  decode,
  outputLimit: (limit, { deployment }) => (isChatModel(deployment.model) ? undefined : limit),
}

function encode({ request: asked, deployment }: Exchange<'chat'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const speaks = isChatModel(deployment.model)
  const { members, extra, unsupported } = translateParameters('chat', request, policy, speaks ? sampling : textTable)
  const turns = toPlainTurns(request.messages, deployment.provider)
  const body = { prompt: speaks ? toMessages(turns) : toText(turns), ...members, ...extra }
  const path = methodPath(deployment.model, speaks ? 'generateMessage' : 'generateText')
  return jsonRequest(path, body, settleUnsupported(deployment, policy, unsupported, ignoredIn(request)))
}

const methodPath = (model: string, method: string): string => `/models/${encodeURIComponent(model)}:${method}`

/** Instructions are the context; the two who speak are numbered. */
function toMessages(turns: readonly PlainTurn[]): JsonObject {
  const context = turns.filter(({ role }) => role === 'system').map(({ text }) => text)
  const spoken = turns.filter(({ role }) => role !== 'system')
  return {
    ...(context.length > 0 && { context: context.join('\n') }),
    messages: spoken.map(({ role, text }) => ({ author: role === 'user' ? '0' : '1', content: text })),
  }
}

function toText(turns: readonly PlainTurn[]): JsonObject {
  return { text: turns.map(({ text }) => text).join('\n\n') }
}

function decode(body: unknown, exchange: Exchange<'chat'>): ChatCompletion {
  const { id, created, deployment } = exchange
  const answer = isObject(body) ? body : {}
  const list = Array.isArray(answer['candidates']) ? answer['candidates'].filter(isObject) : []
  // A filtered prompt has no candidates, and says so.
  const filters = Array.isArray(answer['filters']) ? answer['filters'] : []
  if (list.length === 0 && filters.length === 0) throw invalidAnswer(body, deployment.provider, 'no candidates')
  const texts = list.map((candidate) => stringOf(candidate['output']) ?? stringOf(candidate['content']) ?? '')
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created,
    model: deployment.model,
    choices: (texts.length === 0 ? [null] : texts).map((text, index) => ({
      index,
      message: { role: 'assistant', content: text, refusal: null },
      finish_reason: text === null ? 'content_filter' : 'stop',
      logprobs: null,
    })),
  }
}

const embeddingsCodec: Codec<'embeddings'> = {
  // https://ai.google.dev/api/python/google/generativeai/protos/BatchEmbedTextRequest
  mostInputs: () => 100,
  encode: (exchange) => {
    const { deployment } = exchange
    const { request, policy } = settleRequest(exchange.request, deployment)
    const { extra, unsupported } = translateParameters('embeddings', request, policy, {})
    const texts = textsOf({ ...exchange, request })
    const many = texts.length > 1
    const body = { ...(many ? { texts } : { text: texts[0] }), ...extra }
    const path = methodPath(deployment.model, many ? 'batchEmbedText' : 'embedText')
    return jsonRequest(path, body, settleUnsupported(deployment, policy, unsupported, ignoredIn(request)))
  },
  decode: (body, exchange): EmbeddingResponse => {
    const answer = isObject(body) ? body : {}
    const list: readonly unknown[] = Array.isArray(answer['embeddings']) ? answer['embeddings'] : [answer['embedding']]
    const vectors = list.map((entry) => (isObject(entry) ? entry['value'] : undefined))
    return toEmbeddingResponse(vectorsOf(vectors), body, exchange, undefined)
  },
}

/** PaLM 2 as Google's AI Studio served it until October 2024: whole answers only, and nobody counted tokens. */
export const palmProtocol: Protocol = {
  name: 'palm',
  codecs: { chat: chatCodec, completions: completionsOverChat(chatCodec), embeddings: embeddingsCodec },
  failure: readFailure,
}
