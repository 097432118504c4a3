import { type Flavour, isAfterEscape, type Scanner } from './scanner.js'

/** Words and phrases to look for. */
export interface WordList {
  readonly label: string
  readonly words: readonly string[]
  /** A word counts only between characters that are no letters or digits, where its script puts any there. */
  readonly wholeWords: boolean
}

interface TrieNode {
  readonly next: Map<string, TrieNode>
  isWord: boolean
}

const wordCharacter = /[\p{L}\p{N}_]/u
// Scripts that put no spaces between words.
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u

/**
 * Finds the longest of many words at each place, in upper and lower case alike; any white space in a phrase stands for
 * one white space character. The time is bounded by the text times the longest word, however many words there are.
 */
export function createWordScanner({ label, words, wholeWords }: WordList, { json }: Flavour): Scanner {
  const root = toTrie(words)
  const longest = Math.max(0, ...words.map((word) => word.length))
  const isEdge = (text: string, at: number, inner: string): boolean =>
    !wholeWords || !isWordCharacter(inner) || !isWordCharacter(text[at])
  const mayBegin = (text: string, at: number): boolean => {
    if (json && text[at - 1] === '\\' && text[at] !== '"') return false
    return isEdge(text, at - 1, text[at] ?? '') || (json && isAfterEscape(text, at))
  }
  /** Where the longest word ends that begins at `start`; -1 where none does. `isOpen`: the text ends within one. */
  const walk = (text: string, start: number): { end: number; isOpen: boolean } => {
    let node: TrieNode | undefined = root
    let end = -1
    for (let at = start; ; at += 1) {
      // Whether a word ends here may depend on the next character.
      if (at >= text.length) return { end: node.isWord ? at : end, isOpen: true }
      if (node.isWord && isEdge(text, at, text[at - 1] ?? '')) end = at
      node = node.next.get(fold(text.charAt(at)))
      if (!node) return { end, isOpen: false }
    }
  }
  return {
    label,
    behind: 7,
    find(text, from) {
      for (let start = from; start < text.length; start += 1) {
        if (!root.next.has(fold(text.charAt(start))) || !mayBegin(text, start)) continue
        const { end } = walk(text, start)
        if (end > start) return { start, end }
      }
      return undefined
    },
    openFrom(text, from) {
      for (let start = Math.max(from, text.length - longest); start < text.length; start += 1) {
        if (walk(text, start).isOpen) return start
      }
      return text.length
    },
  }
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && wordCharacter.test(character) && !unspaced.test(character)
}

function toTrie(words: readonly string[]): TrieNode {
  const root: TrieNode = { next: new Map(), isWord: false }
  for (const word of words) {
    let node = root
    for (const character of word.trim().replaceAll(/\s+/g, ' ')) node = childOf(node, character)
    if (node !== root) node.isWord = true
  }
  return root
}

function childOf(node: TrieNode, codePoint: string): TrieNode {
  let child = node
  // The text is walked in UTF-16 units.
  for (const unit of codePoint.split('')) {
    const key = fold(unit)
    const next = child.next.get(key) ?? { next: new Map<string, TrieNode>(), isWord: false }
    child.next.set(key, next)
    child = next
  }
  return child
}

function fold(unit: string): string {
  const code = unit.charCodeAt(0)
  if (code < 128) return code === 9 || code === 10 || code === 13 ? ' ' : unit.toLowerCase()
  if (code === 0xa0) return ' '
  const lower = unit.toLowerCase()
  return lower.length === 1 ? lower : unit
}
