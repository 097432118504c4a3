import { InvalidRequestError, UnsupportedParameterError } from '../errors.js'
import type { UpstreamEvent } from '../upstream/message.js'
import type { ChatChunk, ChatCompletion, ChatRequest, FinishReason } from '../wire/chat.js'
import type { Completion, CompletionChunk, CompletionRequest } from '../wire/completions.js'
import { isObject, type JsonObject, numberOf, parseJson } from '../wire/json.js'
import { toDropPolicy } from './gateway-fields.js'
import { outputLimitOf } from './output-limit.js'
import { OuterDecoder } from './outer-decoder.js'
import type { Codec, Exchange, StreamDecoder, StreamPart } from './protocol.js'

/** Text completions over a provider's chat: the prompt becomes one user message, the answer's content the text. */
export function completionsOverChat(chat: Codec<'chat'>): Codec<'completions'> {
  const codec: Codec<'completions'> = {
    encode: (exchange) => {
      const lost = checkLost(exchange)
      const sent = chat.encode(toChatExchange(exchange))
      return lost.length === 0 ? sent : { ...sent, droppedParams: [...lost, ...sent.droppedParams] }
    },
    decode: (body, exchange, headers) => toCompletion(chat.decode(body, toChatExchange(exchange), headers)),
    next: (body, exchange, answers, headers) => chat.next?.(body, toChatExchange(exchange), answers, headers),
    outputLimit: (limit, exchange) => outputLimitOf(chat, limit, toChatExchange(exchange)),
  }
  if (!chat.decodeStream) return codec
  return {
    ...codec,
    decodeStream: (exchange) => {
      const inner = chat.decodeStream?.(toChatExchange(exchange))
      if (!inner) throw new TypeError('a chat codec that streams has stopped to')
      return createBridgeStream(inner)
    },
  }
}

function toChatExchange({ request, ...rest }: Exchange<'completions'>): Exchange<'chat'> {
  return { ...rest, chosen: undefined, request: toChatRequest(request, rest.deployment.provider) }
}

/** What chat has no word for. @throws UnsupportedParameterError unless it may be dropped */
function checkLost({ request, deployment }: Exchange<'completions'>): readonly string[] {
  const { best_of: bestOf, echo, suffix } = request
  const asked = { best_of: bestOf && bestOf > 1, echo, suffix }
  const lost = Object.entries(asked).flatMap(([name, value]) => (value ? [name] : []))
  if (lost.length > 0 && !toDropPolicy(request, deployment.params, deployment.dropParams).drop) {
    throw new UnsupportedParameterError(deployment.provider, deployment.model, lost)
  }
  return lost
}

function toChatRequest(request: CompletionRequest, provider: string): ChatRequest {
  const { prompt, best_of: _bestOf, echo: _echo, suffix: _suffix, logprobs, ...others } = request
  const messages: ChatRequest['messages'] = [{ role: 'user', content: onlyPrompt(prompt, provider) }]
  if (logprobs === undefined || logprobs === null) return { ...others, messages }
  return { ...others, messages, logprobs: true, ...(logprobs > 0 && { top_logprobs: logprobs }) }
}

function onlyPrompt(prompt: CompletionRequest['prompt'], provider: string): string {
  const only = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
  if (typeof only === 'string') return only
  throw new InvalidRequestError(`${provider} answers one prompt at a time, as a string.`, 'prompt')
}

type TextFinish = Completion['choices'][number]['finish_reason']

const toTextFinish = (reason: FinishReason): TextFinish =>
  reason === 'length' || reason === 'content_filter' ? reason : 'stop'

const toTextId = (id: string): string => id.replace(/^chatcmpl-/, 'cmpl-')

function toCompletion(answer: ChatCompletion): Completion {
  const { choices, object: _object, id, ...shared } = answer
  return {
    ...shared,
    id: toTextId(id),
    object: 'text_completion',
    choices: choices.map(({ index, message, finish_reason: reason, logprobs }) => ({
      index,
      text: message.content ?? '',
      finish_reason: toTextFinish(reason),
      logprobs: toTextLogprobs(logprobs, 0),
    })),
  }
}

/** Chat's logprobs in the older form of four parallel lists; `offset` is where the text begins in the whole answer. */
function toTextLogprobs(logprobs: unknown, offset: number): JsonObject | null {
  const content = isObject(logprobs) ? logprobs['content'] : undefined
  if (!Array.isArray(content)) return null
  const entries = content.filter(isObject)
  let at = offset
  const offsets = entries.map((entry) => {
    const start = at
    at += String(entry['token']).length
    return start
  })
  return {
    tokens: entries.map((entry) => String(entry['token'])),
    token_logprobs: entries.map((entry) => numberOf(entry['logprob']) ?? 0),
    top_logprobs: entries.map(toTopLogprobs),
    text_offset: offsets,
  }
}

function toTopLogprobs(entry: JsonObject): JsonObject {
  const top = Array.isArray(entry['top_logprobs']) ? entry['top_logprobs'].filter(isObject) : []
  return Object.fromEntries(top.map((other) => [String(other['token']), numberOf(other['logprob']) ?? 0]))
}

function createBridgeStream(inner: StreamDecoder<ChatChunk>): StreamDecoder<CompletionChunk> {
  // Characters of each choice so far, for the offsets of logprobs.
  const lengths = new Map<number, number>()
  const translate = (parts: readonly StreamPart<ChatChunk>[]): readonly StreamPart<CompletionChunk>[] =>
    parts.flatMap((part) => {
      const chunk = part.chunk ?? readForwarded(part.forward)
      const translated = chunk && toCompletionChunk(chunk, lengths)
      return translated ? [{ chunk: translated, forward: undefined }] : []
    })
  return new OuterDecoder(inner, {
    push: (event) => translate(inner.push(event)),
    end: () => translate(inner.end()),
  })
}

// A decoder forwards only what already is a chunk in OpenAI's form.
function readForwarded(event: UpstreamEvent | undefined): ChatChunk | undefined {
  const chunk = event && parseJson(event.data)
  return isObject(chunk) ? (chunk as ChatChunk) : undefined
}

/** The chunk as text; undefined where it adds none, as the role and tool calls do. */
function toCompletionChunk(chunk: ChatChunk, lengths: Map<number, number>): CompletionChunk | undefined {
  const { choices, object: _object, id, usage, ...shared } = chunk
  const texts = choices.flatMap(({ index, delta, finish_reason: reason, logprobs }) => {
    const text = delta.content ?? ''
    if (text === '' && reason === null) return []
    const offset = lengths.get(index) ?? 0
    lengths.set(index, offset + text.length)
    const finish = reason === null ? null : toTextFinish(reason)
    return [{ index, text, finish_reason: finish, logprobs: toTextLogprobs(logprobs, offset) }]
  })
  if (texts.length === 0 && !usage) return undefined
  return { ...shared, id: toTextId(id), object: 'text_completion', choices: texts, ...(usage && { usage }) }
}
