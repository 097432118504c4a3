import { isObject, type JsonObject } from '../wire/json.js'
import type { Operation, StreamOperation } from '../wire/operations.js'

/** Where a text was found. */
export interface TextPlace {
  /** Names of members and numbers of entries, from the outside in; an entry's own `index` counts before its position. */
  readonly path: readonly (string | number)[]
  /** The text is JSON source. */
  readonly json: boolean
  /** Of the message it belongs to. */
  readonly role: string | undefined
}

/** Gives the text that takes the place of one. */
export type VisitText = (text: string, place: TextPlace) => string

/** Which members hold text that is read by a model or written by one. */
export interface TextTree {
  readonly text?: 'plain' | 'json'
  readonly each?: TextTree
  readonly members?: Readonly<Record<string, TextTree>>
}

const plain: TextTree = { text: 'plain' }
const json: TextTree = { text: 'json' }
const toolCalls: TextTree = {
  each: { members: { function: { members: { arguments: json } }, custom: { members: { input: plain } } } },
}
const content: TextTree = { text: 'plain', each: { members: { text: plain, refusal: plain } } }
// Reasoning blocks of Claude are signed and stay as they are.
const message: TextTree = {
  members: {
    content,
    refusal: plain,
    reasoning_content: plain,
    tool_calls: toolCalls,
    function_call: { members: { arguments: json } },
  },
}

/** Texts of requests. */
export const requestTexts: Readonly<Record<Operation, TextTree>> = {
  chat: { members: { messages: { each: message }, prediction: { members: { content } } } },
  completions: { members: { prompt: { text: 'plain', each: plain }, suffix: plain } },
  embeddings: { members: { input: { text: 'plain', each: plain } } },
  images: { members: { prompt: plain } },
  moderations: { members: { input: { text: 'plain', each: { text: 'plain', members: { text: plain } } } } },
}

const answerMessage = (written: TextTree): TextTree => ({
  members: { ...message.members, content: written, audio: { members: { transcript: plain } } },
})

/** Texts of whole answers. `written`: whether the model was asked for JSON. */
export function answerTexts(operation: Operation, written: 'plain' | 'json'): TextTree {
  if (operation === 'chat')
    return { members: { choices: { each: { members: { message: answerMessage({ text: written }) } } } } }
  if (operation === 'completions') return { members: { choices: { each: { members: { text: plain } } } } }
  if (operation === 'images') return { members: { data: { each: { members: { revised_prompt: plain } } } } }
  return {}
}

/** Texts of the chunks of a stream. */
export function chunkTexts(operation: StreamOperation, written: 'plain' | 'json'): TextTree {
  if (operation === 'completions') return { members: { choices: { each: { members: { text: plain } } } } }
  return { members: { choices: { each: { members: { delta: answerMessage({ text: written }) } } } } }
}

/** The value with its texts as `visit` gives them; the very object where none changed. */
export function mapTexts<T>(value: T, tree: TextTree, visit: VisitText): T {
  // Only text takes the place of text, so the type stays.
  return mapNode(value, tree, { visit, path: [], role: undefined }) as T
}

interface Walk {
  readonly visit: VisitText
  readonly path: readonly (string | number)[]
  readonly role: string | undefined
}

function mapNode(value: unknown, tree: TextTree, walk: Walk): unknown {
  if (typeof value === 'string') {
    if (!tree.text || value === '') return value
    return walk.visit(value, { path: walk.path, json: tree.text === 'json', role: walk.role })
  }
  if (Array.isArray(value)) return tree.each ? mapEntries(value, tree.each, walk) : value
  return isObject(value) && tree.members ? mapMembers(value, tree.members, walk) : value
}

function mapEntries(entries: readonly unknown[], tree: TextTree, walk: Walk): readonly unknown[] {
  let changed: unknown[] | undefined
  for (const [position, entry] of entries.entries()) {
    const index = isObject(entry) && typeof entry['index'] === 'number' ? entry['index'] : position
    const mapped = mapNode(entry, tree, { ...walk, path: [...walk.path, index] })
    if (mapped === entry) continue
    changed ??= [...entries]
    changed[position] = mapped
  }
  return changed ?? entries
}

function mapMembers(object: JsonObject, members: Readonly<Record<string, TextTree>>, walk: Walk): JsonObject {
  const role = typeof object['role'] === 'string' ? object['role'] : walk.role
  let changed: Record<string, unknown> | undefined
  for (const [name, tree] of Object.entries(members)) {
    const value = object[name]
    if (value === undefined || value === null) continue
    const mapped = mapNode(value, tree, { ...walk, role, path: [...walk.path, name] })
    if (mapped === value) continue
    changed ??= { ...object }
    changed[name] = mapped
  }
  return changed ?? object
}

/** A text and its place. */
export interface PlacedText extends TextPlace {
  readonly text: string
}

/** All texts of a value, in their order. */
export function textsOf(value: unknown, tree: TextTree): readonly PlacedText[] {
  const texts: PlacedText[] = []
  mapTexts(value, tree, (text, place) => {
    texts.push({ ...place, text })
    return text
  })
  return texts
}

/** The value with its texts replaced, given in the order of `textsOf`. */
export function withTexts<T>(value: T, tree: TextTree, texts: readonly string[]): T {
  let next = 0
  return mapTexts(value, tree, (text) => texts[next++] ?? text)
}
