import { boundRegex, UnboundedRegexError } from './bounded-regex.js'
import type { Scanner } from './scanner.js'

/** A host's own expression. */
export interface HostPattern {
  /** Lower-case; verdicts and placeholders name it. */
  readonly name: string
  readonly pattern: string
  /** Of `i`, `m`, `s`, `u`. @default none */
  readonly flags?: string | undefined
}

/**
 * A scanner for a host's expression, whose repetitions are bounded and which was tried on texts made to be slow for it.
 * In a stream it holds back as many characters as a match can have: bounded expressions hold back little.
 * @throws UnboundedRegexError for one that is no expression, matches nothing at all, cannot be bounded, or is slow
 */
export function createRegexScanner({ name, pattern, flags = '' }: HostPattern): Scanner {
  if (!/^[imsu]*$/.test(flags)) throw new UnboundedRegexError('its flags may be i, m, s and u')
  const { source, longest, behind, ahead } = boundRegex(pattern)
  const match = compile(source, `${flags}g`)
  if (match.exec('')?.[0] === '') throw new UnboundedRegexError('it matches nothing at all')
  const reach = longest + ahead
  return {
    label: name,
    behind: behind + 1,
    find(text, from) {
      match.lastIndex = from
      for (;;) {
        const found = match.exec(text)
        if (!found) return undefined
        if (found[0] !== '') return { start: found.index, end: found.index + found[0].length }
        match.lastIndex = found.index + 1
      }
    },
    openFrom: (text, from) => Math.max(from, text.length - reach),
  }
}

function compile(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags)
  } catch {
    throw new UnboundedRegexError('it is not a regular expression')
  }
}

const lengths: readonly number[] = [8, 12, 16, 20, 24, 28, 32, 48, 64, 96, 128, 256, 512, 1_024, 2_048, 4_096, 8_192]
// Texts that no exploding expression would get to may take a while: much of it is linear work.
const limitFor = (length: number): number => (length <= 2_048 ? 25 : 100)
const mostProbes = 40

/**
 * Tries a host's expression on growing texts made of its own characters, which is where backtracking explodes.
 * @throws UnboundedRegexError as soon as a text takes longer than 25 ms (100 ms from 4,096 characters on) twice; only what
 * this process computes meanwhile counts, as a machine may be busy when a host starts
 */
export function probeRegex({ pattern, flags = '' }: HostPattern): void {
  const match = compile(boundRegex(pattern).source, `${flags}g`)
  const isSlow = (text: string, limit: number): boolean => {
    const [startedAt, computed] = [performance.now(), computedMs()]
    // The second question costs more.
    const isOver = (): boolean => performance.now() - startedAt > limit && computedMs() - computed > limit
    match.lastIndex = 0
    while (match.exec(text)?.[0]) if (isOver()) break
    return isOver()
  }
  for (const unit of probeUnits(pattern)) {
    for (const length of lengths) {
      const text = `${unit.repeat(Math.ceil(length / unit.length))}\u0000`
      // Once may be the machine's fault.
      const limit = limitFor(length)
      if (isSlow(text, limit) && isSlow(text, limit))
        throw new UnboundedRegexError('it takes too long on some texts: avoid repetitions within or beside each other')
    }
  }
}

function computedMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** Characters that the expression is made of, in pairs as they follow each other, and one of each common class. */
function probeUnits(pattern: string): readonly string[] {
  const literals = pattern
    .replaceAll(/\\[pP]\{[^}]*\}|\\[wd]/g, 'a1')
    .replaceAll(/\\s/g, ' ')
    .replaceAll(/[\\()[\]{}|*+?^$]/g, '')
  const pairs = Array.from({ length: Math.max(0, literals.length - 1) }, (_, i) => literals.slice(i, i + 2))
  const units = [...(literals === '' ? [] : [literals]), ...Array.from(`a1 -.\n${literals}`), ...pairs]
  return [...new Set(units)].slice(0, mostProbes)
}
