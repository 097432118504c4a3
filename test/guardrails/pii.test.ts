import { describe, expect, it } from 'vitest'
import { ScanWindow } from '../../src/guardrails/scan-window.js'
import { cpuMilliseconds } from '../support/cpu-time.js'
import { negatives, positives } from './pii-corpus.js'
import { maskPieces, piiScanners } from './scan.js'

function findIn(text: string, json = false): [string, string][] {
  const found: [string, string][] = []
  const window = new ScanWindow(piiScanners(json), (match, label) => (found.push([label, match]), match))
  window.push(text)
  window.end()
  return found
}

describe('the pii guardrail on its corpus', () => {
  const lines = [...positives, ...negatives.map((text) => ({ text, found: [] }))]
  const outcomes = lines.map(({ text, found }) => {
    const expected = found.map((pair) => pair.join('\n'))
    const actual = findIn(text).map((pair) => pair.join('\n'))
    return {
      text,
      right: actual.filter((pair) => expected.includes(pair)),
      wrong: actual.filter((pair) => !expected.includes(pair)),
      missed: expected.filter((pair) => !actual.includes(pair)),
    }
  })
  const count = (what: 'right' | 'wrong' | 'missed'): number =>
    outcomes.reduce((sum, outcome) => sum + outcome[what].length, 0)

  it('finds nothing but what it should and all of it, but for what the corpus marks', () => {
    const precision = count('right') / (count('right') + count('wrong'))
    const recall = count('right') / (count('right') + count('missed'))
    console.log(`PII corpus: ${lines.length} texts, precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}`)
    expect(outcomes.flatMap(({ wrong }) => wrong)).toEqual(['phone\n300-200-1000', 'ip\n3.5.1.2'])
    expect(outcomes.flatMap(({ missed }) => missed)).toEqual([
      'phone\nfour one five, 555 0132',
      'email\njane (at) example (dot) com',
    ])
    expect(recall).toBeGreaterThan(0.95)
  })
})

describe('in JSON source', () => {
  it('an escape is not part of what follows it', () => {
    const source = JSON.stringify({
      a: 'x\nada@example.com\tsk-proj-AbCdEf0123456789AbCdEf0123456789',
      b: '\u0001+49 30 901820',
    })
    const masked = maskPieces([source], piiScanners(true))
    expect(JSON.parse(masked)).toEqual({ a: 'x\n<email>\t<secret>', b: '\u0001<phone>' })
  })
})

describe('hostile texts', () => {
  const size = 1_000_000
  const texts: readonly (readonly [string, string])[] = [
    ['one letter', 'a'.repeat(size)],
    ['one digit', '1'.repeat(size)],
    ['digits and spaces', '1 '.repeat(size / 2)],
    ['digits of a card', '4111 1111 1111 1112 '.repeat(size / 20)],
    ['colons', ':'.repeat(size)],
    ['hex and colons', 'ab:'.repeat(size / 3)],
    ['at signs', 'a@'.repeat(size / 2)],
    ['domains', `a@${'a.'.repeat(size / 2)}`],
    ['dots', '.'.repeat(size)],
    ['dashes', '-'.repeat(size)],
    ['key beginnings', '-----BEGIN PRIVATE KEY-----'.repeat(size / 27)],
    ['token beginnings', 'eyJ'.repeat(size / 3)],
    ['token parts', 'eyJaaaaaa.'.repeat(size / 10)],
    ['secret beginnings', 'sk-'.repeat(size / 3)],
    ['countries', 'DE89 '.repeat(size / 5)],
    ['pluses', '+1'.repeat(size / 2)],
    ['zeros', '01 '.repeat(size / 3)],
  ]

  it.each(texts)('%s: a megabyte takes as much longer than a quarter of it as it is long', (_, text) => {
    const takes = (part: string): number => {
      const scanners = piiScanners()
      const startedAt = cpuMilliseconds()
      const pieces = Array.from({ length: Math.ceil(part.length / 16_384) }, (__, i) =>
        part.slice(i * 16_384, (i + 1) * 16_384),
      )
      maskPieces(pieces, scanners)
      return cpuMilliseconds() - startedAt
    }
    takes(text.slice(0, 50_000))
    // The lesser of two: one of them may have been compiled meanwhile.
    const least = (part: string): number => Math.min(takes(part), takes(part))
    const quarter = least(text.slice(0, size / 4))
    const whole = least(text)
    // Quadratic work would take 16 times as long.
    expect(whole).toBeLessThan(10 * Math.max(quarter, 20))
    expect(whole).toBeLessThan(3_000)
  })
})
