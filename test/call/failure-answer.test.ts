import { describe, expect, it } from 'vitest'
import { readRetryAfter } from '../../src/call/failure-answer.js'

const now = Date.parse('2026-11-25T12:00:00Z')

describe('readRetryAfter', () => {
  it.each([
    ['milliseconds', { 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500],
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['parts of a second', { 'retry-after': '0.5' }, 500],
    [
      'a date, by the answer’s own clock',
      { 'retry-after': 'Wed, 25 Nov 2026 11:00:30 GMT', date: 'Wed, 25 Nov 2026 11:00:00 GMT' },
      30_000,
    ],
    ['a date, by ours where the answer has none', { 'retry-after': 'Wed, 25 Nov 2026 12:00:10 GMT' }, 10_000],
    ['a date that has passed', { 'retry-after': 'Wed, 25 Nov 2026 11:59:00 GMT' }, 0],
    ['more than a day', { 'retry-after': '1000000' }, 86_400_000],
    ['nothing', {}, undefined],
    ['an empty value', { 'retry-after': ' ' }, undefined],
    ['nonsense', { 'retry-after': 'soon' }, undefined],
    ['less than nothing', { 'retry-after': '-1' }, undefined],
  ])('reads %s', (_, headers, expected) => {
    expect(readRetryAfter(headers as Record<string, string>, now)).toBe(expected)
  })
})
