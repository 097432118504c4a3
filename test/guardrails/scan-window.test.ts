import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createPatternScanner, type TextPattern } from '../../src/guardrails/pattern-scanner.js'
import { piiPatterns } from '../../src/guardrails/pii-patterns.js'
import { createRegexScanner } from '../../src/guardrails/regex-scanner.js'
import { ScanWindow } from '../../src/guardrails/scan-window.js'
import { createWordScanner } from '../../src/guardrails/word-scanner.js'
import { cutAt, maskPieces, piiScanners } from './scan.js'

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4fw'
const key = '-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAK\n-----END RSA PRIVATE KEY-----'
const pieces = [
  'ada@example.com',
  'a.b+c@mail.example.co.uk',
  '+49 30 1234567',
  '(415) 555-0132',
  '030 1234567 89',
  '4111 1111 1111 1111',
  '378282246310005',
  'DE89 3704 0044 0532 0130 00',
  'GB82WEST12345698765432',
  '10.0.12.255',
  '2001:db8::ff00:42:8329',
  '::ffff:10.0.0.1',
  'sk-proj-abcdefghijklmnopqrstuvwxyz',
  'AKIAIOSFODNN7EXAMPLE',
  'ghp_abcdefghijklmnopqrstuvwxyz0123456789',
  'SG.abcdefghijklmnopqrst.abcdefghijklmnopqrst',
  jwt,
  key,
  key.slice(0, 50),
  '123-45-6789',
  '-----',
  '----',
  '-----BEGIN ',
  'e',
  'ey',
  's',
  'sk-',
  'A',
  'DE',
  'DE8',
  '@',
  '.',
  ' ',
  '\n',
  '\\n',
  '-',
  '+',
  '(',
  ':',
  '::',
  '1',
  '0',
  '12',
  '4111',
  'word',
  'naïve',
  '日本',
  '😀',
  '\ud83d',
  'secret plan',
  'Secret',
  'plan',
  'x',
]
const text = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })), { maxLength: 14 })
  .map((parts) => parts.join(''))
const places = fc.array(fc.nat(2_000), { maxLength: 30 })

describe('a guarded stream', () => {
  it.each([false, true])('gives in any pieces what the whole text gives (json: %s)', (json) => {
    const scanners = piiScanners(json)
    fc.assert(
      fc.property(text, places, (whole, cuts) => {
        expect(maskPieces(cutAt(whole, cuts), scanners)).toBe(maskPieces([whole], scanners))
      }),
      { numRuns: 1_500 },
    )
  })

  it.each(piiPatterns.map((pattern, row) => [row, pattern] as const))(
    'row %i knows the beginnings of its matches',
    (_, pattern) => {
      const split = (own: TextPattern) => {
        const scanners = [createPatternScanner(own, { json: false })]
        const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 5 }).map((parts) => parts.join(' '))
        const property = fc.property(
          texts,
          places,
          (whole, cuts) => maskPieces(cutAt(whole, cuts), scanners) === maskPieces([whole], scanners),
        )
        return fc.check(property, { numRuns: 2_000 })
      }
      expect(split(pattern).counterexample).toBeNull()
      // The check itself: it notices a pattern that does not know them.
      expect(split({ ...pattern, partial: '(?!)' }).failed).toBe(true)
    },
  )

  it('gives one character at a time what the whole text gives', () => {
    const scanners = piiScanners()
    fc.assert(
      fc.property(text, (whole) => {
        expect(maskPieces(whole.split(''), scanners)).toBe(maskPieces([whole], scanners))
      }),
      { numRuns: 500 },
    )
  })

  it.each([false, true])('gives words and expressions alike whole and in pieces (whole words: %s)', (wholeWords) => {
    const words = createWordScanner(
      { label: 'w', words: ['secret', 'secret plan', 'plan b', 'ab', 'abab', '日本', '-x-'], wholeWords },
      { json: false },
    )
    const expressions = [
      'a+b',
      String.raw`\bsecret\b`,
      '(?<=x)y{2,5}',
      'b(?!c)',
      'c.*d',
      String.raw`\d{3}-\d+`,
      'z$',
    ].map((pattern) => createRegexScanner({ name: 'r', pattern, flags: 'i' }))
    const letters = fc.array(
      fc.constantFrom(
        'a',
        'b',
        'ab',
        'c',
        'd',
        'xyy',
        'y',
        'secret',
        ' ',
        'PLAN',
        'plan b',
        '日本',
        '-x-',
        '1',
        '123-4',
        'z',
        '\n',
      ),
      { maxLength: 25 },
    )
    fc.assert(
      fc.property(letters, places, (parts, cuts) => {
        const whole = parts.join('')
        expect(maskPieces(cutAt(whole, cuts), [words, ...expressions])).toBe(
          maskPieces([whole], [words, ...expressions]),
        )
      }),
      { numRuns: 1_000 },
    )
  })

  it('holds nothing back that no match can begin in', () => {
    const window = new ScanWindow(piiScanners(), () => '')
    expect(window.push('Hello there. ')).toBe('Hello there. ')
    expect(window.push('你好，世界')).toBe('你好，世界')
    expect(window.push(' ask ada')).toBe(' ask ')
    expect(window.push(', she knows')).toBe('ada, she ')
    expect(window.push(' #1) ')).toBe('knows #1) ')
  })

  it('lets go of a beginning that has become too long', () => {
    const window = new ScanWindow(piiScanners(false, ['email']), () => '')
    let given = 0
    for (let i = 0; i < 1_000; i += 1) given += window.push('a').length
    expect(given).toBeGreaterThanOrEqual(1_000 - 129)
  })
})
