import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'

type Step = string | number

/** A value that is being filled: objects and lists appear as paths lead into them. */
type Container = Record<Step, unknown>

const step = /\.([A-Za-z_$][\w$-]*)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/g

/** The steps of a path like `$.places[0].name`. */
function stepsOf(path: string): readonly Step[] {
  return [...path.matchAll(step)].map(([, name, index, single, double]) =>
    index === undefined ? (name ?? single ?? double ?? '') : Number(index),
  )
}

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null

/** A list where it will be filled by number, else an object. */
function newContainer(next: Step): Container {
  return typeof next === 'number' ? Object.assign<unknown[], Container>([], {}) : {}
}

function valueOf(piece: JsonObject, before: unknown): unknown {
  const text = piece['stringValue']
  // A text that goes on comes in fragments.
  if (typeof text === 'string') return typeof before === 'string' ? before + text : text
  if (numberOf(piece['numberValue']) !== undefined) return piece['numberValue']
  if (typeof piece['boolValue'] === 'boolean') return piece['boolValue']
  return 'nullValue' in piece ? null : before
}

function place(root: Container, steps: readonly Step[], piece: JsonObject): void {
  let holder = root
  for (const [position, name] of steps.entries()) {
    if (name === '__proto__') return
    const next = steps[position + 1]
    if (next === undefined) {
      holder[name] = valueOf(piece, Object.hasOwn(holder, name) ? holder[name] : undefined)
      return
    }
    const known = Object.hasOwn(holder, name) ? holder[name] : undefined
    const inner: Container = isContainer(known) ? known : newContainer(next)
    holder[name] = inner
    holder = inner
  }
}

/** A function call that comes in pieces: https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc */
export class PartialCall {
  readonly name: string
  readonly id: string | undefined
  readonly signature: string | undefined
  readonly #arguments: Container = {}

  constructor(call: JsonObject, signature: string | undefined) {
    this.name = stringOf(call['name']) ?? ''
    this.id = stringOf(call['id'])
    this.signature = signature
    this.add(call)
  }

  /** Takes the pieces of one part. */
  add(call: JsonObject): void {
    if (isObject(call['args'])) Object.assign(this.#arguments, call['args'])
    const pieces: readonly unknown[] = Array.isArray(call['partialArgs']) ? call['partialArgs'] : []
    for (const piece of pieces.filter(isObject))
      place(this.#arguments, stepsOf(stringOf(piece['jsonPath']) ?? ''), piece)
  }

  /** The call as it would have come in one piece. */
  toCall(): JsonObject {
    return { name: this.name, args: this.#arguments, ...(this.id !== undefined && { id: this.id }) }
  }
}
