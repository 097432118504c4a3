import { createPatternScanner } from '../../src/guardrails/pattern-scanner.js'
import { piiPatterns } from '../../src/guardrails/pii-patterns.js'
import type { Scanner } from '../../src/guardrails/scanner.js'
import { ScanWindow } from '../../src/guardrails/scan-window.js'

/** Every pattern of the `pii` guardrail. */
export function piiScanners(json = false, labels?: readonly string[]): Scanner[] {
  return piiPatterns
    .filter(({ label }) => labels?.includes(label) ?? true)
    .map((pattern) => createPatternScanner(pattern, { json }))
}

/** The text in pieces, each match as `<label>`. */
export function maskPieces(pieces: readonly string[], scanners: readonly Scanner[]): string {
  const window = new ScanWindow(scanners, (_, label) => `<${label}>`)
  return pieces.map((piece) => window.push(piece)).join('') + window.end()
}

/** Cuts a text at the given places. */
export function cutAt(text: string, places: readonly number[]): string[] {
  const cuts = [0, ...places.map((place) => place % (text.length + 1)).toSorted((a, b) => a - b), text.length]
  return cuts.slice(1).map((end, i) => text.slice(cuts[i], end))
}
