import type { Clock } from '../ports.js'
import { type Counts, type Judgement, passed, type RuleInput, type Scan } from './rule.js'
import type { Flavour } from './scanner.js'
import { ScanWindow } from './scan-window.js'
import type { Vault } from './vault.js'

/** Thrown by a window where a match refuses the text. */
export class MatchRefusal extends Error {
  override readonly name = 'MatchRefusal'
  readonly label: string

  constructor(label: string) {
    super('A match refuses the text.')
    this.label = label
  }
}

/** What the windows of one guardrail share during one look. */
export interface ScanRun {
  readonly scan: Scan
  /** Where matches are hidden to be shown again; undefined: for good. */
  readonly vault: Vault | undefined
  /** False only counts. */
  readonly acts: boolean
  /** Filled while texts pass. */
  readonly counts: Map<string, number>
}

/** A window of a guardrail for one text. */
export function createRuleWindow({ scan, vault, acts, counts }: ScanRun, flavour: Flavour): ScanWindow {
  return new ScanWindow(flavour.json ? scan.json : scan.plain, (match, label) => {
    counts.set(label, (counts.get(label) ?? 0) + 1)
    if (!acts) return match
    if (scan.refusing.has(label)) throw new MatchRefusal(label)
    return vault ? vault.hide(match, label, flavour) : `[${label.toUpperCase()}]`
  })
}

/** Lets other work go on between pieces of a long text. */
export interface ScanTime {
  readonly clock: Pick<Clock, 'now'>
  readonly pause: () => Promise<void>
  readonly deadlineMs: number
}

// A piece takes a few milliseconds.
const pieceLength = 16_384

/**
 * Scans whole texts, long ones in pieces.
 * @throws Error where it takes longer than the deadline
 */
export async function scanTexts({ texts }: Pick<RuleInput, 'texts'>, run: ScanRun, time: ScanTime): Promise<Judgement> {
  const until = time.clock.now() + time.deadlineMs
  const results: string[] = []
  try {
    for (const { text, json } of texts) {
      const window = createRuleWindow(run, { json })
      let result = ''
      for (let at = 0; at < text.length; at += pieceLength) {
        if (at > 0) await time.pause()
        if (time.clock.now() > until) throw new Error('The texts took too long to scan.')
        result += window.push(text.slice(at, at + pieceLength))
      }
      results.push(result + window.end())
    }
  } catch (thrown) {
    if (!(thrown instanceof MatchRefusal)) throw thrown
    return { outcome: 'refused', reason: `it contains what counts as ${thrown.label}`, counts: countsOf(run) }
  }
  return run.counts.size === 0 ? passed : { outcome: 'masked', texts: results, counts: countsOf(run) }
}

/** The counts so far. */
export function countsOf({ counts }: Pick<ScanRun, 'counts'>): Counts {
  return Object.fromEntries(counts)
}
