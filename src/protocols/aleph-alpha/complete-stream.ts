import type { UpstreamEvent } from '../../upstream/message.js'
import type { ChatChunk } from '../../wire/chat.js'
import type { CompletionChunk } from '../../wire/completions.js'
import { isObject, type JsonObject, numberOf, parseJson, stringOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import { createChunkBuilder } from '../chunk-builder.js'
import { toFinishReason } from '../finish-reason.js'
import { invalidAnswer, truncated } from '../invalid-answer.js'
import { MalformedEvents } from '../malformed-events.js'
import { promisedChoices } from '../promised-choices.js'
import type { Exchange, StreamDecoder, StreamPart, StreamProgress } from '../protocol.js'
import { countsToUsage, textHead, textPart, toTextFinish } from '../text-answer.js'

/** How the pieces of an answer are written for one operation. */
interface Writer<Chunk> {
  text(index: number, text: string): StreamPart<Chunk>
  finish(index: number, native: string | undefined): StreamPart<Chunk>
  usage(usage: ChatUsage): StreamPart<Chunk>
}

/** The stream of `/complete` as text completion chunks. */
export function createCompletionStream(exchange: Exchange<'completions'>): StreamDecoder<CompletionChunk> {
  const head = textHead(exchange)
  return new CompleteStream(exchange.deployment.provider, promisedChoices(exchange), {
    text: (index, text) => textPart(head, [{ index, text, finish_reason: null, logprobs: null }]),
    finish: (index, native) =>
      textPart(head, [{ index, text: '', finish_reason: toTextFinish(native), logprobs: null }]),
    usage: (usage) => textPart(head, [], usage),
  })
}

/** The stream of `/complete` as chat chunks. */
export function createChatStream(exchange: Exchange<'chat'>): StreamDecoder<ChatChunk> {
  const { id, created, deployment } = exchange
  const chunks = createChunkBuilder({ id: `chatcmpl-${id}`, created, model: deployment.model })
  return new CompleteStream(deployment.provider, promisedChoices(exchange), {
    text: (index, text) => chunks.content(index, text),
    finish: (index, native) => chunks.finish(index, toFinishReason(native)),
    usage: (usage) => chunks.usage(usage),
  })
}

/** `stream_chunk` adds text, `stream_summary` ends a choice, `completion_summary` ends the answer and counts tokens. */
class CompleteStream<Chunk> implements StreamDecoder<Chunk> {
  readonly #provider: string
  readonly #expected: number
  readonly #writer: Writer<Chunk>
  readonly #malformed: MalformedEvents
  readonly #finished = new Set<number>()
  progress: StreamProgress = 'open'

  constructor(provider: string, expected: number, writer: Writer<Chunk>) {
    this.#provider = provider
    this.#expected = expected
    this.#writer = writer
    this.#malformed = new MalformedEvents(provider)
  }

  push(event: UpstreamEvent): readonly StreamPart<Chunk>[] {
    if (this.progress === 'terminated' || event.data.trim() === '[DONE]') return []
    const body = parseJson(event.data)
    if (!isObject(body)) {
      this.#malformed.skip(false)
      return []
    }
    return this.#read(body)
  }

  #read(body: JsonObject): readonly StreamPart<Chunk>[] {
    const index = numberOf(body['index']) ?? 0
    switch (body['type']) {
      case 'stream_chunk':
        return [this.#writer.text(index, stringOf(body['completion']) ?? '')]
      case 'stream_summary':
        this.#finished.add(index)
        if (this.#finished.size >= this.#expected) this.progress = 'finished'
        return [this.#writer.finish(index, stringOf(body['finish_reason']))]
      case 'completion_summary': {
        this.progress = 'terminated'
        const usage = countsToUsage(body['num_tokens_prompt_total'], body['num_tokens_generated'])
        return usage ? [this.#writer.usage(usage)] : []
      }
      default:
        if (body['type'] === undefined) throw invalidAnswer(body, this.#provider, 'an event without a type')
        return []
    }
  }

  end(): readonly StreamPart<Chunk>[] {
    if (this.#finished.size < this.#expected) throw truncated(this.#provider)
    return []
  }
}
