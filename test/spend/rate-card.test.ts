import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Price, PriceOptions, toPrice } from '../../src/catalog/prices/index.js'
import { type Circumstances, costOf, noUsage } from '../../src/spend/index.js'
import { rateCardOf } from '../../src/spend/rate-card.js'

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
