import { isObject, stringOf } from '../../wire/json.js'

/** A content list taken apart: Mistral and Databricks answer in parts where reasoning is on. */
export interface ReadContent {
  readonly text: string
  readonly reasoning: string
  readonly images: readonly unknown[]
}

/** Text of a part that holds a string, or a list of `{ text }`. */
function textIn(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return ''
  return value.map((piece: unknown) => (isObject(piece) ? (stringOf(piece['text']) ?? '') : String(piece))).join('')
}

/** Reads a list of content parts; parts that say nothing (Mistral's references) are left out. */
export function readContentParts(parts: readonly unknown[]): ReadContent {
  let text = ''
  let reasoning = ''
  const images: unknown[] = []
  for (const part of parts) {
    if (typeof part === 'string') text += part
    if (!isObject(part)) continue
    const type = part['type']
    if (type === 'thinking' || type === 'reasoning') {
      reasoning += textIn(part['thinking'] ?? part['summary'] ?? part['reasoning'] ?? part['text'])
    } else if (type === 'image_url' || type === 'image') images.push(part)
    else text += textIn(part['text'])
  }
  return { text, reasoning, images }
}

/** Content as a string: a list's text, or JSON text where a server answers a JSON value instead of its text. */
export function readContent(content: unknown): ReadContent {
  if (typeof content === 'string') return { text: content, reasoning: '', images: [] }
  if (Array.isArray(content)) return readContentParts(content)
  return { text: content === null || content === undefined ? '' : JSON.stringify(content), reasoning: '', images: [] }
}

/** The reasoning text of a message or delta, under whichever of its names. */
export function readReasoning(message: Readonly<Record<string, unknown>>): string {
  return stringOf(message['reasoning_content']) ?? stringOf(message['reasoning']) ?? ''
}
