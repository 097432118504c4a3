import type { StreamPart } from '../protocols/protocol.js'
import { type JsonObject, isObject, parseJson } from '../wire/json.js'
import { callsOf, choicesOf, indexOf } from './sent-answer.js'

/** Characters of one answer; what is beyond them is left out. */
const mostCharacters = 256 * 1024
/** Of events that were forwarded and are still to be read: their JSON is many times their text. */
const mostPending = 256 * 1024
const mostListed = 1_000

type Draft = Record<string, unknown>

/** Puts a stream together as the whole answer that it is, within bounds; forwarded events are read many at a time. */
export class AnswerCollector {
  #pending: string[] = []
  #pendingCharacters = 0
  #left = mostCharacters
  readonly #head: Draft = {}
  readonly #choices = new Map<number, Draft>()

  /** Takes the parts of one batch. */
  add(batch: readonly StreamPart<JsonObject>[]): void {
    for (const { chunk, forward } of batch) {
      if (forward) this.#keep(forward.data)
      else if (chunk) {
        this.#read()
        this.#addChunk(chunk)
      }
    }
  }

  /** The answer so far, in the format of whole answers; undefined where nothing came. */
  get answer(): JsonObject | undefined {
    this.#read()
    if (this.#choices.size === 0) return undefined
    const choices = [...this.#choices].toSorted(([left], [right]) => left - right).map(([, choice]) => choice)
    return { ...this.#head, choices }
  }

  #keep(data: string): void {
    this.#pending.push(data)
    this.#pendingCharacters += data.length
    if (this.#pendingCharacters > mostPending) this.#read()
  }

  #read(): void {
    const pending = this.#pending
    this.#pending = []
    this.#pendingCharacters = 0
    for (const data of pending) {
      const chunk = parseJson(data)
      if (isObject(chunk)) this.#addChunk(chunk)
    }
  }

  #addChunk({ choices: _, object, ...head }: JsonObject & { readonly choices?: unknown }): void {
    for (const [name, value] of Object.entries(head))
      if (value !== null && value !== undefined) this.#head[name] = value
    if (typeof object === 'string') this.#head['object'] = object.replace(/\.chunk$/, '')
    for (const choice of choicesOf({ choices: _ })) this.#addChoice(choice)
  }

  #addChoice({ delta, text, finish_reason: reason, ...choice }: JsonObject): void {
    const index = indexOf(choice)
    const draft = this.#choices.get(index) ?? { index }
    this.#choices.set(index, draft)
    if (typeof text === 'string') this.#append(draft, 'text', text)
    if (isObject(delta)) this.#addDelta(member(draft, 'message'), delta)
    if (reason !== null && reason !== undefined) draft['finish_reason'] = reason
  }

  #addDelta(message: Draft, { tool_calls: _, ...delta }: JsonObject): void {
    for (const [name, value] of Object.entries(delta)) {
      if (typeof value === 'string' && name !== 'role') this.#append(message, name, value)
      else if (Array.isArray(value)) this.#concatenate(message, name, value)
      else if (value !== null && value !== undefined) message[name] = value
    }
    for (const call of callsOf({ tool_calls: _ })) this.#addCall(message, call)
  }

  #addCall(message: Draft, call: JsonObject): void {
    const calls = Array.isArray(message['tool_calls']) ? (message['tool_calls'] as Draft[]) : []
    message['tool_calls'] = calls
    const index = indexOf(call)
    let draft = calls.find((known) => known['index'] === index)
    if (!draft) {
      if (calls.length >= mostListed) return
      draft = { index }
      calls.push(draft)
    }
    const { function: called, ...others } = call
    for (const [name, value] of Object.entries(others)) if (value !== null && value !== undefined) draft[name] = value
    if (!isObject(called)) return
    const own = member(draft, 'function')
    for (const [name, value] of Object.entries(called)) if (typeof value === 'string') this.#append(own, name, value)
  }

  #append(draft: Draft, name: string, text: string): void {
    const known = draft[name]
    const kept = text.slice(0, this.#left)
    this.#left -= kept.length
    draft[name] = typeof known === 'string' ? known + kept : kept
  }

  #concatenate(draft: Draft, name: string, values: readonly unknown[]): void {
    const known: unknown = draft[name]
    const list = Array.isArray(known) ? (known as unknown[]) : []
    draft[name] = [...list, ...values].slice(0, mostListed)
  }
}

/** The object in a draft's member, made where there is none. */
function member(draft: Draft, name: string): Draft {
  const known = draft[name]
  if (isObject(known)) return known as Draft
  const made: Draft = {}
  draft[name] = made
  return made
}
