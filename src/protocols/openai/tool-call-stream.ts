import type { ToolCallDelta } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf, parseJson, stringOf } from '../../wire/json.js'
import { isJsonTool } from '../structured-output.js'
import { toToolCallId } from './tool-call-ids.js'

/** What one delta's tool calls become. */
export interface ToolDeltas {
  readonly deltas: readonly ToolCallDelta[]
  /** Arguments of the synthetic JSON tool: they are the answer's text. */
  readonly text: string
}

interface Call {
  /** As the provider counts; it may repeat or be missing. */
  readonly index: number | undefined
  id: string | undefined
  name: string
  readonly isCustom: boolean
  arguments: string
  /** What came before the call could be announced. */
  pending: string
  extras: JsonObject
  /** Place among the calls that the client sees; undefined until announced. */
  position: number | undefined
  isAnswer: boolean
}

interface Entry {
  readonly index: number | undefined
  readonly id: string | undefined
  readonly name: string | undefined
  readonly isCustom: boolean
  readonly text: string
  readonly extras: JsonObject
}

/**
 * The tool calls of one choice, as their deltas come in: told apart whatever a server does with index and id, announced
 * in the order they were first seen, each once with id, type and name, then argument fragments only.
 */
export class ToolCallStream {
  readonly #exchangeId: string
  readonly #choice: number
  readonly #jsonTool: boolean
  readonly #calls: Call[] = []
  #announced = 0
  #positions = 0
  #last: Call | undefined

  constructor(exchangeId: string, choice: number, jsonTool: boolean) {
    this.#exchangeId = exchangeId
    this.#choice = choice
    this.#jsonTool = jsonTool
  }

  /** How many calls the client was told of. */
  get count(): number {
    return this.#positions
  }

  /** True once the provider has begun a call, whether or not the client was told of it. */
  get hasBegun(): boolean {
    return this.#calls.length > 0
  }

  /** Takes the `tool_calls` of one delta. */
  push(entries: readonly unknown[]): ToolDeltas {
    const deltas: ToolCallDelta[] = []
    let text = ''
    for (const raw of entries) {
      if (!isObject(raw)) continue
      const entry = readEntry(raw)
      const call = this.#find(entry) ?? this.#open(entry)
      this.#last = call
      call.id ??= entry.id
      call.name ||= entry.name ?? ''
      call.arguments += entry.text
      if (call.isAnswer) text += entry.text
      else if (call.position === undefined) {
        call.pending += entry.text
        call.extras = { ...call.extras, ...entry.extras }
      } else if (entry.text !== '' || Object.keys(entry.extras).length > 0) {
        deltas.push(toFragment(call, entry.text, entry.extras))
      }
      text += this.#announce(deltas)
    }
    return { deltas, text }
  }

  /**
   * The end of the choice: calls without arguments get `{}`, and calls that were never named are an error, unless they
   * were nothing but an empty delta.
   */
  end(): ToolDeltas | 'unnamed' {
    const isUnnamed = (call: Call): boolean => call.name === '' && call.arguments.trim() !== ''
    if (this.#calls.some(isUnnamed)) return 'unnamed'
    const deltas: ToolCallDelta[] = []
    let text = this.#announce(deltas, true)
    for (const call of this.#calls) {
      if (call.isCustom || call.arguments.trim() !== '') continue
      if (call.isAnswer) text += '{}'
      else if (call.position !== undefined) deltas.push(toFragment(call, '{}', {}))
    }
    return { deltas, text }
  }

  /** Announces what can be, in order: a call waits for its own name and for the calls before it. */
  #announce(deltas: ToolCallDelta[], skipUnnamed = false): string {
    let text = ''
    for (; this.#announced < this.#calls.length; this.#announced++) {
      const call = this.#calls[this.#announced]
      if (!call) break
      if (call.name === '') {
        if (skipUnnamed) continue
        break
      }
      if (this.#jsonTool && isJsonTool(call.name)) {
        call.isAnswer = true
        text += call.pending
        continue
      }
      call.position = this.#positions++
      call.id ??= toToolCallId(this.#exchangeId, this.#choice, call.position)
      deltas.push(toFirst(call, call.position, call.id))
    }
    return text
  }

  #open({ index, isCustom }: Entry): Call {
    const call: Call = {
      index,
      id: undefined,
      name: '',
      isCustom,
      arguments: '',
      pending: '',
      extras: {},
      position: undefined,
      isAnswer: false,
    }
    this.#calls.push(call)
    return call
  }

  /** The call that a delta goes on; undefined where it opens a new one. */
  #find(entry: Entry): Call | undefined {
    const same = entry.id === undefined ? undefined : this.#calls.find((call) => call.id === entry.id)
    if (same) return same
    const counted = entry.index === undefined ? undefined : this.#calls.findLast((call) => call.index === entry.index)
    const isBare = entry.index === undefined || (entry.id === undefined && entry.name === undefined)
    const open = counted ?? (isBare ? this.#last : undefined)
    if (!open) return undefined
    if (entry.id !== undefined && open.id !== undefined) {
      // A new id opens a new call, unless the server makes one up for every fragment: those carry no name.
      return entry.name === undefined && entry.index !== undefined && open.name !== '' ? open : undefined
    }
    return opensAnother(entry, open) ? undefined : open
  }
}

/** True where a named delta without an id of its own is another call rather than a repetition of the open one's name. */
function opensAnother(entry: Entry, open: Call): boolean {
  if (entry.name === undefined || open.name === '') return false
  if (entry.name !== open.name) return true
  return entry.text !== '' && isObject(parseJson(open.arguments))
}

const described = new Set(['index', 'id', 'type', 'function', 'custom'])

function readEntry(raw: JsonObject): Entry {
  const isCustom = isObject(raw['custom']) && !isObject(raw['function'])
  const source = isCustom ? raw['custom'] : raw['function']
  const definition = isObject(source) ? source : {}
  const extras: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(raw)) {
    if (!described.has(name) && value !== null) extras[name] = value
  }
  return {
    index: numberOf(raw['index']),
    id: stringOf(raw['id']),
    name: stringOf(definition['name']),
    isCustom,
    text: toText(isCustom ? definition['input'] : (definition['arguments'] ?? definition['parameters'])),
    extras,
  }
}

const toText = (value: unknown): string => {
  if (typeof value === 'string') return value
  return value === undefined || value === null ? '' : JSON.stringify(value)
}

function toFirst({ name, isCustom, pending, extras }: Call, index: number, id: string): ToolCallDelta {
  if (isCustom) return { ...extras, index, id, type: 'custom', custom: { name, input: pending } }
  return { ...extras, index, id, type: 'function', function: { name, arguments: pending } }
}

function toFragment(call: Call, text: string, extras: JsonObject): ToolCallDelta {
  const index = call.position ?? 0
  return call.isCustom
    ? { ...extras, index, custom: { input: text } }
    : { ...extras, index, function: { arguments: text } }
}
