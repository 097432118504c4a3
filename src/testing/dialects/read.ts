import { isObject, numberOf, type JsonObject } from '../../wire/json.js'
import { countWords, mediaTokens } from '../conversation.js'
import { RefusedRequest } from './dialect.js'

/** The list under a name; refuses a request without one. */
export function requireList(body: JsonObject, name: string): readonly unknown[] {
  const value = body[name]
  if (Array.isArray(value) && value.length > 0) return value
  throw new RefusedRequest(`Missing required parameter: '${name}'.`)
}

/** The objects of a list; anything else gives none. */
export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** The object under a name, or an empty one. */
export function objectOf(body: JsonObject, name: string): JsonObject {
  const value = body[name]
  return isObject(value) ? value : {}
}

/** The texts of a list or a single text. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** The whole number of choices asked for; 1 where none is. */
export function choicesOf(value: unknown): number {
  return Math.min(128, Math.max(1, Math.trunc(numberOf(value) ?? 1)))
}

/** The text of a content: a string, or the `text` of its parts. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return objectsOf(content)
    .map((part) => (typeof part['text'] === 'string' ? part['text'] : ''))
    .filter((text) => text !== '')
    .join(' ')
}

/** Tokens of a content: its words, and 85 for every part that is not text. */
export function tokensOf(content: unknown): number {
  if (typeof content === 'string') return countWords(content)
  return objectsOf(content).reduce((sum, part) => {
    return sum + (typeof part['text'] === 'string' ? countWords(part['text']) : mediaTokens)
  }, 0)
}
