import { describe, expect, it } from 'vitest'
import { PriceOptions, PriceTable, toPrice } from '../../../src/catalog/prices/index.js'

const parsed = (options: unknown) => toPrice(PriceOptions.parse(options), 'host', 'm')

describe('PriceOptions', () => {
  it.each<[object, string]>([
    [{}, 'nothing'],
    [{ input: -1 }, 'a negative rate'],
    [{ input: 'free' }, 'a word'],
    [{ input: '0.0000001' }, 'a rate finer than a pico-dollar per token'],
    [{ perRequest: 1e-13 }, 'a fee finer than a pico-dollar'],
    [{ input: Number.NaN }, 'no number'],
    [{ inputs: 1 }, 'an unknown name'],
    [{ tiers: [{ input: 1 }] }, 'a tier without a threshold'],
    [{ input: 1, tiers: [{ abovePromptTokens: 1.5, input: 1 }] }, 'half a token'],
    [{ input: 1, timesOfDay: [{ from: '24:00', until: '01:00', input: 1 }] }, 'no time of day'],
    [{ perImage: [] }, 'no image'],
    [{ serviceTiers: { flex: { inputs: 1 } } }, 'an unknown name in a service tier'],
  ])('refuses %o: %s', (options) => expect(PriceOptions.safeParse(options).success).toBe(false))

  it('names what is wrong, and where', () => {
    const result = PriceTable.safeParse({ 'openai/x': { input: 'cheap' } })
    expect(result.error?.issues[0]).toMatchObject({ path: ['openai/x', 'input'] })
    expect(result.error?.issues[0]?.message).toContain('non-negative decimal')
  })

  it('takes numbers and strings alike, in exact integers', () => {
    expect(parsed({ input: 0.15, output: '0.6', cacheRead: '7.5e-2' }).variants[0].rates).toEqual({
      input: 150_000n,
      output: 600_000n,
      cacheRead: 75_000n,
    })
  })

  it('leaves tokens free only where a price is flat', () => {
    expect(parsed({ perRequest: 1 }).variants[0].rates).toEqual({ input: 0n, output: 0n, request: 10n ** 12n })
    expect(parsed({ perSecond: 0.5, input: 1 }).variants[0].rates).toEqual({
      input: 1_000_000n,
      hour: 1800n * 10n ** 12n,
    })
    expect(parsed({ perWebSearch: 0.01 }).variants[0].rates).toEqual({ webSearch: 10n ** 10n })
  })

  it('sorts tiers by their thresholds', () => {
    const tiers = [300, 100, 200].map((abovePromptTokens) => ({ abovePromptTokens, input: 1 }))
    expect(parsed({ input: 1, tiers }).variants[0].tiers.map(({ above }) => above)).toEqual([100, 200, 300])
  })
})
