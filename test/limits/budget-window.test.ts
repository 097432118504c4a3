import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createBudgetWindows } from '../../src/limits/budget-window.js'
import type { Budget } from '../../src/ports.js'

const windows = createBudgetWindows()

function spanOf(budget: Budget, now: string): string {
  const { startsAt, endsAt } = windows.at(budget, Date.parse(now))
  return `${new Date(startsAt).toISOString()} ${endsAt === undefined ? 'never' : new Date(endsAt).toISOString()}`.replaceAll(
    ':00.000Z',
    'Z',
  )
}

const calendar: readonly [budget: Budget, now: string, expected: string][] = [
  [{ budgetDuration: '30s' }, '2026-11-25T10:20:31Z', '2026-11-25T10:20:30.000Z 2026-11-25T10:21Z'],
  [{ budgetDuration: '30m' }, '2026-11-25T10:20:31Z', '2026-11-25T10:00Z 2026-11-25T10:30Z'],
  [{ budgetDuration: '1h' }, '2026-11-25T10:59:59.999Z', '2026-11-25T10:00Z 2026-11-25T11:00Z'],
  [{ budgetDuration: '7h' }, '2026-11-25T22:00Z', '2026-11-25T21:00Z 2026-11-26T00:00Z'],
  [{ budgetDuration: '24h' }, '2026-11-25T10:20Z', '2026-11-25T00:00Z 2026-11-26T00:00Z'],
  [{ budgetDuration: '1d' }, '2026-11-25T00:00Z', '2026-11-25T00:00Z 2026-11-26T00:00Z'],
  [{ budgetDuration: '30h' }, '1970-01-02T07:00Z', '1970-01-02T06:00Z 1970-01-03T12:00Z'],
  [{ budgetDuration: '7d' }, '2026-11-25T10:20Z', '2026-11-23T00:00Z 2026-11-30T00:00Z'],
  [{ budgetDuration: '1w' }, '2026-11-29T23:59Z', '2026-11-23T00:00Z 2026-11-30T00:00Z'],
  [{ budgetDuration: '2w' }, '1970-01-18T00:00Z', '1970-01-05T00:00Z 1970-01-19T00:00Z'],
  [{ budgetDuration: '3d' }, '1970-01-05T00:00Z', '1970-01-04T00:00Z 1970-01-07T00:00Z'],
  [{ budgetDuration: '30d' }, '2026-02-28T12:00Z', '2026-02-01T00:00Z 2026-03-01T00:00Z'],
  [{ budgetDuration: '1mo' }, '2028-02-29T23:59Z', '2028-02-01T00:00Z 2028-03-01T00:00Z'],
  [{ budgetDuration: '2mo' }, '2026-12-31T23:59Z', '2026-11-01T00:00Z 2027-01-01T00:00Z'],
  [{ budgetDuration: '1y' }, '2026-06-01T00:00Z', '2026-01-01T00:00Z 2027-01-01T00:00Z'],
  [{}, '2026-06-01T00:00Z', '1970-01-01T00:00Z never'],
  // The last zone of the earth is 26 hours behind the first: three dates at one moment.
  [
    { budgetDuration: '1d', timeZone: 'Pacific/Kiritimati' },
    '2026-11-25T10:30Z',
    '2026-11-25T10:00Z 2026-11-26T10:00Z',
  ],
  [{ budgetDuration: '1d', timeZone: 'Etc/GMT+12' }, '2026-11-25T10:30Z', '2026-11-24T12:00Z 2026-11-25T12:00Z'],
  [
    { budgetDuration: '1mo', timeZone: 'Pacific/Kiritimati' },
    '2026-11-30T10:00Z',
    '2026-11-30T10:00Z 2026-12-31T10:00Z',
  ],
  [{ budgetDuration: '1mo', timeZone: 'Etc/GMT+12' }, '2026-12-01T11:59Z', '2026-11-01T12:00Z 2026-12-01T12:00Z'],
  [{ budgetDuration: '1d', timeZone: 'Asia/Kathmandu' }, '2026-11-25T18:15Z', '2026-11-25T18:15Z 2026-11-26T18:15Z'],
  // Days of 23 and of 25 hours.
  [{ budgetDuration: '1d', timeZone: 'Europe/Berlin' }, '2026-03-29T12:00Z', '2026-03-28T23:00Z 2026-03-29T22:00Z'],
  [{ budgetDuration: '24h', timeZone: 'Europe/Berlin' }, '2026-10-25T22:30Z', '2026-10-24T22:00Z 2026-10-25T23:00Z'],
  [{ budgetDuration: '1mo', timeZone: 'America/New_York' }, '2026-03-31T12:00Z', '2026-03-01T05:00Z 2026-04-01T04:00Z'],
  [{ budgetDuration: '12h', timeZone: 'Europe/Berlin' }, '2026-10-25T22:30Z', '2026-10-25T22:00Z 2026-10-25T23:00Z'],
  // No midnight: Cairo's clocks go from 23:59 to 01:00.
  [{ budgetDuration: '1d', timeZone: 'Africa/Cairo' }, '2026-04-23T22:30Z', '2026-04-23T22:00Z 2026-04-24T21:00Z'],
  // Midnight twice over: Cuba's clocks go from 00:59 to 00:00 of the same day.
  [{ budgetDuration: '1d', timeZone: 'America/Havana' }, '2026-11-01T04:30Z', '2026-11-01T04:00Z 2026-11-02T05:00Z'],
  [{ budgetDuration: '1d', timeZone: 'America/Havana' }, '2026-11-01T05:30Z', '2026-11-01T04:00Z 2026-11-02T05:00Z'],
  // Samoa had no 30 December 2011.
  [{ budgetDuration: '1d', timeZone: 'Pacific/Apia' }, '2011-12-30T10:00Z', '2011-12-30T10:00Z 2011-12-31T10:00Z'],
]

const fromStart: readonly [budget: Budget & { start: string }, now: string, expected: string][] = [
  [{ start: '2026-11-25T10:07Z', budgetDuration: '1h' }, '2026-11-25T12:00Z', '2026-11-25T11:07Z 2026-11-25T12:07Z'],
  [{ start: '2026-11-25T10:07Z', budgetDuration: '24h' }, '2026-11-26T10:06Z', '2026-11-25T10:07Z 2026-11-26T10:07Z'],
  [{ start: '2026-11-25T10:07Z', budgetDuration: '30d' }, '2026-12-26T00:00Z', '2026-12-25T10:07Z 2027-01-24T10:07Z'],
  [{ start: '2026-11-25T10:07Z', budgetDuration: '7d' }, '2026-11-20T00:00Z', '2026-11-18T10:07Z 2026-11-25T10:07Z'],
  [{ start: '2026-01-31T10:07Z', budgetDuration: '1mo' }, '2026-02-28T10:06Z', '2026-01-31T10:07Z 2026-02-28T10:07Z'],
  [{ start: '2026-01-31T10:07Z', budgetDuration: '1mo' }, '2026-03-31T10:06Z', '2026-02-28T10:07Z 2026-03-31T10:07Z'],
  [{ start: '2024-02-29T00:00Z', budgetDuration: '1y' }, '2028-02-29T00:00Z', '2028-02-29T00:00Z 2029-02-28T00:00Z'],
  [{ start: '2026-11-25T10:07Z' }, '2027-01-01T00:00Z', '2026-11-25T10:07Z never'],
  // The same local time on either side of a change of the clocks.
  [
    { start: '2026-03-27T08:00Z', budgetDuration: '1d', timeZone: 'Europe/Berlin' },
    '2026-03-29T07:30Z',
    '2026-03-29T07:00Z 2026-03-30T07:00Z',
  ],
  [
    { start: '2026-03-27T08:00Z', budgetDuration: '24h', timeZone: 'Europe/Berlin' },
    '2026-03-29T08:30Z',
    '2026-03-29T08:00Z 2026-03-30T08:00Z',
  ],
]

const durations = ['30s', '45m', '1h', '7h', '24h', '36h', '1d', '3d', '7d', '30d', '1w', '1mo', '5mo', '1y']
const zones = [
  'UTC',
  'Pacific/Kiritimati',
  'Etc/GMT+12',
  'Europe/Berlin',
  'America/Havana',
  'Africa/Cairo',
  'Asia/Tehran',
]
const zonesOfChange = ['Australia/Lord_Howe', 'America/St_Johns', 'Pacific/Chatham', 'Pacific/Apia', 'America/Santiago']

describe('the window of a budget', () => {
  for (const [budget, now, expected] of calendar) {
    it(`follows the calendar: ${budget.budgetDuration} in ${budget.timeZone ?? 'UTC'} at ${now}`, () => {
      expect(spanOf(budget, now)).toBe(expected)
    })
  }

  for (const [{ start, ...budget }, now, expected] of fromStart) {
    it(`follows its start: ${budget.budgetDuration} from ${start} in ${budget.timeZone ?? 'UTC'} at ${now}`, () => {
      expect(spanOf({ ...budget, startsAt: Date.parse(start) }, now)).toBe(expected)
    })
  }

  it(
    'holds the moment it was asked for, is the same from edge to edge, and follows its neighbours without a gap',
    { timeout: 60_000 },
    () => {
      const anyTime = fc.integer({ min: Date.parse('2010-01-01'), max: Date.parse('2035-01-01') })
      const anyBudget = fc.record(
        {
          budgetDuration: fc.constantFrom(...durations),
          timeZone: fc.constantFrom(...zones, ...zonesOfChange),
          startsAt: anyTime,
        },
        { requiredKeys: ['budgetDuration', 'timeZone'] },
      )
      fc.assert(
        fc.property(anyBudget, anyTime, (budget, now) => {
          const at = (time: number) => createBudgetWindows().at(budget, time)
          const window = at(now)
          const { startsAt, endsAt = NaN } = window
          expect(startsAt).toBeLessThanOrEqual(now)
          expect(endsAt).toBeGreaterThan(now)
          expect([at(startsAt), at(endsAt - 1)]).toEqual([window, window])
          expect([at(startsAt - 1).endsAt, at(endsAt).startsAt]).toEqual([startsAt, endsAt])
          expect(windows.at(budget, now)).toEqual(window)
        }),
        { numRuns: 80 },
      )
    },
  )

  it('has another name in another window, and for another duration', () => {
    const at = (budgetDuration: string, time: string) => windows.at({ budgetDuration }, Date.parse(time)).id
    expect(at('1d', '2026-11-25T00:00Z')).toBe(at('1d', '2026-11-25T23:59Z'))
    expect(at('1d', '2026-11-25T00:00Z')).not.toBe(at('1d', '2026-11-26T00:00Z'))
    expect(at('1d', '2026-11-01T00:00Z')).not.toBe(at('1mo', '2026-11-01T00:00Z'))
  })

  it('refuses what is no duration or no time zone', () => {
    for (const wrong of ['', '0d', '-1d', '1.5h', '1 d', '1month', 'd', '1D', '1e3s', '9999999999s']) {
      expect(() => windows.at({ budgetDuration: wrong }, 0)).toThrow(TypeError)
    }
    expect(() => windows.at({ budgetDuration: '1d', timeZone: 'Mars/Olympus' }, 0)).toThrow(/Mars\/Olympus/)
  })
})
