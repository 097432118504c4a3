import type { UpstreamEvent } from '../../upstream/message.js'
import type { CompletionChunk } from '../../wire/completions.js'
import { isObject, type JsonObject, numberOf } from '../../wire/json.js'
import { promisedChoices } from '../promised-choices.js'
import type { Exchange, StreamDecoder, StreamPart, StreamProgress } from '../protocol.js'
import { type AnswerHead, hasHead, throwChoiceError } from './answer.js'
import { EventReader } from './event-reader.js'
import { EventTemplates } from './event-template.js'
import { nativeFinish } from './finish.js'
import type { Quirks } from './quirks.js'
import { textOfChoice, toTextFinish, toTextLogprobs } from './text-choice.js'

type Part = StreamPart<CompletionChunk>

const nothing: readonly Part[] = []
const chunkObject = 'text_completion'

/** Reads one stream of text completion chunks. */
export function createCompletionStream(
  exchange: Exchange<'completions'>,
  quirks: Quirks,
): StreamDecoder<CompletionChunk> {
  return new CompletionStream(exchange, quirks)
}

class CompletionStream implements StreamDecoder<CompletionChunk> {
  readonly #exchange: Exchange<'completions'>
  readonly #reader: EventReader
  readonly #templates = new EventTemplates('text')
  readonly #promised: number
  /** The native finish reason of every choice that has begun; undefined until it is told. */
  readonly #finishes = new Map<number, string | undefined>()
  progress: StreamProgress = 'open'

  constructor(exchange: Exchange<'completions'>, quirks: Quirks) {
    this.#exchange = exchange
    this.#promised = promisedChoices(exchange) * countPrompts(exchange)
    this.#reader = new EventReader(exchange, quirks, chunkObject, 'cmpl')
  }

  push(event: UpstreamEvent): readonly Part[] {
    if (this.progress === 'terminated') return nothing
    if (event.frame !== undefined && this.#templates.match(event.data)) return [{ chunk: undefined, forward: event }]
    const body = this.#reader.read(event)
    if (!body) {
      if (this.#reader.isDone) this.progress = 'terminated'
      return nothing
    }
    const choices = Array.isArray(body['choices']) ? body['choices'].filter(isObject) : []
    if (event.frame !== undefined && this.#isPlain(body, choices)) {
      this.#templates.learn(event.data)
      return [{ chunk: undefined, forward: event }]
    }
    const parts: Part[] = []
    choices.forEach((choice, position) => this.#readChoice(body, choice, position, parts))
    if (this.#isFinished()) this.progress = 'finished'
    return parts
  }

  end(): readonly Part[] {
    const finishes = [...this.#finishes].toSorted(([a], [b]) => a - b)
    const isWhole = ([, native]: readonly [number, string | undefined]): boolean =>
      native !== undefined && (native !== '' || this.progress === 'terminated')
    if (finishes.length < this.#promised || !finishes.every(isWhole)) throw this.#reader.truncated()
    const { head, usage } = this.#reader
    const parts = finishes.map(([index, native]) => toPart({}, head, index, '', toTextFinish(native), null))
    if (usage) parts.push({ chunk: { ...head, object: chunkObject, choices: [], usage }, forward: undefined })
    return parts
  }

  /** A choice that has begun and goes on with text, in the form in which the client gets it. */
  #isPlain(body: JsonObject, choices: readonly JsonObject[]): boolean {
    const [choice] = choices
    if (!choice || choices.length !== 1 || typeof choice['index'] !== 'number') return false
    const isQuiet = (name: string): boolean => body[name] === undefined || body[name] === null
    return (
      this.#finishes.has(choice['index']) &&
      hasHead(body, this.#reader.head) &&
      isQuiet('usage') &&
      isQuiet('error') &&
      choice['finish_reason'] === null &&
      (choice['logprobs'] === null || isObject(choice['logprobs'])) &&
      typeof choice['text'] === 'string' &&
      choice['text'] !== ''
    )
  }

  #readChoice(body: JsonObject, choice: JsonObject, position: number, parts: Part[]): void {
    throwChoiceError(choice, this.#exchange.deployment)
    const index = numberOf(choice['index']) ?? position
    const native = nativeFinish(choice)
    const known = this.#finishes.get(index)
    const isWeak = known === undefined || known === '' || known === 'stop'
    this.#finishes.set(index, isWeak ? (native ?? known) : known)
    const text = textOfChoice(choice)
    if (text === '') return
    const { choices: _choices, usage: _usage, x_groq: _groq, system_fingerprint: fingerprint, ...rest } = body
    const kept = typeof fingerprint === 'string' ? { ...rest, system_fingerprint: fingerprint } : rest
    parts.push(toPart(kept, this.#reader.head, index, text, null, toTextLogprobs(choice['logprobs'])))
  }

  #isFinished(): boolean {
    if (this.#finishes.size < this.#promised) return false
    for (const native of this.#finishes.values()) if (!native) return false
    return true
  }
}

/** One list of token ids is one prompt. */
function countPrompts({ request: { prompt } }: Exchange<'completions'>): number {
  return Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1
}

function toPart(
  kept: JsonObject,
  head: AnswerHead,
  index: number,
  text: string,
  finish: CompletionChunk['choices'][number]['finish_reason'],
  logprobs: JsonObject | null,
): Part {
  const choice = { index, text, finish_reason: finish, logprobs }
  return { chunk: { ...kept, ...head, object: chunkObject, choices: [choice] }, forward: undefined }
}
