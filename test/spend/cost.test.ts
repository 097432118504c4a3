import { describe, expect, it } from 'vitest'
import { openPriceBook, PriceOptions, toPrice } from '../../src/catalog/prices/index.js'
import {
  type Circumstances,
  costOf,
  noUsage,
  toBuckets,
  toDollars,
  tokenlessBuckets,
  unpricedCost,
  type UsageBuckets,
} from '../../src/spend/index.js'
import { goldenUsages } from './golden-usages.js'

const at = Date.UTC(2026, 10, 25, 12)
const book = await openPriceBook()

function priceOf(options: PriceOptions) {
  return toPrice(PriceOptions.parse(options), 'host', 'test')
}

function dollars(
  options: PriceOptions,
  usage: Partial<UsageBuckets>,
  circumstances: Partial<Circumstances> = {},
): string {
  const cost = costOf({ ...noUsage, ...usage }, priceOf(options), { at, ...circumstances })
  expect(cost.reasons).toEqual([])
  return toDollars(cost.pico)
}

describe('the cost of what providers counted', () => {
  it('is tested on enough usages', () => expect(goldenUsages.length).toBeGreaterThanOrEqual(120))

  it.each(goldenUsages)(
    '$provider/$model, $label: $$$expected',
    ({ provider, model, usage, images, circumstances, expected }) => {
      const { price, reason } = book.find({ provider, model })
      expect(reason).toBeUndefined()
      if (!price) throw new Error('no price')
      const buckets = usage ? toBuckets(usage, { images }) : tokenlessBuckets({ images })
      const cost = costOf(buckets ?? noUsage, price, { at, ...circumstances })
      expect(cost.reasons).toEqual([])
      expect(toDollars(cost.pico)).toBe(expected)
      expect(cost.lines.reduce((sum, { pico }) => sum + pico, 0n)).toBe(cost.pico)
    },
  )
})

describe("the cost at a host's prices", () => {
  // Rates that users of gateways reported, per record: two of xAI's disagree about tiered output.
  it.each<[string, PriceOptions, Partial<UsageBuckets>, string]>([
    [
      'one input, three kinds',
      { input: 3, cacheWrite: 3.75, cacheRead: 0.3, output: 15 },
      { inputUncached: 100, cacheWrite5m: 700, cacheRead: 200 },
      '0.002985',
    ],
    [
      'flat rates, cached',
      { input: 1.25, cacheRead: 0.625, output: 10 },
      { inputUncached: 5005, cacheRead: 257_955, outputText: 1744 },
      '0.184918125',
    ],
    [
      'output in the tier',
      { input: 3, output: 15, tiers: [{ abovePromptTokens: 128_000, input: 6, output: 30 }] },
      { inputUncached: 162_732, outputText: 1308 },
      '1.015632',
    ],
    [
      'output not in the tier',
      { input: 3, output: 15, tiers: [{ abovePromptTokens: 128_000, input: 6 }] },
      { inputUncached: 144_519, outputText: 45 },
      '0.867789',
    ],
    [
      'images in the tier',
      { input: 1.25, output: 10, tiers: [{ abovePromptTokens: 200_000, input: 2.5 }] },
      { imageInput: 250_000 },
      '0.625',
    ],
    [
      'the highest tier that is crossed',
      {
        input: 1,
        output: 1,
        tiers: [
          { abovePromptTokens: 20, input: 3 },
          { abovePromptTokens: 10, input: 2, output: 2 },
        ],
      },
      { inputUncached: 21, outputText: 1 },
      '0.000065',
    ],
    ['flat per request', { perRequest: '0.005' }, { inputUncached: 1000, outputText: 1000 }, '0.005'],
    ['per second', { perSecond: '0.0001' }, { milliseconds: 12_345 }, '0.0012345'],
    ['per search', { input: 1, output: 1, perWebSearch: 0.01 }, { webSearches: 7 }, '0.07'],
    ['per image of any kind', { perImage: 0.04 }, { images: 3 }, '0.12'],
    [
      'reasoning at its own rate',
      { input: 1, output: 8, reasoning: 3 },
      { outputText: 10, reasoning: 1000 },
      '0.00308',
    ],
    [
      'a cache without a rate costs as input',
      { input: 2, output: 1 },
      { cacheRead: 5, cacheWrite5m: 5, cacheWrite1h: 5 },
      '0.00003',
    ],
    [
      'long cache writes without a rate cost as short ones',
      { input: 2, cacheWrite: 3, output: 1 },
      { cacheWrite1h: 10 },
      '0.00003',
    ],
    [
      'sound and images without a rate',
      { input: 2, output: 5 },
      { audioInput: 1, imageInput: 1, videoInput: 1, audioOutput: 1, imageOutput: 1 },
      '0.000016',
    ],
    ['free', { input: 0, output: 0 }, { inputUncached: 10, outputText: 10 }, '0'],
  ])('%s', (_label, options, usage, expected) => expect(dollars(options, usage)).toBe(expected))

  const tiered: PriceOptions = {
    input: 2,
    output: 10,
    reasoning: 20,
    cacheRead: 1,
    tiers: [{ abovePromptTokens: 272_000, input: 4, output: 15 }],
    serviceTiers: {
      flex: { input: 1, output: 5, tiers: [{ abovePromptTokens: 272_000, input: 2, output: 7.5 }] },
      priority: { input: 4, output: 20 },
    },
  }
  it.each<[string, number, string | null, string]>([
    ['standard', 272_000, null, '0.544'],
    ['standard', 272_001, 'auto', '1.088004'],
    ['flex', 272_000, 'flex', '0.272'],
    ['flex', 272_001, 'flex', '0.544002'],
    ['priority', 272_000, 'priority', '1.088'],
    ['fast, as priority', 1000, 'fast', '0.004'],
  ])('%s rates for a prompt of %i tokens', (_label, inputUncached, serviceTier, expected) => {
    expect(dollars(tiered, { inputUncached }, { serviceTier })).toBe(expected)
  })

  it('charges reasoning in a service tier as the output of the tier, and caches as without it', () => {
    expect(dollars(tiered, { reasoning: 1_000_000 }, { serviceTier: 'priority' })).toBe('20')
    expect(dollars(tiered, { reasoning: 1_000_000 })).toBe('20')
    expect(dollars(tiered, { reasoning: 1_000_000 }, { serviceTier: 'flex' })).toBe('5')
    expect(dollars(tiered, { cacheRead: 100 }, { serviceTier: 'flex' })).toBe('0.0001')
  })

  it.each<[string, string]>([
    ['16:29:59', '1'],
    ['16:30:00', '0.5'],
    ['23:59:59', '0.5'],
    ['00:29:59', '0.5'],
    ['00:30:00', '1'],
  ])('follows the time of day over midnight: %s UTC', (time, expected) => {
    const options = { input: 1, output: 1, timesOfDay: [{ from: '16:30', until: '00:30', input: 0.5 }] }
    expect(dollars(options, { inputUncached: 1_000_000 }, { at: Date.parse(`2026-11-25T${time}Z`) })).toBe(expected)
  })

  it('rounds only time, half a pico-dollar up', () => {
    const price = priceOf({ perSecond: '0.000000000001' })
    const picos = [499, 500, 1499, 1500].map((milliseconds) => costOf({ ...noUsage, milliseconds }, price, { at }).pico)
    expect(picos).toEqual([0n, 1n, 1n, 2n])
  })
})

describe('what has no price', () => {
  it.each<[string, PriceOptions, Partial<UsageBuckets>, Partial<Circumstances>, string]>([
    ['output', { input: 1 }, { inputUncached: 5, outputText: 5 }, {}, 'No rate for outputText.'],
    ['searches', { input: 1, output: 1 }, { webSearches: 1 }, {}, 'No rate for webSearches.'],
    [
      'a size of image',
      { perImage: [{ size: '512x512', price: 1 }] },
      { images: 1 },
      { imageSize: '4096x4096' },
      'No rate for images.',
    ],
    ['images of a model charged by the token', { input: 1, output: 1 }, { images: 1 }, {}, 'No rate for images.'],
    [
      'a service tier',
      { input: 1, output: 1 },
      { inputUncached: 5 },
      { serviceTier: 'priority' },
      'No rates for the service tier priority.',
    ],
    ['a batch', { input: 1, output: 1 }, { inputUncached: 5 }, { batch: true }, 'No rates for the service tier batch.'],
    [
      'a long prompt in a service tier',
      { input: 1, output: 1, tiers: [{ abovePromptTokens: 4, input: 2 }], serviceTiers: { priority: { input: 3 } } },
      { inputUncached: 5 },
      { serviceTier: 'priority' },
      'No rates for prompts of this size in the service tier priority.',
    ],
  ])('is flagged, and the rest is counted: %s', (_label, options, usage, circumstances, reason) => {
    const cost = costOf({ ...noUsage, ...usage }, priceOf(options), { at, ...circumstances })
    expect(cost).toMatchObject({ priced: false, reasons: [reason] })
    expect(cost.pico).toBe(BigInt(usage.inputUncached ?? 0) * (options.tiers ? 2_000_000n : 1_000_000n))
  })

  it('is flagged at a fallback price', () => {
    const price = toPrice({ input: 1, output: 1 }, 'fallback', 'openai/unknown')
    expect(costOf({ ...noUsage, inputUncached: 1 }, price, { at })).toMatchObject({ pico: 1_000_000n, priced: false })
  })

  it('is flagged where no price is known at all', () => {
    expect(unpricedCost('No price of x/y.')).toEqual({
      pico: 0n,
      lines: [],
      priced: false,
      reasons: ['No price of x/y.'],
    })
  })

  it('says of each line what was counted at which rate', () => {
    const { lines } = costOf(
      { ...noUsage, inputUncached: 3, outputText: 2, milliseconds: 1500 },
      priceOf({ input: 1, output: 2, perSecond: 1 }),
      { at },
    )
    expect(lines).toEqual([
      { bucket: 'inputUncached', quantity: 3, rate: 1_000_000n, per: 1, pico: 3_000_000n },
      { bucket: 'outputText', quantity: 2, rate: 2_000_000n, per: 1, pico: 4_000_000n },
      {
        bucket: 'milliseconds',
        quantity: 1500,
        rate: 3_600_000_000_000_000n,
        per: 3_600_000,
        pico: 1_500_000_000_000n,
      },
    ])
  })
})
