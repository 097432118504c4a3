import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openPriceBook, type Price, PriceOptions, toPrice } from '../../src/catalog/prices/index.js'
import {
  type CostEstimate,
  costOf,
  estimateCost,
  type EstimateOptions,
  noUsage,
  type PlannedCall,
  promptTokens,
  toDollars,
  type UsageBuckets,
} from '../../src/spend/index.js'
import { inputBuckets } from '../../src/spend/usage-buckets.js'
import { ChatRequest } from '../../src/wire/chat.js'

const at = Date.UTC(2026, 10, 25, 12)
const book = await openPriceBook()

const priceOf = (options: PriceOptions): Price => toPrice(PriceOptions.parse(options), 'host', 'test')

function chat(request: Record<string, unknown> = {}): PlannedCall {
  const whole = {
    model: 'm',
    messages: [{ role: 'user', content: 'Hello, how are you?' }],
    max_tokens: 100,
    ...request,
  }
  return { operation: 'chat', request: ChatRequest.parse(whole) }
}

function estimate(call: PlannedCall, options: PriceOptions, more: Partial<EstimateOptions> = {}): CostEstimate {
  return estimateCost(call, priceOf(options), { at, ...more })
}

const perToken: PriceOptions = { input: 0, output: 1 }

describe('the bound of the output', () => {
  it.each<[string, PlannedCall, Partial<EstimateOptions>, number, boolean]>([
    ['max_tokens', chat(), {}, 100, true],
    ['max_completion_tokens', chat({ max_tokens: undefined, max_completion_tokens: 70 }), {}, 70, true],
    ['the larger of both', chat({ max_completion_tokens: 170 }), {}, 170, true],
    ['of each answer', chat({ n: 3 }), {}, 300, true],
    ["the model's most", chat({ max_tokens: undefined }), { maxOutputTokens: 4096 }, 4096, true],
    ["the request's limit, although the model writes less", chat(), { maxOutputTokens: 50 }, 100, true],
    ['an assumption', chat({ max_tokens: undefined }), {}, 16_384, false],
    [
      'of each prompt',
      { operation: 'completions', request: { model: 'm', prompt: ['a', 'b'], max_tokens: 5 } },
      {},
      10,
      true,
    ],
    [
      'of one prompt in tokens',
      { operation: 'completions', request: { model: 'm', prompt: [1, 2, 3], max_tokens: 5 } },
      {},
      5,
      true,
    ],
    [
      'of the best of',
      { operation: 'completions', request: { model: 'm', prompt: 'a', max_tokens: 5, best_of: 4, n: 2 } },
      {},
      20,
      true,
    ],
    ['none of embeddings', { operation: 'embeddings', request: { model: 'm', input: 'a' } }, {}, 0, true],
    [
      'of images by quality',
      { operation: 'images', request: { model: 'm', prompt: 'a', n: 2, quality: 'low' } },
      {},
      816,
      true,
    ],
    ['of images of any quality', { operation: 'images', request: { model: 'm', prompt: 'a' } }, {}, 6240, true],
  ])('is %s', (_label, call, more, tokens, isBounded) => {
    const result = estimate(call, perToken, more)
    expect(result).toMatchObject({ outputTokens: tokens, isBounded, pico: BigInt(tokens) * 1_000_000n, priced: true })
  })
})

describe('the dearest way', () => {
  it('writes the prompt to a cache where that costs more', () => {
    const { usage, inputTokens } = estimate(chat(), { input: 3, cacheWrite: 3.75, cacheRead: 0.3, output: 15 })
    expect(usage).toMatchObject({ cacheWrite5m: inputTokens, inputUncached: 0, outputText: 100 })
  })

  it('counts hour-long caches only where the request asks for one', () => {
    const price = { input: 3, cacheWrite: 3.75, cacheWrite1h: 6, output: 15 }
    const cached = { type: 'text', text: 'Hello', cache_control: { type: 'ephemeral', ttl: '1h' } }
    const asked = estimate(chat({ messages: [{ role: 'user', content: [cached] }] }), price)
    expect(estimate(chat(), price).usage.cacheWrite1h).toBe(0)
    expect(asked.usage.cacheWrite1h).toBe(asked.inputTokens)
  })

  it('stays below a threshold where the rates above it are lower', () => {
    const price = { input: 2, output: 1, tiers: [{ abovePromptTokens: 30, input: 0.01 }] }
    const { usage, inputTokens } = estimate(chat(), price)
    expect(inputTokens).toBeGreaterThan(30)
    expect(promptTokens(usage)).toBe(30)
  })

  it('takes the standard tier into account where a cheaper one was asked for', () => {
    const price = {
      input: 2,
      output: 2,
      serviceTiers: { flex: { input: 1, output: 1 }, priority: { input: 4, output: 4 } },
    }
    const [standard, flex, priority] = [undefined, 'flex', 'priority'].map(
      (service_tier) => estimate(chat({ service_tier }), price).pico,
    )
    expect(flex).toBe(standard)
    expect(priority).toBe((standard ?? 0n) * 2n)
  })

  it('reasons where that is dearer, and speaks only where sound was asked for', () => {
    const price = { input: 1, output: 1, reasoning: 2, audioOutput: 3 }
    expect(estimate(chat(), price).usage).toMatchObject({ reasoning: 100, audioOutput: 0 })
    expect(estimate(chat({ modalities: ['text', 'audio'] }), price).usage).toMatchObject({ audioOutput: 100 })
  })

  it('charges images in the prompt at their rate, and text at its own', () => {
    const image = { type: 'image_url', image_url: { url: 'https://example.test/a.png' } }
    const call = chat({ messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, image] }] })
    const { usage } = estimate(call, { input: 1, imageInput: 5, output: 1 })
    expect(usage.imageInput).toBe(5000)
    expect(usage.inputUncached).toBeGreaterThan(3)
  })

  it('counts fees, images and seconds', () => {
    expect(toDollars(estimate(chat(), { perRequest: 0.5 }).pico)).toBe('0.5')
    const image: PlannedCall = { operation: 'images', request: { model: 'm', prompt: 'a', n: 2, size: '512x512' } }
    const perImage = [
      { size: '1024x1024', price: 1 },
      { size: '512x512', price: '0.25' },
    ]
    expect(toDollars(estimate(image, { perImage }).pico)).toBe('0.5')
    const timed = estimate(chat(), { perSecond: 0.01 }, { deadlineMs: 30_000 })
    expect([toDollars(timed.pico), timed.isBounded]).toEqual(['0.3', true])
    expect(estimate(chat(), { perSecond: 0.01 })).toMatchObject({ pico: 0n, isBounded: false })
  })

  it('counts the searches that it may make, and says that what they find has no bound', () => {
    const price = { input: 0, output: 0, perWebSearch: 0.01 }
    const limited = estimate(chat({ tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 3 }] }), price)
    expect([toDollars(limited.pico), limited.isBounded]).toEqual(['0.03', false])
    expect(toDollars(estimate(chat({ web_search_options: {} }), price).pico)).toBe('0.1')
    expect(toDollars(estimate(chat({ web_search_options: {} }), price, { webSearches: 2 }).pico)).toBe('0.02')
    expect(estimate(chat({ web_search_options: {} }), { input: 1, output: 1 }).priced).toBe(true)
  })

  it.each([
    { best_of: 1e308, max_tokens: 1e10 },
    { n: 1e9, max_tokens: 1e15 },
    { best_of: 1.5, n: 2 },
    { best_of: -3 },
    { tools: [{ type: 'web_search', max_uses: -1_000_000 }] },
    { tools: [{ type: 'web_search', max_uses: 1.5 }] },
    { tools: [{ type: 'web_search', max_uses: 1e308 }] },
  ])('is a bound also where members that nobody checked hold %j', (request) => {
    const options = { input: 0, output: 1, perWebSearch: 0.01 }
    const { pico } = estimate(chat(request), options)
    expect(pico).toBeGreaterThanOrEqual(estimate(chat(), options).pico)
  })

  it('never counts more than the context window', () => {
    const call = chat({ messages: [{ role: 'user', content: 'word '.repeat(10_000) }] })
    expect(estimate(call, perToken).inputTokens).toBeGreaterThan(10_000)
    expect(estimate(call, perToken, { contextWindow: 8192 }).inputTokens).toBe(8192)
  })

  it('says what has no price', () => {
    const result = estimate(chat({ service_tier: 'priority' }), { input: 1 })
    expect(result.priced).toBe(false)
    expect(result.reasons).toEqual(['No rate for outputText.', 'No rates for the service tier priority.'])
  })
})

const rate = fc.nat({ max: 1000 })
const rates = fc.record(
  {
    input: rate,
    output: rate,
    cacheRead: rate,
    cacheWrite: rate,
    cacheWrite1h: rate,
    reasoning: rate,
    imageInput: rate,
    imageOutput: rate,
    audioInput: rate,
  },
  { requiredKeys: ['input', 'output'] },
)
const tiers = fc.array(
  fc.record(
    { abovePromptTokens: fc.nat({ max: 300 }), input: rate, output: rate, cacheWrite: rate, reasoning: rate },
    { requiredKeys: ['abovePromptTokens'] },
  ),
  { maxLength: 3 },
)
const sheet = fc.tuple(rates, tiers).map(([own, steps]) => ({ ...own, tiers: steps }))
const anyPrice = fc.record({ base: sheet, flex: sheet, priority: sheet }).map(({ base, flex, priority }) => ({
  ...base,
  serviceTiers: { flex, priority },
  perRequest: '0.001',
}))

/** A number of tokens, split at random over some buckets. */
function split(total: number, buckets: readonly string[], cuts: readonly number[]): Record<string, number> {
  const shares: Record<string, number> = {}
  let left = total
  buckets.forEach((bucket, index) => {
    const taken = index === buckets.length - 1 ? left : Math.floor(left * (cuts[index] ?? 0))
    shares[bucket] = taken
    left -= taken
  })
  return shares
}

const textBuckets = ['inputUncached', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'toolPrompt']
const share = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))
const cuts = fc.array(share, { minLength: 8, maxLength: 8 })

const parts = fc.record({
  input: share,
  edge: fc.option(fc.nat({ max: 5 })),
  only: fc.option(fc.constantFrom(...textBuckets), { freq: 1 }),
  output: share,
  cuts,
})

interface Parts {
  readonly input: number
  /** Takes the prompt to one of the thresholds instead. */
  readonly edge: number | null
  /** Takes all of the prompt to one bucket. */
  readonly only: string | null
  readonly output: number
  readonly cuts: readonly number[]
}

function thresholdsOf({ variants: [variant] }: Price): readonly number[] {
  const sheets = [variant, ...Object.values(variant.serviceTiers)]
  return sheets.flatMap((part) => part.tiers.map(({ above }) => above))
}

/** A usage within what an estimate allows. */
function within(bound: CostEstimate, price: Price, parts: Parts): UsageBuckets {
  const threshold = parts.edge === null ? undefined : thresholdsOf(price)[parts.edge]
  const prompt = Math.min(threshold ?? Math.floor(bound.inputTokens * parts.input), bound.inputTokens)
  return {
    ...noUsage,
    ...split(prompt, parts.only === null ? textBuckets : [parts.only], parts.cuts),
    ...split(
      Math.floor(bound.outputTokens * parts.output),
      ['outputText', 'reasoning', 'imageOutput'],
      parts.cuts.slice(4),
    ),
  }
}

describe('no call costs more than its estimate', () => {
  const cached = {
    type: 'text',
    text: 'Read this, please. '.repeat(20),
    cache_control: { type: 'ephemeral', ttl: '1h' },
  }
  const asked = [undefined, 'flex', 'priority', 'auto'] as const
  const calls = asked.map((service_tier) => ({
    service_tier,
    call: chat({ messages: [{ role: 'user', content: [cached] }], service_tier }),
  }))

  it('whatever the price, the threshold, the tier and the caches', () => {
    fc.assert(
      fc.property(
        anyPrice,
        fc.constantFrom(...calls),
        parts,
        fc.boolean(),
        (options, { service_tier, call }, some, downgraded) => {
          const price = priceOf(options)
          const bound = estimateCost(call, price, { at })
          const usage = within(bound, price, some)
          const actual = costOf(usage, price, { at, serviceTier: downgraded ? 'default' : service_tier })
          expect(bound.pico >= actual.pico).toBe(true)
        },
      ),
      { numRuns: 1500 },
    )
  })

  it.each<[string, string]>([
    ['openai', 'gpt-5.4'],
    ['openai', 'gpt-6-sol'],
    ['openai', 'gpt-4o'],
    ['openai', 'o3'],
    ['anthropic', 'claude-sonnet-4-5'],
    ['anthropic', 'claude-opus-5-5'],
    ['gemini', 'gemini-2.5-pro'],
    ['xai', 'grok-4.5'],
    ['bedrock', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
  ])('at the prices of %s/%s, around their thresholds', (provider, model) => {
    const { price } = book.find({ provider, model })
    expect(price).not.toBeNull()
    if (!price) return
    const words = fc.constantFrom(10, 100_000, 135_000, 200_000)
    fc.assert(
      fc.property(words, fc.constantFrom(undefined, 'flex'), parts, (count, service_tier, some) => {
        const text = { ...cached, text: 'word '.repeat(count) }
        const bound = estimateCost(
          chat({ messages: [{ role: 'user', content: [text] }], service_tier, max_tokens: 50_000 }),
          price,
          { at },
        )
        const actual = costOf(within(bound, price, some), price, { at, serviceTier: service_tier })
        expect(bound.pico >= actual.pico).toBe(true)
      }),
      { numRuns: 12 },
    )
  })

  it('is the cost of a usage that the bounds allow, not of more', () => {
    fc.assert(
      fc.property(anyPrice, fc.constantFrom(...calls.slice(0, 1)), (options, { call }) => {
        const bound = estimate(call, options)
        expect(inputBuckets.reduce((sum, bucket) => sum + bound.usage[bucket], 0)).toBeLessThanOrEqual(
          bound.inputTokens,
        )
        expect(costOf(bound.usage, priceOf(options), { at }).pico).toBe(bound.pico)
      }),
    )
  })
})
