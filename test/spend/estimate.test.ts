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
    [
      'of images by a number in the words of a provider',
      { operation: 'images', request: { model: 'm', prompt: 'a', quality: 'low', sampleCount: 2 } },
      {},
      816,
      true,
    ],
    [
      'of images by size',
      { operation: 'images', request: { model: 'm', prompt: 'a', n: 2, quality: 'high', size: '2048x3072' } },
      {},
      2 * 4 * 6240,
      true,
    ],
    [
      'of small images, as of larger ones',
      { operation: 'images', request: { model: 'm', prompt: 'a', quality: 'low', size: '512x512' } },
      {},
      408,
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
    const [standard, flex, priority] = ['default', 'flex', 'priority'].map(
      (service_tier) => estimate(chat({ service_tier }), price).pico,
    )
    expect(flex).toBe(standard)
    expect(priority).toBe((standard ?? 0n) * 2n)
  })

  it('is that of the dearest listed tier where the project at the provider chooses it', () => {
    const serviceTiers = { flex: { output: 1 }, priority: { output: 4 }, fast: { output: 9 }, batch: { output: 8 } }
    const rateFor = (request: Record<string, unknown>): bigint =>
      estimate(chat(request), { input: 0, output: 2, serviceTiers }).pico / 100_000_000n
    expect([{}, { service_tier: 'auto' }, { service_tier: null }, { service_tier: 'scale' }].map(rateFor)).toEqual([
      4n,
      4n,
      4n,
      4n,
    ])
    expect([{ service_tier: 'default' }, { service_tier: 'flex' }].map(rateFor)).toEqual([2n, 2n])
    // A request for the fast tier is answered as a priority one.
    expect(rateFor({ service_tier: 'fast' })).toBe(9n)
    expect(rateFor({ service_tier: 'default', speed: 'fast' })).toBe(9n)
    expect(rateFor({ service_tier: 'default', speed: 'standard' })).toBe(2n)
    expect(rateFor({ service_tier: 'default', serviceTier: { type: 'priority' } })).toBe(4n)
  })

  it('is that of the dearest time of day between now and the deadline', () => {
    const price = { input: 0, output: 1, timesOfDay: [{ from: '13:00', until: '14:00', output: 3 }] }
    const rateWithin = (minutes: number | undefined, from = at): bigint => {
      const deadlineMs = minutes === undefined ? undefined : minutes * 60_000
      return estimate(chat(), price, { at: from, deadlineMs }).pico / 100_000_000n
    }
    expect([rateWithin(59), rateWithin(60), rateWithin(10, at + 90 * 60_000), rateWithin(undefined)]).toEqual([
      1n,
      3n,
      3n,
      3n,
    ])
    // At 14:30 it is over until tomorrow.
    expect(rateWithin(60, at + 150 * 60_000)).toBe(1n)
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

  it('assumes what a model that searches by itself searches, cites and thinks beside its answer', () => {
    const perplexity = { input: 0, output: 0, reasoning: 1, citation: 1, perWebSearch: 1 }
    const { usage, outputTokens, isBounded } = estimate(chat(), perplexity)
    expect(isBounded).toBe(false)
    expect(usage).toMatchObject({ webSearches: 100, citation: 100_000, reasoning: 400_100 })
    expect(outputTokens).toBe(500_100)
    const { citation: _, ...uncited } = perplexity
    expect(estimate(chat(), uncited)).toMatchObject({ isBounded: true, usage: { webSearches: 0, reasoning: 100 } })
    expect(estimate(chat(), uncited, { searching: 'always' })).toMatchObject({
      isBounded: false,
      usage: { webSearches: 10, citation: 0, reasoning: 100 },
    })
    expect(estimate(chat(), uncited, { searching: 'research' }).usage).toMatchObject({ reasoning: 400_100 })
    // Without a rate of its own, reasoning is a part of the answer.
    expect(estimate(chat(), { input: 0, output: 1 }, { searching: 'research' }).usage.outputText).toBe(100)
  })

  it('heeds what providers call the same things', () => {
    const most = (request: Record<string, unknown>): number => estimate(chat(request), perToken).outputTokens
    expect(most({ maxOutputTokens: '500' })).toBe(500)
    expect(most({ generationConfig: { maxOutputTokens: 700, candidateCount: 2 } })).toBe(1400)
    expect(most({ options: { num_predict: 300 } })).toBe(300)
    expect(most({ max_output_tokens: 50 })).toBe(100)
    expect(most({ max_tokens: undefined, maxOutputTokens: 500 })).toBe(16_384)
    const spoken = estimate(chat({ responseModalities: ['AUDIO'] }), { input: 0, output: 1, audioOutput: 9 })
    expect(spoken.usage.audioOutput).toBe(100)
    const searched = estimate(chat({ search_recency_filter: 'day' }), { input: 0, output: 0, perWebSearch: 1 })
    expect([searched.usage.webSearches, searched.isBounded]).toEqual([10, false])
    expect(estimate(chat({ disable_search: true }), { input: 0, output: 0, perWebSearch: 1 }).isBounded).toBe(true)
  })

  it('counts a predicted answer, which is charged for where it was not the answer', () => {
    const prediction = { type: 'content', content: 'word '.repeat(500) }
    expect(estimate(chat({ prediction }), perToken).outputTokens).toBeGreaterThan(600)
  })

  it('says that a conversation which its provider summarizes is read more than once', () => {
    expect(estimate(chat({ context_management: { edits: [] } }), perToken).isBounded).toBe(false)
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

  it.each<[string, PlannedCall]>([
    ['embeddings', { operation: 'embeddings', request: { model: 'm', input: Array(20).fill('word '.repeat(2_000)) } }],
    ['prompts', { operation: 'completions', request: { model: 'm', prompt: Array(20).fill('word '.repeat(2_000)) } }],
  ])('counts the context window for each of several %s', (_label, call) => {
    expect(estimate(call, perToken, { contextWindow: 512 }).inputTokens).toBe(20 * 512)
  })

  it('says what has no price', () => {
    const result = estimate(chat({ service_tier: 'priority' }), { input: 1 })
    expect(result.priced).toBe(false)
    expect(result.reasons).toEqual(['No rates for the service tier priority.', 'No rate for outputText.'])
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
    audioOutput: rate,
    citation: rate,
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
const clockTime = fc.nat({ max: 1439 }).map((minute) => new Date(minute * 60_000).toISOString().slice(11, 16))
const timesOfDay = fc.array(
  fc.tuple(sheet, clockTime, clockTime).map(([own, from, until]) => ({ ...own, from, until })),
  { maxLength: 3 },
)
const fee = fc.constantFrom('0.001', '0.5', undefined)
const anyPrice: fc.Arbitrary<PriceOptions> = fc
  .record({
    base: sheet,
    serviceTiers: fc.dictionary(fc.constantFrom('flex', 'priority', 'fast', 'batch', 'scale'), sheet),
    timesOfDay,
    perRequest: fee,
    perWebSearch: fee,
    perSecond: fee,
    perImage: fee,
  })
  .map(({ base, ...others }) => ({ ...base, ...others }))

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
  beside: share,
  cuts,
})

interface Parts {
  readonly input: number
  /** Takes the prompt to one of the thresholds instead. */
  readonly edge: number | null
  /** Takes all of the prompt to one bucket. */
  readonly only: string | null
  readonly output: number
  /** Of everything that is counted beside the tokens of prompt and answer. */
  readonly beside: number
  readonly cuts: readonly number[]
}

function thresholdsOf({ variants }: Price): readonly number[] {
  const sheets = variants.flatMap((variant) => [variant, ...Object.values(variant.serviceTiers)])
  return sheets.flatMap((part) => part.tiers.map(({ above }) => above))
}

/** What a call may use beside the tokens of its prompt. */
interface Allowed {
  readonly outputTokens: number
  readonly outputs: readonly string[]
  readonly reasoningBeside?: number
  readonly citation?: number
  readonly webSearches?: number
  readonly images?: number
  readonly milliseconds?: number
}

/** A usage within what an estimate allows. */
function within(bound: CostEstimate, price: Price, some: Parts, allowed: Allowed): UsageBuckets {
  const threshold = some.edge === null ? undefined : thresholdsOf(price)[some.edge]
  const prompt = Math.min(threshold ?? Math.floor(bound.inputTokens * some.input), bound.inputTokens)
  const beside = (most = 0): number => Math.floor(most * some.beside)
  const answer = split(Math.floor(allowed.outputTokens * some.output), allowed.outputs, some.cuts.slice(4))
  return {
    ...noUsage,
    ...split(prompt, some.only === null ? textBuckets : [some.only], some.cuts),
    ...answer,
    reasoning: (answer['reasoning'] ?? 0) + beside(allowed.reasoningBeside),
    citation: beside(allowed.citation),
    webSearches: beside(allowed.webSearches),
    images: allowed.images ?? 0,
    milliseconds: beside(allowed.milliseconds),
  }
}

const silent = ['outputText', 'reasoning', 'imageOutput']

const byDefault = ['flex', 'priority', 'scale']

/** How a call is made, and which tiers may answer it beside the standard one. */
interface Way {
  readonly service_tier?: string
  readonly speed?: string
  readonly tiers: readonly string[]
}

const ways: readonly Way[] = [
  { tiers: byDefault },
  { service_tier: 'auto', tiers: byDefault },
  { service_tier: 'default', tiers: [] },
  { service_tier: 'flex', tiers: ['flex'] },
  { service_tier: 'priority', tiers: ['priority'] },
  { service_tier: 'fast', tiers: ['fast', 'priority'] },
  { service_tier: 'standard_only', speed: 'fast', tiers: ['fast'] },
  { speed: 'fast', tiers: [...byDefault, 'fast'] },
]

const isStandard = new Set(['auto', 'default', 'standard_only'])

/** The tiers that may serve a call: one that the price does not list may be another word for what the project is set to. */
function tiersFor({ service_tier, tiers }: Way, { serviceTiers = {} }: PriceOptions): readonly (string | undefined)[] {
  const isUnlisted =
    service_tier !== undefined && !isStandard.has(service_tier) && !tiers.some((tier) => tier in serviceTiers)
  return [undefined, ...tiers, ...(isUnlisted ? byDefault : [])]
}

describe('no call costs more than its estimate', () => {
  const cached = {
    type: 'text',
    text: 'Read this, please. '.repeat(20),
    cache_control: { type: 'ephemeral', ttl: '1h' },
  }
  const callOf = (way: Way, more: Record<string, unknown> = {}): PlannedCall => {
    const { tiers: _, ...asked } = way
    return chat({ messages: [{ role: 'user', content: [cached] }], ...asked, ...more })
  }
  const minute = 60_000

  it('whatever the price, the threshold, the tier that serves it, the time it is sent at, and the caches', () => {
    fc.assert(
      fc.property(
        anyPrice,
        fc.constantFrom(...ways),
        parts,
        fc.record({
          tier: fc.nat(),
          begins: fc.nat({ max: 1439 }),
          deadline: fc.option(fc.nat({ max: 3000 }), { nil: undefined }),
          sent: share,
          sound: fc.boolean(),
          searches: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
        }),
        (options, way, some, drawn) => {
          const price = priceOf(options)
          const begins = at + drawn.begins * minute
          const deadlineMs = drawn.deadline === undefined ? undefined : drawn.deadline * minute
          const search = { type: 'web_search_20250305', name: 'web_search', max_uses: drawn.searches }
          const call = callOf(way, {
            ...(drawn.sound && { modalities: ['text', 'audio'] }),
            ...(drawn.searches !== undefined && { tools: [search] }),
          })
          const bound = estimateCost(call, price, { at: begins, deadlineMs })
          const isResearch = JSON.stringify(options).includes('"citation"')
          const reasonsApart = isResearch && JSON.stringify(options).includes('"reasoning"')
          const usage = within(bound, price, some, {
            outputTokens: 100,
            outputs: drawn.sound ? [...silent, 'audioOutput'] : silent,
            reasoningBeside: reasonsApart ? 400_000 : 0,
            citation: isResearch ? 100_000 : 0,
            webSearches: Math.max(drawn.searches ?? 0, isResearch ? 100 : 0),
            milliseconds: deadlineMs ?? 0,
          })
          const mayServe = tiersFor(way, options)
          const served = mayServe[drawn.tier % mayServe.length]
          const sentAt = begins + Math.floor((deadlineMs ?? 3 * 1440 * minute) * drawn.sent)
          const actual = costOf(usage, price, { at: sentAt, serviceTier: served })
          expect(bound.pico >= actual.pico).toBe(true)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('of images, whatever they are charged by', () => {
    fc.assert(
      fc.property(
        anyPrice,
        parts,
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom('low', 'high', 'auto', undefined),
        fc.constantFrom(undefined, '1024x1024', '3840x2160'),
        fc.constantFrom(undefined, 'flex', 'priority'),
        (options, some, n, quality, size, serviceTier) => {
          const price = priceOf(options)
          const call: PlannedCall = { operation: 'images', request: { model: 'm', prompt: 'a cat', n, quality, size } }
          const bound = estimateCost(call, price, { at, deadlineMs: minute })
          const usage = within(bound, price, some, {
            outputTokens: n * (quality === 'low' ? 408 : 6240) * (size === '3840x2160' ? 5 : 1),
            outputs: silent,
            images: n,
            milliseconds: minute,
          })
          expect(bound.pico >= costOf(usage, price, { at, serviceTier }).pico).toBe(true)
        },
      ),
      { numRuns: 500 },
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
    if (!price) throw new Error('no price')
    const words = fc.constantFrom(10, 100_000, 135_000, 200_000)
    fc.assert(
      fc.property(words, fc.constantFrom(undefined, 'flex'), parts, (count, service_tier, some) => {
        const text = { ...cached, text: 'word '.repeat(count) }
        const bound = estimateCost(
          chat({ messages: [{ role: 'user', content: [text] }], service_tier, max_tokens: 50_000 }),
          price,
          { at },
        )
        const usage = within(bound, price, some, { outputTokens: 50_000, outputs: silent })
        const actual = costOf(usage, price, { at, serviceTier: service_tier })
        expect(bound.pico >= actual.pico).toBe(true)
      }),
      { numRuns: 12 },
    )
  })

  it('is the cost of a usage that the bounds allow in a tier that may serve the call, not of more', () => {
    fc.assert(
      fc.property(anyPrice, fc.constantFrom(...ways), (options, way) => {
        const price = priceOf({ ...options, timesOfDay: undefined })
        const bound = estimateCost(callOf(way), price, { at, deadlineMs: minute })
        const prompt = inputBuckets.reduce((sum, bucket) => sum + bound.usage[bucket], 0)
        expect(prompt).toBeLessThanOrEqual(bound.inputTokens)
        const costs = tiersFor(way, options).map((serviceTier) => costOf(bound.usage, price, { at, serviceTier }).pico)
        expect(costs).toContain(bound.pico)
      }),
    )
  })
})
