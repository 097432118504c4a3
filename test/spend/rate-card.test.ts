import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Price, PriceOptions, toPrice } from '../../src/catalog/prices/index.js'
import { type Circumstances, costOf, noUsage } from '../../src/spend/index.js'
import { rateCardOf, ratesAt, variantAt, variantsWithin } from '../../src/spend/rate-card.js'

const options = PriceOptions.parse({
  input: 1,
  output: 2,
  cacheRead: 0.1,
  tiers: [
    { abovePromptTokens: 1_000, input: 3, output: 6 },
    { abovePromptTokens: 5_000, input: 4 },
  ],
  serviceTiers: {
    flex: { input: 0.5, output: 1 },
    priority: { input: 2, output: 4, tiers: [{ abovePromptTokens: 2_000, input: 5 }] },
  },
})
const fresh = (): Price => toPrice(options, 'host', 'test')

const asked = fc.record({
  prompt: fc.constantFrom(0, 1, 1_000, 1_001, 2_000, 2_001, 5_000, 5_001, 90_000),
  serviceTier: fc.constantFrom(undefined, 'default', 'flex', 'priority', 'fast', 'unheard-of', 'toString'),
})

it('gives the rates of a price that was never asked before, whatever was asked of it before', () => {
  fc.assert(
    fc.property(fc.array(asked, { minLength: 2, maxLength: 20 }), (questions) => {
      const price = fresh()
      for (const { prompt, serviceTier } of questions) {
        const circumstances: Circumstances = { at: 0, serviceTier }
        const usage = { ...noUsage, inputUncached: prompt, outputText: 7, reasoning: 3 }
        expect(costOf(usage, price, circumstances)).toEqual(costOf(usage, fresh(), circumstances))
      }
    }),
  )
})

it('is one card for all prompts that have the same rates', () => {
  const price = fresh()
  const card = (prompt: number, serviceTier?: string) => rateCardOf(price, prompt, { at: 0, serviceTier })
  expect(card(1)).toBe(card(1_000))
  expect(card(1)).not.toBe(card(1_001))
  expect(card(1, 'flex')).not.toBe(card(1))
  // What a provider calls its tiers fills no memory.
  expect(card(1, 'unheard-of')).toBe(card(1))
})

const minuteMs = 60_000
const threeDays = 3 * 24 * 60
const clockTime = fc.nat({ max: 1439 }).map((minute) => minute * 60)
const time = fc.oneof(
  fc.constant(undefined),
  fc.nat({ max: threeDays }).map((minute) => ({ since: minute * minuteMs })),
  fc.record({ fromSecond: clockTime, untilSecond: clockTime }),
)

it('knows every variant that holds within a time, and no other', () => {
  fc.assert(
    fc.property(
      fc.array(time, { maxLength: 4 }),
      fc.nat({ max: threeDays }),
      fc.oneof(fc.nat({ max: threeDays }), fc.constant(Infinity)),
      (times, from, minutes) => {
        const [always] = fresh().variants
        const variants: Price['variants'] = [always, ...times.map((each) => ({ ...always, time: each }))]
        const price: Price = { ...fresh(), variants }
        const held = new Set<unknown>()
        // After the last date every day is like the next.
        const until = Math.min(from + minutes, 2 * threeDays)
        for (let minute = from; minute <= until; minute += 1) held.add(variantAt(price, minute * minuteMs))
        const found = variantsWithin(price, from * minuteMs, (from + minutes) * minuteMs)
        expect(new Set(found)).toEqual(held)
        expect(found.length).toBe(held.size)
      },
    ),
  )
})

it('finds the tiers of a host under the words of any provider', () => {
  const tiered = (serviceTiers: PriceOptions['serviceTiers']): Price =>
    toPrice(PriceOptions.parse({ input: 1, output: 1, serviceTiers }), 'host', 'test')
  const rate = (price: Price, serviceTier: string): bigint =>
    rateCardOf(price, 1, { at: 0, serviceTier }).tokenRate('inputUncached') / 1_000_000n
  const both = tiered({ fast: { input: 6 }, priority: { input: 2 }, Flex: { input: 0.5, output: 3 } })
  expect([rate(both, 'fast'), rate(both, 'FAST'), rate(both, 'priority')]).toEqual([6n, 6n, 2n])
  expect(rateCardOf(both, 1, { at: 0, serviceTier: 'flex' }).tokenRate('outputText')).toBe(3_000_000n)
  expect(rate(tiered({ priority: { input: 2 } }), 'fast')).toBe(2n)
  expect(rate(both, 'standard_only')).toBe(1n)
})

it('covers rates that nothing costs less under, whatever the size of the prompt', () => {
  const own = ratesAt(fresh(), { at: 0 })
  const cheaper = ratesAt(fresh(), { at: 0, serviceTier: 'flex' })
  const dearer = ratesAt(fresh(), { at: 0, serviceTier: 'priority' })
  // Flex has no rates for long prompts, so that it costs what the standard tier does.
  expect([own.covers(cheaper), cheaper.covers(own), own.covers(own)]).toEqual([true, false, true])
  // Above 2,000 tokens its input costs more, and its output less.
  expect([own.covers(dearer), dearer.covers(own)]).toEqual([false, false])
})
