// Longest event, in characters, that is compared as text; longer ones are rare and are parsed.
const longestEvent = 16_384
// A stream has few shapes: one per choice, sometimes one per verdict of a content filter.
const mostTemplates = 4
// Padding that servers add against traffic analysis; it differs in every event (OpenAI, Azure; Mistral).
const paddings = ['"obfuscation":"', '"p":"']

/** The text of an event around its content string, and around its padding where it has one. */
interface Template {
  readonly before: string
  /** Between content and padding; undefined where there is no padding. */
  readonly between: string | undefined
  readonly after: string
}

/**
 * Recognises plain content events without parsing them. A template is taken from an event that was parsed and found to
 * be plain; an event matches if it is that very text but for the characters inside the content string (and the padding).
 * In JSON text a bare quote cannot occur inside a string, so nothing else about a matching event can differ.
 */
export class EventTemplates {
  readonly #markers: readonly string[]
  #templates: Template[] = []
  #next = 0

  /** `key` is the member that holds the content: `content` of chat deltas, `text` of text completions. */
  constructor(key: 'content' | 'text') {
    this.#markers = [`"${key}":"`, `"${key}": "`]
  }

  /** True where the event differs from a known plain one only in its content, which is not empty. */
  match(data: string): boolean {
    const templates = this.#templates
    for (let position = 0; position < templates.length; position++) {
      const template = templates[position]
      if (template && matches(template, data)) return true
    }
    return false
  }

  /** Takes the shape of an event that was parsed and found to be plain content. */
  learn(data: string): void {
    const template = toTemplate(data, this.#markers)
    if (!template) return
    this.#templates[this.#next] = template
    this.#next = (this.#next + 1) % mostTemplates
  }
}

// Comparing substrings is three times as fast as `startsWith`, which goes character by character.
function matches({ before, between, after }: Template, data: string): boolean {
  if (data.length > longestEvent || data.substring(0, before.length) !== before) return false
  let end = endOfString(data, before.length)
  if (end <= before.length) return false
  if (between !== undefined) {
    const padding = end + between.length
    if (data.substring(end, padding) !== between) return false
    end = endOfString(data, padding)
    if (end === -1) return false
  }
  return data.substring(end) === after
}

function toTemplate(data: string, markers: readonly string[]): Template | undefined {
  if (data.length > longestEvent) return undefined
  const marker = markers.find((text) => data.includes(text))
  if (marker === undefined) return undefined
  const at = data.indexOf(marker)
  // Another member of that name could be the one that was read.
  if (markers.some((text) => data.includes(text, at + 1))) return undefined
  const start = at + marker.length
  const end = endOfString(data, start)
  if (end === -1) return undefined
  for (const padding of paddings) {
    const paddingAt = data.indexOf(padding, end)
    if (paddingAt === -1) continue
    const paddingStart = paddingAt + padding.length
    const paddingEnd = endOfString(data, paddingStart)
    if (paddingEnd === -1) return undefined
    return { before: data.slice(0, start), between: data.slice(end, paddingStart), after: data.slice(paddingEnd) }
  }
  return { before: data.slice(0, start), between: undefined, after: data.slice(end) }
}

const quote = 0x22
const backslash = 0x5c
const firstPrintable = 0x20
const letterU = 0x75
const isEscape: ReadonlySet<number> = new Set(
  ['"', '\\', '/', 'b', 'f', 'n', 'r', 't'].map((letter) => letter.charCodeAt(0)),
)

/** Position of the quote that ends the JSON string which goes on at `start`; -1 where the string is not valid JSON. */
function endOfString(data: string, start: number): number {
  for (let position = start; position < data.length; position++) {
    const code = data.charCodeAt(position)
    if (code === quote) return position
    if (code < firstPrintable) return -1
    if (code !== backslash) continue
    position++
    const escape = data.charCodeAt(position)
    if (escape === letterU) {
      if (!isHex(data, position + 1)) return -1
      position += 4
    } else if (!isEscape.has(escape)) return -1
  }
  return -1
}

function isHex(data: string, start: number): boolean {
  for (let position = start; position < start + 4; position++) {
    const code = data.charCodeAt(position) | 0x20
    const isDigit = code >= 0x30 && code <= 0x39
    if (!isDigit && !(code >= 0x61 && code <= 0x66)) return false
  }
  return true
}
