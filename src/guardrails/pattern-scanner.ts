import type { Flavour, Scanner, Span } from './scanner.js'

/** A kind of match as two regular expressions, both written so that every attempt reads a bounded number of characters. */
export interface TextPattern {
  readonly label: string
  /** A character class, without brackets: no match begins right after one of these. */
  readonly notAfter: string
  readonly match: string
  /** What matches from the beginning of a possible match to the end of a text that is not over. */
  readonly partial: string
  /** What every match has in it: a text without it need not be searched. */
  readonly needs?: string
  /** Flags beside `g`. */
  readonly flags?: string
  /** The most characters that `match` reads, a look-ahead included. */
  readonly reach: number
  /** Tells where the match really ends, for rules that no expression states; undefined where it is none. */
  readonly accept?: (text: string, span: Span) => number | undefined
}

// The longest escape of JSON, `\u0000`, and the character before it.
const behind = 7

/** A scanner for a pattern. */
export function createPatternScanner(pattern: TextPattern, { json }: Flavour): Scanner {
  const flags = `g${pattern.flags ?? ''}`
  const start = json
    ? String.raw`(?<!\\)(?:(?<![${pattern.notAfter}])|(?<=\\[bfnrt]|\\u[\da-fA-F]{4}))`
    : `(?<![${pattern.notAfter}])`
  const match = new RegExp(`${start}(?:${pattern.match})`, flags)
  const partial = new RegExp(`${start}(?:${pattern.partial})$`, flags)
  return {
    label: pattern.label,
    behind,
    find(text, from) {
      if (pattern.needs !== undefined && !text.includes(pattern.needs, from)) return undefined
      match.lastIndex = from
      for (;;) {
        const found = match.exec(text)
        if (!found) return undefined
        const span = { start: found.index, end: found.index + found[0].length }
        const end = pattern.accept ? pattern.accept(text, span) : span.end
        if (end !== undefined) return { start: span.start, end }
        match.lastIndex = span.start + 1
      }
    },
    openFrom(text, from) {
      partial.lastIndex = Math.max(from, text.length - pattern.reach)
      return partial.exec(text)?.index ?? text.length
    },
  }
}
