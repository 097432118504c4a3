import { describe, expect, it } from 'vitest'
import { boundRegex } from '../../src/guardrails/bounded-regex.js'
import { createRegexScanner } from '../../src/guardrails/regex-scanner.js'
import { systemClock } from '../../src/clock.js'
import type { Clock } from '../../src/ports.js'
import { cpuMilliseconds } from '../support/cpu-time.js'
import { ask, createLab, guarded } from './lab.js'

const regex = (pattern: string, flags?: string) =>
  ({ name: 'own', type: 'regex', patterns: [{ name: 'x', pattern, ...(flags && { flags }) }] }) as const

describe("a host's expression", () => {
  it.each([
    ['a+b*?', 'a{1,250}b{0,250}?', 500],
    [String.raw`(?:\w+\.)+x{3,}`, String.raw`(?:\w{1,40}\.){1,40}x{3,40}`, undefined],
    [String.raw`[)\]*+]{2}|\(\u{1f600}?`, String.raw`[)\]*+]{2,2}|\(\u{1f600}{0,1}`, 4],
    [String.raw`(?<=ab)(?<n>c)(?!d{2,3})`, String.raw`(?<=ab)(?<n>c)(?!d{2,3})`, 1],
    ['a{,3}', 'a{,3}', 5],
  ])('%s is bounded', (pattern, source, longest) => {
    const bounded = boundRegex(pattern)
    expect(bounded.source).toBe(source)
    if (longest !== undefined) expect(bounded.longest).toBe(longest)
    expect(() => new RegExp(bounded.source, pattern.includes('1f600') ? 'u' : '')).not.toThrow()
  })

  it.each([
    ['(a', /bracket/],
    ['a)', /bracket/],
    [String.raw`(a)\1`, /back reference/],
    [String.raw`(?<n>a)\k<n>`, /back reference/],
    ['a*', /nothing at all/],
    ['[b-a]', /not a regular expression/],
    ['(?:.{1000}){1000}', /more than 4096/],
    ['(a+)+$', /too long/],
    ['(a|a)+b', /too long/],
    [String.raw`^(\w+\s?)+$`, /too long/],
    [String.raw`(x+x+)+y`, /too long/],
    [String.raw`\s*\s*\s*\s*q`, /too long/],
    [String.raw`([a-z\d]+)*@`, /too long/],
  ])('%s is refused at the start', (pattern, message) => {
    expect(() => createLab([regex(pattern)], { clock: systemClock })).toThrow(
      expect.objectContaining({ kind: 'invalid_request', message: expect.stringMatching(message) }),
    )
  })

  it.each([
    [String.raw`\w+@\w+\.com`],
    ['(?:[a-z0-9-]+\\.)+internal'],
    [String.raw`\b[A-Z]{2,5}-\d{1,6}\b`],
    [String.raw`password\s*[:=]\s*\S+`],
    [String.raw`https?://[^\s"]+`],
    [String.raw`(?:foo|bar)+baz`],
    [String.raw`\d{3}(?:\s?\d{3})*`],
  ])('%s is accepted', (pattern) => {
    expect(() => createLab([regex(pattern)], { clock: systemClock })).not.toThrow()
  })

  it('finds as its own flags say, and refuses or hides', async () => {
    const { begin } = createLab([{ ...regex('secret-[a-z]+', 'i'), action: 'mask' }])
    expect((await guarded(begin(ask('a Secret-Plan, b'))).pre()).messages[0]?.content).toBe('a [X], b')
    const { begin: strict } = createLab([regex(String.raw`\d{6}`)])
    await expect(guarded(strict(ask('no 123456'))).pre()).rejects.toMatchObject({
      message: 'The guardrail own refused the request: it contains what counts as x.',
    })
  })

  it('that never matches takes as much longer as the text is long', () => {
    const scanner = createRegexScanner({ name: 'x', pattern: String.raw`[a-z]{1,30}-\d+` })
    const takes = (length: number): number => {
      const startedAt = cpuMilliseconds()
      expect(scanner.find('a'.repeat(length), 0)).toBeUndefined()
      return cpuMilliseconds() - startedAt
    }
    takes(50_000)
    // Quadratic work would take 16 times as long.
    expect(takes(1_000_000)).toBeLessThan(10 * Math.max(takes(250_000), 20))
  })

  it('is not refused because the machine is busy', () => {
    let now = 0
    const clock: Clock = { ...systemClock, now: () => (now += 1_000) }
    expect(() => createLab([regex(String.raw`\w+@\w+\.com`)], { clock })).not.toThrow()
  })

  it('stops a scan that takes longer than its deadline', async () => {
    const lab = createLab([{ ...regex('zz'), deadlineMs: 10 }], { pause: async () => lab.clock.advance(6) })
    const call = guarded(lab.begin(ask('a'.repeat(100_000))))
    await expect(call.pre()).rejects.toMatchObject({ status: 503, code: 'guardrail_unavailable' })
  })
})
