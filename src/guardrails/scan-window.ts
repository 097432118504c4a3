import type { Scanner, Span } from './scanner.js'

/** What a found match becomes. @throws whatever ends the text, such as a refusal */
export type Replace = (match: string, label: string) => string

/** A match, and what found it. */
interface Found extends Span {
  readonly label: string
}

/**
 * Replaces matches in a text that comes in pieces, and gives each character as soon as no match can change it any more:
 * the pieces together are what the whole text gives. Of matches that overlap, the one that begins first wins, then the
 * scanner that comes first.
 */
export class ScanWindow {
  readonly #scanners: readonly Scanner[]
  readonly #replace: Replace
  readonly #behind: number
  #text = ''
  /** Where what has not been given begins; before it is what scanners look back at. */
  #from = 0

  constructor(scanners: readonly Scanner[], replace: Replace) {
    this.#scanners = scanners
    this.#replace = replace
    this.#behind = Math.max(0, ...scanners.map((scanner) => scanner.behind))
  }

  /** What is settled of the text so far. */
  push(piece: string): string {
    this.#text += piece
    return this.#give(false)
  }

  /** The rest. */
  end(): string {
    return this.#give(true)
  }

  #give(isOver: boolean): string {
    const text = this.#text
    const finder = new EarliestFinder(this.#scanners, text)
    let given = ''
    let at = this.#from
    let open = isOver ? text.length : this.#openFrom(at)
    for (let found = finder.next(at); found && found.start < open; found = finder.next(at)) {
      given += text.slice(at, found.start) + this.#replace(text.slice(found.start, found.end), found.label)
      at = found.end
      // What was open within the match is no match any more.
      if (at > open) open = this.#openFrom(at)
    }
    given += text.slice(at, open)
    this.#keepFrom(Math.max(at, open))
    return given
  }

  #openFrom(from: number): number {
    const open = this.#scanners.reduce(
      (least, scanner) => Math.min(least, scanner.openFrom(this.#text, from)),
      this.#text.length,
    )
    // Half a character is never given.
    return isHighSurrogate(this.#text.charCodeAt(open - 1)) && open > from ? open - 1 : open
  }

  #keepFrom(place: number): void {
    const cut = Math.max(0, place - this.#behind)
    this.#text = this.#text.slice(cut)
    this.#from = place - cut
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd8_00 && code <= 0xdb_ff
}

/** Asks every scanner again only once its last match has been passed. */
class EarliestFinder {
  readonly #scanners: readonly Scanner[]
  readonly #text: string
  readonly #found: (Span | undefined)[]

  constructor(scanners: readonly Scanner[], text: string) {
    this.#scanners = scanners
    this.#text = text
    this.#found = scanners.map(() => ({ start: -1, end: -1 }))
  }

  next(from: number): Found | undefined {
    let earliest: Found | undefined
    for (const [index, scanner] of this.#scanners.entries()) {
      const known = this.#found[index]
      const span = known && known.start < from ? scanner.find(this.#text, from) : known
      this.#found[index] = span
      if (span && (!earliest || span.start < earliest.start)) earliest = { ...span, label: scanner.label }
    }
    return earliest
  }
}
