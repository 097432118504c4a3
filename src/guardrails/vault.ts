import { parseJson } from '../wire/json.js'
import type { Flavour, Scanner } from './scanner.js'
import { createWordScanner } from './word-scanner.js'

/** What one call has hidden from its provider, and the placeholders it stands behind: `[EMAIL_1]`. Lives as long as the call. */
export class Vault {
  readonly #placeholders = new Map<string, string>()
  readonly #values = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  readonly #texts: readonly string[]
  #taken: ReadonlySet<string> | undefined
  #scanner: Scanner | undefined

  /** `texts`: those of the request; a placeholder that one of them has itself must not become somebody's address. */
  constructor(texts: readonly string[]) {
    this.#texts = texts
  }

  get isEmpty(): boolean {
    return this.#values.size === 0
  }

  /** The placeholder for a match; the same one for the same value, so that a model can tell two people apart. */
  hide(match: string, label: string, { json }: Flavour): string {
    const value = json ? fromJsonSource(match) : match
    const key = `${label}\n${value}`
    const known = this.#placeholders.get(key)
    if (known !== undefined) return known
    const placeholder = this.#next(label)
    this.#placeholders.set(key, placeholder)
    this.#values.set(placeholder.toLowerCase(), value)
    return placeholder
  }

  /** The value behind a placeholder, as its surroundings write it. */
  show(placeholder: string, { json }: Flavour): string {
    const value = this.#values.get(placeholder.toLowerCase())
    if (value === undefined) return placeholder
    return json ? JSON.stringify(value).slice(1, -1) : value
  }

  /** The text with every value that was hidden behind its placeholder again. */
  conceal(text: string): string {
    let concealed = text
    // Longer ones first: one may be a part of another.
    const longestFirst = [...this.#values].toSorted(([, left], [, right]) => right.length - left.length)
    for (const [placeholder, value] of longestFirst) {
      const shown = placeholder.toUpperCase()
      concealed = concealed.replaceAll(value, shown)
      const written = JSON.stringify(value).slice(1, -1)
      if (written !== value) concealed = concealed.replaceAll(written, shown)
    }
    return concealed
  }

  /** Finds placeholders, which a model may write in lower case; ask for it once everything is hidden. */
  get scanner(): Scanner {
    const words = [...this.#values.keys()]
    this.#scanner ??= createWordScanner({ label: 'placeholder', words, wholeWords: false }, { json: false })
    return this.#scanner
  }

  #next(label: string): string {
    for (;;) {
      const count = (this.#counts.get(label) ?? 0) + 1
      this.#counts.set(label, count)
      const placeholder = `[${label.toUpperCase()}_${count}]`
      if (!this.#isTaken(placeholder)) return placeholder
    }
  }

  #isTaken(placeholder: string): boolean {
    this.#taken ??= new Set(this.#texts.flatMap((text) => text.toLowerCase().match(/\[[a-z_]{1,60}_\d{1,9}\]/g) ?? []))
    return this.#taken.has(placeholder.toLowerCase())
  }
}

function fromJsonSource(source: string): string {
  const value = parseJson(`"${source}"`)
  return typeof value === 'string' ? value : source
}
