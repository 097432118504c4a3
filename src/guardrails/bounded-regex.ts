/** A host's regular expression whose every repetition ends somewhere. */
export interface BoundedRegex {
  readonly source: string
  /** The most characters of a match, and of what it looks at before and after itself. */
  readonly longest: number
  readonly behind: number
  readonly ahead: number
}

/** The expression cannot be bounded, or is not one; its message says why. */
export class UnboundedRegexError extends Error {
  override readonly name = 'UnboundedRegexError'
}

const mostCharacters = 4_096
// From the most generous: one of them makes nearly every expression short enough.
const repeats: readonly number[] = [250, 40, 16]

/**
 * Rewrites `*`, `+` and `{n,}` to end after a number of repetitions (250 where a match then has at most 4,096
 * characters, else fewer), so that what matches at a place depends on a bounded text.
 * @throws UnboundedRegexError for back references, named ones included, and for what stays too long
 */
export function boundRegex(source: string): BoundedRegex {
  for (const repeat of repeats) {
    const bounded = new RegexReader(source, repeat).read()
    if (bounded.longest + bounded.ahead + bounded.behind <= mostCharacters) return bounded
  }
  throw new UnboundedRegexError(`it can match more than ${mostCharacters} characters: repeat less`)
}

interface Piece {
  readonly source: string
  readonly longest: number
}

/** Reads JavaScript's syntax of regular expressions as far as lengths depend on it; whether it is valid, RegExp says. */
class RegexReader {
  readonly #source: string
  readonly #repeat: number
  #at = 0
  #behind = 1
  #ahead = 1

  constructor(source: string, repeat: number) {
    this.#source = source
    this.#repeat = repeat
  }

  read(): BoundedRegex {
    const { source, longest } = this.#alternatives()
    if (this.#at < this.#source.length) throw new UnboundedRegexError('it has a bracket too many')
    return { source, longest, behind: this.#behind, ahead: this.#ahead }
  }

  #alternatives(): Piece {
    const branches = [this.#sequence()]
    while (this.#source[this.#at] === '|') {
      this.#at += 1
      branches.push(this.#sequence())
    }
    return {
      source: branches.map((branch) => branch.source).join('|'),
      longest: Math.max(...branches.map((branch) => branch.longest)),
    }
  }

  #sequence(): Piece {
    let source = ''
    let longest = 0
    while (this.#at < this.#source.length && this.#source[this.#at] !== '|' && this.#source[this.#at] !== ')') {
      const piece = this.#repeated(this.#atom())
      source += piece.source
      longest += piece.longest
    }
    return { source, longest }
  }

  #repeated(atom: Piece): Piece {
    const found = /^(?:[*+?]|\{(\d+)(,)?(\d*)\})\??/.exec(this.#source.slice(this.#at, this.#at + 24))
    if (!found) return atom
    this.#at += found[0].length
    const lazy = found[0].length > 1 && found[0].endsWith('?') ? '?' : ''
    const { least, most } = this.#counts(found)
    return { source: `${atom.source}{${least},${most}}${lazy}`, longest: atom.longest * most }
  }

  #counts([text, from, comma, to]: RegExpExecArray): { least: number; most: number } {
    if (text.startsWith('?')) return { least: 0, most: 1 }
    const least = from === undefined ? Number(text.startsWith('+')) : Number(from)
    if (from !== undefined && comma === undefined) return { least, most: least }
    return { least, most: to === undefined || to === '' ? Math.max(least, this.#repeat) : Number(to) }
  }

  #atom(): Piece {
    const character = this.#source[this.#at]
    if (character === '(') return this.#group()
    if (character === '[') return this.#taken(this.#classEnd(), 2)
    if (character === '\\') return this.#escape()
    if (character === '^' || character === '$') return this.#taken(this.#at + 1, 0)
    const [codePoint = ''] = this.#source.slice(this.#at, this.#at + 2)
    // A dot may be one character outside the basic plane.
    return this.#taken(this.#at + codePoint.length, character === '.' ? 2 : codePoint.length)
  }

  #group(): Piece {
    const [opening = '('] = /^\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?/.exec(this.#source.slice(this.#at, this.#at + 200)) ?? []
    this.#at += opening.length
    const inner = this.#alternatives()
    if (this.#source[this.#at] !== ')') throw new UnboundedRegexError('it has a bracket too few')
    this.#at += 1
    const source = `${opening}${inner.source})`
    if (opening.startsWith('(?<=') || opening.startsWith('(?<!')) {
      this.#behind = Math.max(this.#behind, inner.longest + 1)
      return { source, longest: 0 }
    }
    if (opening === '(?=' || opening === '(?!') {
      this.#ahead = Math.max(this.#ahead, inner.longest + 1)
      return { source, longest: 0 }
    }
    return { source, longest: inner.longest }
  }

  #escape(): Piece {
    const rest = this.#source.slice(this.#at, this.#at + 80)
    if (/^\\(?:[1-9]|k<)/.test(rest)) throw new UnboundedRegexError('it has a back reference')
    if (/^\\[bB]/.test(rest)) return this.#taken(this.#at + 2, 0)
    const [text = rest.slice(0, 2)] =
      /^\\(?:u\{[^}]*\}|u[\da-f]{4}|x[\da-f]{2}|c[a-z]|p\{[^}]*\}|P\{[^}]*\})/i.exec(rest) ?? []
    return this.#taken(this.#at + text.length, 2)
  }

  #classEnd(): number {
    let at = this.#at + 1
    while (at < this.#source.length && this.#source[at] !== ']') at += this.#source[at] === '\\' ? 2 : 1
    return at + 1
  }

  #taken(end: number, longest: number): Piece {
    const source = this.#source.slice(this.#at, end)
    this.#at = end
    return { source, longest }
  }
}
