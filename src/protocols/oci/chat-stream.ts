import type { UpstreamEvent } from '../../upstream/message.js'
import type { ChatChunk } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf, parseJson, stringOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import { type ChunkBuilder, createChunkBuilder } from '../chunk-builder.js'
import { toFinishReason } from '../finish-reason.js'
import { readErrorText } from '../failure.js'
import { invalidAnswer, truncated } from '../invalid-answer.js'
import { MalformedEvents } from '../malformed-events.js'
import { promisedChoices } from '../promised-choices.js'
import type { Exchange, StreamDecoder, StreamPart, StreamProgress } from '../protocol.js'
import { callsIn, textIn, toUsage } from './answer.js'

type Part = StreamPart<ChatChunk>

interface ChoiceState {
  finished: boolean
  /** Positions of the calls, by their id. */
  readonly calls: Map<string, number>
}

const objectsIn = (list: unknown): readonly JsonObject[] => (Array.isArray(list) ? list.filter(isObject) : [])

/** Reads the events of either format; they have no terminator but the finish reason. */
export function createChatStream(exchange: Exchange<'chat'>): StreamDecoder<ChatChunk> {
  return new OciStream(exchange)
}

class OciStream implements StreamDecoder<ChatChunk> {
  readonly #exchange: Exchange<'chat'>
  readonly #chunks: ChunkBuilder
  readonly #malformed: MalformedEvents
  readonly #choices = new Map<number, ChoiceState>()
  #usage: ChatUsage | undefined
  progress: StreamProgress = 'open'

  constructor(exchange: Exchange<'chat'>) {
    const { id, created, deployment } = exchange
    this.#exchange = exchange
    this.#chunks = createChunkBuilder({ id: `chatcmpl-${id}`, created, model: deployment.model })
    this.#malformed = new MalformedEvents(deployment.provider)
  }

  push(event: UpstreamEvent): readonly Part[] {
    const data = event.data.trim()
    if (data === '') return []
    if (data === '[DONE]') {
      this.progress = 'terminated'
      return []
    }
    const body = parseJson(data)
    if (!isObject(body)) {
      this.#malformed.skip([...this.#choices.values()].some(({ calls }) => calls.size > 0))
      return []
    }
    return this.#read(body)
  }

  #read(body: JsonObject): readonly Part[] {
    this.#usage = toUsage(body['usage']) ?? this.#usage
    const message = isObject(body['message']) ? body['message'] : undefined
    const finish = stringOf(body['finishReason'])
    const isCohere = message === undefined && (typeof body['text'] === 'string' || 'toolCalls' in body)
    if (!message && !isCohere && finish === undefined) {
      if (readErrorText(body) === undefined) return []
      throw invalidAnswer(body, this.#exchange.deployment.provider, 'an error without words')
    }
    const index = numberOf(body['index']) ?? 0
    const state = this.#choices.get(index) ?? { finished: false, calls: new Map<string, number>() }
    this.#choices.set(index, state)
    if (state.finished) return []
    const parts = message
      ? this.#readMessage(message, index, state)
      : this.#readCohere(body, finish !== undefined, index, state)
    if (finish === undefined) return parts
    state.finished = true
    if (this.#isFinished()) this.progress = 'finished'
    return [...parts, this.#chunks.finish(index, toFinishReason(finish, state.calls.size > 0))]
  }

  #readMessage(message: JsonObject, index: number, state: ChoiceState): readonly Part[] {
    const reasoning = stringOf(message['reasoningContent'])
    const text = textIn(message['content'])
    return [
      ...(reasoning === undefined ? [] : [this.#chunks.reasoning(index, reasoning)]),
      ...(text === '' ? [] : [this.#chunks.content(index, text)]),
      ...objectsIn(message['toolCalls']).flatMap((call) => this.#readFragment(call, index, state)),
    ]
  }

  /** Cohere's calls come whole; its last event repeats all text and all calls. */
  #readCohere(body: JsonObject, isLast: boolean, index: number, state: ChoiceState): readonly Part[] {
    const text = isLast ? '' : (stringOf(body['text']) ?? '')
    const calls = isLast && state.calls.size > 0 ? [] : callsIn(body['toolCalls'], this.#exchange.id, index)
    return [
      ...(text === '' ? [] : [this.#chunks.content(index, text)]),
      ...calls.flatMap(({ function: called }) =>
        this.#open(index, state, undefined, called?.name ?? '', called?.arguments ?? '{}'),
      ),
    ]
  }

  /** A call begins with its id and name; what comes without a name goes on with the arguments of a known one. */
  #readFragment(call: JsonObject, index: number, state: ChoiceState): readonly Part[] {
    const fragment = stringOf(call['arguments']) ?? ''
    const id = stringOf(call['id'])
    const name = stringOf(call['name'])
    const known = id === undefined ? undefined : state.calls.get(id)
    if (known === undefined && name !== undefined) return this.#open(index, state, id, name, fragment)
    const position = known ?? state.calls.size - 1
    return position < 0 || fragment === '' ? [] : [this.#chunks.toolArguments(index, position, fragment)]
  }

  #open(index: number, state: ChoiceState, id: string | undefined, name: string, args: string): readonly Part[] {
    const position = state.calls.size
    const known = id ?? `call_${this.#exchange.id}${index}${position}`
    state.calls.set(known, position)
    const opening = this.#chunks.toolCall(index, position, known, name)
    return args === '' ? [opening] : [opening, this.#chunks.toolArguments(index, position, args)]
  }

  #isFinished(): boolean {
    if (this.#choices.size < promisedChoices(this.#exchange)) return false
    return [...this.#choices.values()].every(({ finished }) => finished)
  }

  end(): readonly Part[] {
    if (!this.#isFinished()) throw truncated(this.#exchange.deployment.provider)
    return this.#usage ? [this.#chunks.usage(this.#usage)] : []
  }
}
