import type { StreamPart } from '../protocols/protocol.js'
import { isObject, type JsonObject, parseJson, stringOf } from '../wire/json.js'

/** What the client has got of one choice. */
export interface SentChoice {
  /** Text by where it stands: `content`, `reasoning_content`, `refusal`, `text`, `0 name`, `0 arguments` ... */
  readonly texts: Map<string, string>
  readonly callIndexes: Set<number>
  /** How many of Claude's thinking blocks. */
  blocks: number
  finish: string | undefined
}

/** Members of a delta that hold text. */
export const textMembers = ['content', 'reasoning_content', 'refusal'] as const
const comparable: ReadonlySet<string> = new Set([...textMembers, 'role', 'tool_calls', 'thinking_blocks'])

// Characters of one stream; beyond them it is not worth its memory.
const mostCharacters = 4 * 1024 * 1024
// What keeping one part costs besides its text.
const partCost = 64

/**
 * What the client has got of a streamed answer. Parts are kept as they came and read only when somebody asks: after a
 * failure.
 */
export class SentAnswer {
  readonly #choices = new Map<number, SentChoice>()
  #pending: (JsonObject | string)[] = []
  #characters = 0
  #head: JsonObject = {}
  #repeatable = true

  /** Keeps the parts of one batch. */
  add(batch: readonly StreamPart<JsonObject>[]): void {
    if (!this.#repeatable) return
    for (const { chunk, forward } of batch) {
      this.#pending.push(forward ? forward.data : (chunk ?? ''))
      this.#characters += partCost + (forward ? forward.data.length : lengthOf(chunk))
    }
    if (this.#characters > mostCharacters) this.#forget()
  }

  /** True where everything that was sent is known, and of a kind that can be compared with another answer. */
  isRepeatable(): boolean {
    this.#read()
    return this.#repeatable
  }

  /** What was sent, by index of the choice. */
  get choices(): ReadonlyMap<number, SentChoice> {
    this.#read()
    return this.#choices
  }

  /** `id` and `created` of the stream that the client reads. */
  get head(): JsonObject {
    this.#read()
    return this.#head
  }

  /** The text, where one choice with nothing but content was sent. */
  onlyContent(): string | undefined {
    const [choice, ...others] = this.choices.values()
    if (!choice || others.length > 0 || choice.blocks > 0 || choice.finish !== undefined) return undefined
    for (const [name, text] of choice.texts) if (name !== 'content' && text !== '') return undefined
    return choice.texts.get('content')
  }

  /** All text that was sent, in no particular order. */
  get text(): string {
    return [...this.choices.values()].flatMap(({ texts }) => [...texts.values()]).join('')
  }

  #forget(): void {
    this.#repeatable = false
    this.#pending = []
    this.#choices.clear()
  }

  #read(): void {
    const pending = this.#pending
    this.#pending = []
    for (const part of pending) {
      const chunk = typeof part === 'string' ? parseJson(part) : part
      if (isObject(chunk)) this.#readChunk(chunk)
      if (!this.#repeatable) return this.#forget()
    }
  }

  #readChunk(chunk: JsonObject): void {
    if (!('id' in this.#head)) this.#head = { id: chunk['id'], created: chunk['created'] }
    for (const choice of choicesOf(chunk)) {
      const sent = this.#choiceAt(indexOf(choice))
      for (const [name, text] of textsOf(choice)) sent.texts.set(name, (sent.texts.get(name) ?? '') + text)
      const delta = isObject(choice['delta']) ? choice['delta'] : {}
      for (const call of callsOf(delta)) sent.callIndexes.add(indexOf(call))
      sent.blocks += blocksOf(delta).length
      sent.finish ??= stringOf(choice['finish_reason'])
      // An image, a citation, speech: whether another answer repeats it cannot be told.
      if (Object.keys(delta).some((name) => !comparable.has(name) && delta[name])) this.#repeatable = false
    }
  }

  #choiceAt(index: number): SentChoice {
    const known = this.#choices.get(index)
    if (known) return known
    const made: SentChoice = { texts: new Map(), callIndexes: new Set(), blocks: 0, finish: undefined }
    this.#choices.set(index, made)
    return made
  }
}

/** Counts roughly how much text a stream gave, without reading the events that are only forwarded. */
export class TextMeter {
  #characters = 0
  #forwarded = 0
  #forwardedLength = 0
  #latest = ''

  add({ chunk, forward }: StreamPart<JsonObject>): void {
    if (!forward) {
      this.#characters += lengthOf(chunk)
      return
    }
    this.#forwarded += 1
    this.#forwardedLength += forward.data.length
    this.#latest = forward.data
  }

  /** Forwarded events of a stream differ in hardly anything but their text, so that one tells what all are wrapped in. */
  get characters(): number {
    if (this.#forwarded === 0) return this.#characters
    const latest = parseJson(this.#latest)
    const wrapping = this.#latest.length - (isObject(latest) ? lengthOf(latest) : 0)
    return this.#characters + Math.max(0, this.#forwardedLength - this.#forwarded * wrapping)
  }
}

/** Roughly how much text a whole answer has. */
export function charactersOf({ choices }: JsonObject): number {
  if (!Array.isArray(choices)) return 0
  return lengthOf({ choices: choices.filter(isObject).map((choice) => ({ ...choice, delta: choice['message'] })) })
}

// Runs for every chunk that is not forwarded, so it makes nothing.
function lengthOf(chunk: JsonObject | undefined): number {
  const choices = chunk?.['choices']
  if (!Array.isArray(choices)) return 0
  let length = 0
  for (const choice of choices) {
    if (!isObject(choice)) continue
    const { text, delta } = choice
    length += sizeOf(text)
    if (!isObject(delta)) continue
    length += sizeOf(delta['content']) + sizeOf(delta['reasoning_content']) + sizeOf(delta['refusal'])
    if (delta['tool_calls'] !== undefined) for (const call of callsOf(delta)) length += callLength(call)
  }
  return length
}

function callLength({ function: called }: JsonObject): number {
  return isObject(called) ? sizeOf(called['name']) + sizeOf(called['arguments']) : 0
}

const sizeOf = (value: unknown): number => (typeof value === 'string' ? value.length : 0)

/** The choices of a chunk, of whichever operation. */
export function choicesOf(chunk: JsonObject): readonly JsonObject[] {
  return objectsOf(chunk['choices'])
}

/** The tool calls of a delta. */
export function callsOf(delta: JsonObject): readonly JsonObject[] {
  return objectsOf(delta['tool_calls'])
}

/** Claude's thinking blocks in a delta. */
export function blocksOf(delta: JsonObject): readonly JsonObject[] {
  return objectsOf(delta['thinking_blocks'])
}

/** The index of a choice or a tool call. */
export function indexOf(member: JsonObject): number {
  const index = member['index']
  return typeof index === 'number' ? index : 0
}

/** The name under which a tool call's text is kept. */
export function callText(call: JsonObject, member: 'name' | 'arguments'): string {
  return `${indexOf(call)} ${member}`
}

function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function* textsOf(choice: JsonObject): Generator<readonly [string, string]> {
  const { text, delta } = choice
  if (typeof text === 'string') yield ['text', text]
  if (!isObject(delta)) return
  for (const name of textMembers) {
    const piece = delta[name]
    if (typeof piece === 'string') yield [name, piece]
  }
  for (const call of callsOf(delta)) {
    const called = isObject(call['function']) ? call['function'] : {}
    for (const member of ['name', 'arguments'] as const) {
      const piece = called[member]
      if (typeof piece === 'string') yield [callText(call, member), piece]
    }
  }
}
