import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PriceOptions, toPrice } from '../../src/catalog/prices/index.js'
import { pricesFromLiteLLM } from '../../src/config/prices.js'
import { costOf, noUsage, toDollars, type UsageBuckets } from '../../src/spend/index.js'

describe("a LiteLLM deployment's prices", () => {
  it.each<[string, Record<string, unknown>, PriceOptions]>([
    ['per token', { input_cost_per_token: 1.5e-7, output_cost_per_token: '6e-07' }, { input: '0.15', output: '0.6' }],
    ['a missing output is free', { input_cost_per_token: 0.000003 }, { input: '3', output: '0' }],
    ['explicitly free', { input_cost_per_token: 0, output_cost_per_token: 0 }, { input: '0', output: '0' }],
    [
      'per second of input and output',
      { input_cost_per_second: 0.00042, output_cost_per_second: 0.0001 },
      { input: '0', output: '0', perSecond: '0.00052' },
    ],
    [
      'caches',
      {
        input_cost_per_token: 3e-6,
        cache_read_input_token_cost: 3e-7,
        cache_creation_input_token_cost: 3.75e-6,
        cache_creation_input_token_cost_above_1hr: 6e-6,
      },
      { input: '3', output: '0', cacheRead: '0.3', cacheWrite: '3.75', cacheWrite1h: '6' },
    ],
    [
      'thresholds',
      {
        input_cost_per_token: 3e-6,
        input_cost_per_token_above_200k_tokens: 6e-6,
        output_cost_per_token_above_200k_tokens: 2.25e-5,
        cache_creation_input_token_cost_above_1hr_above_200k_tokens: 1.2e-5,
        input_cost_per_token_above_128k_tokens: 4e-6,
      },
      {
        input: '3',
        output: '0',
        tiers: [
          { abovePromptTokens: 200_000, input: '6', output: '22.5', cacheWrite1h: '12' },
          { abovePromptTokens: 128_000, input: '4' },
        ],
      },
    ],
    [
      'service tiers and batches',
      {
        input_cost_per_token: 2e-6,
        input_cost_per_token_flex: 1e-6,
        output_cost_per_token_priority: 1.6e-5,
        input_cost_per_token_batches: 1e-6,
        input_cost_per_token_above_272k_tokens_priority: 1e-5,
      },
      {
        input: '2',
        output: '0',
        serviceTiers: {
          flex: { input: '1' },
          priority: { output: '16', tiers: [{ abovePromptTokens: 272_000, input: '10' }] },
          batch: { input: '1' },
        },
      },
    ],
    [
      'sound, images, reasoning and citations',
      {
        input_cost_per_audio_token: 4e-5,
        output_cost_per_audio_token: 8e-5,
        input_cost_per_image_token: 1e-5,
        output_cost_per_image_token: 4e-5,
        output_cost_per_reasoning_token: 3e-6,
        citation_cost_per_token: 2e-6,
      },
      {
        input: '0',
        output: '0',
        audioInput: '40',
        audioOutput: '80',
        imageInput: '10',
        imageOutput: '40',
        reasoning: '3',
        citation: '2',
      },
    ],
    [
      'fees',
      {
        output_cost_per_image: 0.04,
        input_cost_per_request: 0.005,
        search_context_cost_per_query: { search_context_size_low: 0.03, search_context_size_medium: 0.035 },
      },
      { input: '0', output: '0', perImage: '0.04', perRequest: '0.005', perWebSearch: '0.035' },
    ],
    [
      'ranges',
      {
        tiered_pricing: [
          { range: [0, 32_000], input_cost_per_token: 1e-6, output_cost_per_token: 5e-6 },
          { range: [32_000, 128_000], input_cost_per_token: 1.8e-6 },
        ],
      },
      { input: '1', output: '5', tiers: [{ abovePromptTokens: 32_000, input: '1.8' }] },
    ],
    ['noise of floating point', { input_cost_per_token: 1.5000000000000002e-7 }, { input: '0.15', output: '0' }],
  ])('%s', (_label, params, price) => {
    expect(pricesFromLiteLLM(params)).toEqual({ price, ignored: [] })
    expect(PriceOptions.safeParse(price).success).toBe(true)
  })

  it('says nothing of a deployment without prices', () => {
    const params = { model: 'openai/gpt-5', api_key: 'x', rpm: 1, input_cost_per_token: null }
    expect(pricesFromLiteLLM(params)).toEqual({ price: undefined, ignored: [] })
  })

  it('names what it does not understand', () => {
    const params = {
      input_cost_per_token: 1e-6,
      output_cost_per_token: 'cheap',
      input_cost_per_pixel: 1e-9,
      output_cost_per_token_sometimes: 1,
      tiered_pricing: [{ range: 'all' }],
    }
    expect(pricesFromLiteLLM(params)).toEqual({
      price: { input: '1', output: '0' },
      ignored: ['output_cost_per_token', 'input_cost_per_pixel', 'output_cost_per_token_sometimes', 'tiered_pricing'],
    })
  })

  it('costs what LiteLLM means it to cost', () => {
    const cost = (params: Record<string, unknown>, usage: Partial<UsageBuckets>, serviceTier?: string) => {
      const { price } = pricesFromLiteLLM(params)
      const whole = toPrice(PriceOptions.parse(price), 'deployment', 'm')
      return toDollars(costOf({ ...noUsage, ...usage }, whole, { at: 0, serviceTier }).pico)
    }
    const tiered = {
      input_cost_per_token: 2e-6,
      output_cost_per_token: 4e-6,
      input_cost_per_token_above_128k_tokens: 5e-6,
    }
    expect(cost(tiered, { inputUncached: 128_000, outputText: 1 })).toBe('0.256004')
    expect(cost(tiered, { inputUncached: 128_001, outputText: 1 })).toBe('0.640009')
    const fast = { ...tiered, input_cost_per_token_priority: 6e-6, output_cost_per_token_priority: 8e-6 }
    expect(cost(fast, { inputUncached: 100, cacheRead: 100, outputText: 1, reasoning: 1 }, 'fast')).toBe('0.001216')
    expect(cost({ input_cost_per_second: 0.00042 }, { inputUncached: 9, outputText: 9, milliseconds: 2500 })).toBe(
      '0.00105',
    )
  })

  it('keeps every rate to the pico-dollar', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2_000_000_000 }), (pico) => {
        const { price } = pricesFromLiteLLM({ input_cost_per_token: pico / 1e12 })
        expect(toPrice(PriceOptions.parse(price), 'deployment', 'm').variants[0].rates.input).toBe(BigInt(pico))
      }),
    )
  })
})
