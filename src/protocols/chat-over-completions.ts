import { UnsupportedParameterError } from '../errors.js'
import type { ChatChunk, ChatCompletion } from '../wire/chat.js'
import type { Completion, CompletionChunk, CompletionRequest } from '../wire/completions.js'
import { isObject } from '../wire/json.js'
import { createChunkBuilder } from './chunk-builder.js'
import { outputLimitOf } from './output-limit.js'
import { settleRequest } from './parameter-table.js'
import { type PlainTurn, toPlainTurns } from './plain-text.js'
import { toPrompt } from './prompt-template.js'
import { lostInMessages } from './message-fields.js'
import { OuterDecoder } from './outer-decoder.js'
import type { Codec, Exchange, StreamDecoder, StreamPart } from './protocol.js'

// What a model that only continues text cannot be asked for.
const chatOnly: Readonly<Record<string, (value: unknown) => boolean>> = {
  audio: () => true,
  functions: isFilled,
  logprobs: (value) => value === true,
  modalities: (value) => Array.isArray(value) && value.some((modality) => modality !== 'text'),
  prediction: () => true,
  reasoning_effort: (value) => value !== 'none',
  response_format: (value) => isObject(value) && value['type'] !== 'text',
  thinking: (value) => isObject(value) && value['type'] !== 'disabled',
  tools: isFilled,
  verbosity: () => true,
  web_search_options: () => true,
}

// Meaningless once those above are gone, or about the account.
const dependent = [
  'function_call',
  'max_completion_tokens',
  'messages',
  'parallel_tool_calls',
  'service_tier',
  'tool_choice',
  'top_logprobs',
  ...Object.keys(chatOnly),
]

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}

/** Chat over a provider's text completions: the conversation becomes one prompt, the text the answer's content. */
export function chatOverCompletions(
  completions: Codec<'completions'>,
  write: (turns: readonly PlainTurn[], model: string) => string = toPrompt,
): Codec<'chat'> {
  const codec: Codec<'chat'> = {
    encode: (exchange) => {
      const { inner, lost } = toTextExchange(exchange, write)
      const sent = completions.encode(inner)
      const dropped = [...lost, ...lostInMessages(exchange.request.messages, { detail: false }), ...sent.droppedParams]
      return { ...sent, droppedParams: dropped }
    },
    decode: (body, exchange) => toChat(completions.decode(body, answeredExchange(exchange))),
    outputLimit: (limit, exchange) => outputLimitOf(completions, limit, answeredExchange(exchange)),
  }
  if (!completions.decodeStream) return codec
  return {
    ...codec,
    decodeStream: (exchange) => {
      const inner = completions.decodeStream?.(answeredExchange(exchange))
      if (!inner) throw new TypeError('a codec that streams has stopped to')
      return createBridge(inner, exchange)
    },
  }
}

interface TextExchange {
  readonly inner: Exchange<'completions'>
  readonly lost: readonly string[]
}

function toTextExchange(
  exchange: Exchange<'chat'>,
  write: (turns: readonly PlainTurn[], model: string) => string,
): TextExchange {
  const { deployment } = exchange
  const { request, policy } = settleRequest(exchange.request, deployment)
  const lost = Object.keys(chatOnly).filter((name) => {
    const value = request[name]
    return value !== undefined && value !== null && chatOnly[name]?.(value)
  })
  if (lost.length > 0 && !policy.drop) throw new UnsupportedParameterError(deployment.provider, deployment.model, lost)
  const prompt = write(toPlainTurns(request.messages, deployment.provider), deployment.model)
  const limit = request.max_completion_tokens ?? request.max_tokens
  const others = Object.entries(request).filter(([name]) => !dependent.includes(name))
  const text: CompletionRequest = {
    ...Object.fromEntries(others),
    model: request.model,
    prompt,
    ...(limit !== undefined && { max_tokens: limit }),
  }
  return { inner: { ...exchange, chosen: undefined, request: text }, lost }
}

/** What decoding looks at is the same for both operations: names, ids and time. */
function answeredExchange({ request, ...rest }: Exchange<'chat'>): Exchange<'completions'> {
  const { model, n, stream } = request
  return { ...rest, chosen: undefined, request: { model, n, stream, prompt: '' } satisfies CompletionRequest }
}

const toChatId = (id: string): string => id.replace(/^cmpl-/, 'chatcmpl-')

function toChat({ choices, object: _object, id, ...shared }: Completion): ChatCompletion {
  return {
    ...shared,
    id: toChatId(id),
    object: 'chat.completion',
    choices: choices.map(({ index, text, finish_reason: reason }) => ({
      index,
      message: { role: 'assistant', content: text, refusal: null },
      finish_reason: reason,
      logprobs: null,
    })),
  }
}

function createBridge(inner: StreamDecoder<CompletionChunk>, exchange: Exchange<'chat'>): StreamDecoder<ChatChunk> {
  const { id, created, deployment } = exchange
  const chunks = createChunkBuilder({ id: `chatcmpl-${id}`, created, model: deployment.model })
  const translate = (parts: readonly StreamPart<CompletionChunk>[]): readonly StreamPart<ChatChunk>[] =>
    parts.flatMap(({ chunk }) => {
      if (!chunk) return []
      chunks.identify({ id: toChatId(chunk.id), model: chunk.model })
      const said = chunk.choices.flatMap(({ index, text, finish_reason: reason }) => [
        ...(text === '' ? [] : [chunks.content(index, text)]),
        ...(reason === null ? [] : [chunks.finish(index, reason)]),
      ])
      return chunk.usage ? [...said, chunks.usage(chunk.usage)] : said
    })
  return new OuterDecoder(inner, {
    push: (event) => translate(inner.push(event)),
    end: () => translate(inner.end()),
  })
}
