/** A place in a text: `[start, end)` in UTF-16 units. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * Finds one kind of match. What begins at a place depends only on `behind` characters before it and a bounded number
 * after it, never on where a search began: so a text gives the same matches whole and in pieces.
 */
export interface Scanner {
  /** What a match is called in verdicts and placeholders, lower-case: `email`. */
  readonly label: string
  /** Characters before a place that decide whether a match may begin there. */
  readonly behind: number
  /** The first match that begins at or after `from`. */
  find(text: string, from: number): Span | undefined
  /** The first place at or after `from` where more text might make, lengthen or undo a match; the end where there is none. */
  openFrom(text: string, from: number): number
}

/** How the text is written that is scanned. */
export interface Flavour {
  /** The text is JSON source, where `\n` in a string is a line break and not the letter n. */
  readonly json: boolean
}

const shortEscapes = 'bfnrt'

/** True where the text before `at` ends with a JSON escape, after which a word may begin. */
export function isAfterEscape(text: string, at: number): boolean {
  if (text[at - 2] === '\\' && shortEscapes.includes(text[at - 1] ?? ' ')) return true
  return text[at - 6] === '\\' && text[at - 5] === 'u' && /^[\da-f]{4}$/i.test(text.slice(at - 4, at))
}
