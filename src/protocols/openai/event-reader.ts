import { GatewayError } from '../../errors.js'
import type { UpstreamEvent } from '../../upstream/message.js'
import { isObject, type JsonObject, parseJson } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import { MalformedEvents } from '../malformed-events.js'
import { type AnswerContext, type AnswerHead, toHead } from './answer.js'
import { findErrorInside } from './failure.js'
import type { Quirks } from './quirks.js'
import { toUsage } from './usage.js'

/** The objects of one stream: parses events, throws the errors among them, and keeps what all chunks share. */
export class EventReader {
  readonly #context: AnswerContext
  readonly #quirks: Quirks
  readonly #object: string
  readonly #prefix: string
  #head: AnswerHead | undefined
  readonly #malformed: MalformedEvents
  readonly #insideToolCall: () => boolean
  #usage: ChatUsage | undefined
  #isDone = false

  /** `object` and `prefix` are those of the chunks and of an id made by us; `insideToolCall` is asked at a bad event. */
  constructor(
    context: AnswerContext,
    quirks: Quirks,
    object: string,
    prefix: string,
    insideToolCall: () => boolean = () => false,
  ) {
    this.#insideToolCall = insideToolCall
    this.#context = context
    this.#malformed = new MalformedEvents(context.deployment.provider)
    this.#quirks = quirks
    this.#object = object
    this.#prefix = prefix
  }

  /** True once the provider said that nothing follows. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** The last usage that was reported. */
  get usage(): ChatUsage | undefined {
    return this.#usage
  }

  /** The identity of the stream: of its first event with a choice, completed. */
  get head(): AnswerHead {
    this.#head ??= toHead({}, this.#object, this.#prefix, this.#context)
    return this.#head
  }

  /**
   * The event's object where it has choices; undefined where there is nothing to pass on.
   * @throws GatewayError for an error inside the stream, or too many events that are not JSON
   */
  read(event: UpstreamEvent): JsonObject | undefined {
    const data = event.data.trim()
    if (data === '') return undefined
    if (data === '[DONE]') {
      this.#isDone = true
      return undefined
    }
    const body = parseJson(data)
    if (body === undefined) this.#malformed.skip(this.#insideToolCall())
    if (!isObject(body)) return undefined
    const choices = body['choices']
    const hasChoices = Array.isArray(choices) && choices.length > 0
    this.#throwError(event, body, hasChoices)
    this.#readUsage(body)
    if (!hasChoices) return undefined
    this.#head ??= toHead(body, this.#object, this.#prefix, this.#context)
    return body
  }

  #throwError(event: UpstreamEvent, body: JsonObject, hasChoices: boolean): void {
    const { provider } = this.#context.deployment
    const error = findErrorInside(body, hasChoices && event.event !== 'error', this.#quirks, provider)
    if (error) throw error
    const groq = body['x_groq']
    const nested = isObject(groq) && groq['error'] ? groq['error'] : undefined
    if (nested === undefined && event.event !== 'error') return
    const words = isObject(nested) ? nested : { message: typeof nested === 'string' ? nested : 'The provider failed.' }
    const found = findErrorInside({ error: words }, false, {}, provider)
    if (found) throw found
  }

  #readUsage(body: JsonObject): void {
    const groq = body['x_groq']
    const usage = body['usage'] ?? (isObject(groq) ? groq['usage'] : undefined)
    if (usage !== undefined && usage !== null) this.#usage = toUsage(usage) ?? this.#usage
  }

  /** The error for a stream that stopped before its answer was whole. */
  truncated(): GatewayError {
    const { provider } = this.#context.deployment
    return new GatewayError('stream_truncated', `${provider} ended the stream before the answer was complete.`, {
      upstream: { provider, status: 200 },
    })
  }
}
