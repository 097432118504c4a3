import { isObject, type JsonObject } from '../wire/json.js'
import type { TextHash } from './text-hash.js'

// Of the tools, the instructions and the first question each: as much as the smallest piece that providers cache, and
// no more, so that a prompt of megabytes costs what one of some pages does.
const mostCharacters = 4_096

/**
 * Adds to the hash what stays the same while a conversation goes on: model, tools, instructions and first question of a
 * chat, or the beginning of a completion's prompt. Where a part asks to be cached, nothing after the last such part
 * counts. False where the request has no prompt.
 */
export function addPromptPrefix(hash: TextHash, request: JsonObject): boolean {
  const { model, messages, prompt, tools } = request
  if (typeof prompt === 'string') {
    hash.add(String(model)).add(prompt.slice(0, mostCharacters))
    return true
  }
  if (!Array.isArray(messages)) return false
  hash.add(String(model))
  const opening = openingOf(messages)
  const sections = [
    Array.isArray(tools) ? tools : [],
    opening.slice(0, -1).flatMap(partsOf),
    opening.slice(-1).flatMap(partsOf),
  ]
  const lastCached = sections.findLastIndex((section) => section.some(isCached))
  for (const [position, section] of sections.entries()) {
    if (lastCached !== -1 && position > lastCached) break
    const end = position === lastCached ? section.findLastIndex(isCached) + 1 : section.length
    let left = mostCharacters
    for (const part of section.slice(0, end)) left = addValue(hash, part, left)
  }
  return true
}

/** The messages up to the first of the user. */
function openingOf(messages: readonly unknown[]): readonly unknown[] {
  const first = messages.findIndex((message) => isObject(message) && message['role'] === 'user')
  return messages.slice(0, first + 1)
}

function partsOf(message: unknown): readonly unknown[] {
  const content = isObject(message) ? message['content'] : undefined
  return Array.isArray(content) ? content : [content]
}

const isCached = (part: unknown): boolean => isObject(part) && isObject(part['cache_control'])

/** Adds a value's texts until `left` characters are used up; gives what is left. */
function addValue(hash: TextHash, value: unknown, left: number): number {
  if (left <= 0) return 0
  if (typeof value !== 'object' || value === null) {
    const text = typeof value === 'string' ? value.slice(0, left) : String(value)
    hash.add(text)
    return left - text.length - 1
  }
  let rest = left
  for (const name of Object.keys(value)) {
    if (rest <= 0) break
    // The mark moves on from turn to turn.
    if (name !== 'cache_control') rest = addValue(hash, Reflect.get(value, name), addValue(hash, name, rest))
  }
  return rest
}
