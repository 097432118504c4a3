import { describe, expect, it, vi } from 'vitest'
import { createCatalog, openPriceBook, type PriceBookOptions } from '../../../src/catalog/prices/index.js'

const book = await openPriceBook()

/** Pico-dollars for a token of input, where a price is known. */
async function inputRate(options: PriceBookOptions, provider: string, model: string): Promise<bigint | undefined> {
  return (await openPriceBook(options)).find({ provider, model }).price?.variants[0].rates.input
}

describe('the price book', () => {
  it.each([
    ['openai', 'gpt-5'],
    ['openai', 'GPT-5'],
    ['openai', 'gpt-5-2025-08-07'],
    ['anthropic', 'claude-sonnet-4-5-20250929'],
    ['gemini', 'models/gemini-2.5-pro'],
    ['gemini', 'gemini-2.0-flash-001'],
    ['vertex_ai', 'gemini-1.5-pro-002'],
    ['vertex_ai', 'claude-opus-4-6@default'],
    ['openai', 'ft:gpt-4o-2024-11-20:acme::abc'],
    ['bedrock', 'anthropic.claude-3-5-sonnet-20241022-v2:0'],
    ['bedrock', 'jp.anthropic.claude-haiku-4-5-20251001-v1:0'],
    ['vertex_ai', 'claude-haiku-4-5@20251001'],
    ['azure', 'gpt-4o'],
    ['xai', 'grok-4-latest'],
    ['together_ai', 'Qwen/Qwen1.5-14B-Chat'],
    ['openrouter', 'anthropic/claude-sonnet-4.5'],
    ['mistral', 'codestral-latest'],
    ['deepseek', 'deepseek-chat'],
    ['cohere', 'embed-english-v3.0'],
    ['perplexity', 'sonar'],
  ])('prices %s/%s', (provider, model) => expect(book.find({ provider, model }).price).not.toBeNull())

  // The catalog's own matching finds a price for each of these: another model's.
  it.each([
    ['openai', 'gpt-4.5-preview-nonsense'],
    ['openai', 'gpt-5-turbo'],
    ['openai', 'gpt-5-001'],
    ['openai', 'gpt-5-latest'],
    ['openai', 'omni-moderation-unheard-of'],
    ['openai', 'computer-use-next'],
    ['anthropic', 'claude-sonnet-4-50'],
    ['anthropic', 'claude-sonnet-4-5-mini'],
    ['gemini', 'gemini-2.5-pro-ultra'],
    ['gemini', 'gemini-1.5-flash-nonsense'],
    ['bedrock', 'amazon.titan-embed-text-v3:0'],
    ['bedrock', 'global.anthropic.claude-3-haiku-20240307-v1:0'],
    ['azure', 'my-o4-mini-deployment'],
    ['cohere', 'command-light-max'],
    ['nobody', 'gpt-5'],
    ['ollama', 'llama3'],
    ['openai', ''],
    ['openai', 'constructor'],
    ['constructor', 'gpt-5'],
  ])('has no price of %s/%s, and says so', (provider, model) => {
    const lookup = book.find({ provider, model })
    expect(lookup.price).toBeNull()
    expect(lookup.reason).toContain(`${provider}/${model}`)
  })

  it('knows every model of the catalog that has a price by the token, by its id', async () => {
    const { findProvider } = await import('@pydantic/genai-prices')
    const ids: Readonly<Record<string, string>> = {
      anthropic: 'anthropic',
      fireworks: 'fireworks_ai',
      google: 'gemini',
      groq: 'groq',
      mistral: 'mistral',
      openai: 'openai',
      openrouter: 'openrouter',
      together: 'together_ai',
      'x-ai': 'xai',
    }
    const models = Object.entries(ids).flatMap(([id, provider]) =>
      (findProvider({ providerId: id })?.models ?? []).map(({ id: model, prices }) => ({ provider, model, prices })),
    )
    const unknown = models.filter((query) => book.find(query).price === null)
    expect(models.length).toBeGreaterThan(900)
    expect(unknown.filter(({ prices }) => JSON.stringify(prices).includes('input_mtok'))).toEqual([])
  })

  it("lets a deployment's price hide the host's, and the host's hide the catalog's", async () => {
    const prices = { 'openai/gpt-5': { input: 7, output: 7 }, 'gpt-5-mini': { input: 6, output: 6 } }
    const own = { input: 9, output: 9 }
    const opened = await openPriceBook({ prices })
    const rate = (lookup: ReturnType<typeof opened.find>) => lookup.price?.variants[0].rates.input
    expect(rate(opened.find({ provider: 'openai', model: 'gpt-5', own }))).toBe(9_000_000n)
    expect(opened.find({ provider: 'openai', model: 'gpt-5', own }).price?.source).toBe('deployment')
    expect(rate(opened.find({ provider: 'openai', model: 'GPT-5' }))).toBe(7_000_000n)
    expect(rate(opened.find({ provider: 'anyone', model: 'gpt-5-mini' }))).toBe(6_000_000n)
    expect(rate(opened.find({ provider: 'azure', model: 'gpt-5' }))).toBe(1_250_000n)
  })

  it("asks for the base model after the model's own name", () => {
    const lookup = book.find({ provider: 'azure', model: 'my-deployment', baseModel: 'gpt-4o-mini' })
    expect(lookup.price).toMatchObject({ source: 'catalog', name: 'gpt-4o-mini' })
  })

  it('takes a fallback for models without a price, and names it as one', async () => {
    const opened = await openPriceBook({ fallback: { input: 10, output: 30 } })
    expect(opened.find({ provider: 'openai', model: 'gpt-99' }).price).toMatchObject({ source: 'fallback' })
    expect(opened.find({ provider: 'openai', model: 'gpt-5' }).price).toMatchObject({ source: 'catalog' })
  })

  it('asks the catalog once per model, also for models it does not know', async () => {
    const find = vi.fn(() => undefined)
    const opened = await openPriceBook({ loadCatalog: () => Promise.resolve({ find }) })
    for (let time = 0; time < 3; time++) opened.find({ provider: 'x', model: 'y' })
    expect(find).toHaveBeenCalledTimes(1)
    expect(opened.find({ provider: 'x', model: 'y' })).toBe(opened.find({ provider: 'x', model: 'y' }))
  })

  it("keeps the host's and our own prices when the catalog does not load", async () => {
    const loadCatalog = () => Promise.reject(new Error('not installed'))
    const opened = await openPriceBook({ loadCatalog, prices: { a: { input: 1, output: 1 } } })
    expect(opened.find({ provider: 'x', model: 'a' }).price).not.toBeNull()
    expect(opened.find({ provider: 'openai', model: 'dall-e-3' }).price).not.toBeNull()
    expect(opened.find({ provider: 'openai', model: 'gpt-5' }).reason).toContain('did not load')
  })

  it('never takes an empty record for a free model', async () => {
    const model = { id: 'mystery', match: { equals: 'mystery' }, prices: {} }
    const provider = { id: 'openai', name: 'OpenAI', api_pattern: '', models: [model, { ...model, id: 'gift:free' }] }
    const loadCatalog = () => Promise.resolve(createCatalog(() => provider))
    expect(await inputRate({ loadCatalog }, 'openai', 'mystery')).toBeUndefined()
    expect(await inputRate({ loadCatalog }, 'openai', 'gift:free')).toBe(0n)
  })

  it('ignores a provider that was found by a part of its name', async () => {
    const model = { id: 'gpt-5', match: { equals: 'gpt-5' }, prices: { input_mtok: 1 } }
    const provider = { id: 'other', name: 'Other', api_pattern: '', models: [model] }
    const loadCatalog = () => Promise.resolve(createCatalog(() => provider))
    expect(await inputRate({ loadCatalog }, 'openai', 'gpt-5')).toBeUndefined()
  })

  it('reads times of day in any zone, and dates', async () => {
    const time = { start_time: '00:30:00+08:00', end_time: '08:30:00+08:00', type: 'time_of_date' as const }
    const date = { start_date: '2026-01-01', type: 'start_date' as const }
    const prices = [
      { prices: { input_mtok: 1 } },
      { constraint: time, prices: { input_mtok: 2 } },
      { constraint: date, prices: { input_mtok: 3 } },
    ]
    const provider = { id: 'openai', name: '', api_pattern: '', models: [{ id: 'm', match: { equals: 'm' }, prices }] }
    const price = createCatalog(() => provider).find('openai', 'm')
    expect(price?.variants.map((variant) => variant.time)).toEqual([
      undefined,
      { fromSecond: 59_400, untilSecond: 1800 },
      { since: Date.UTC(2026, 0, 1) },
    ])
  })
})
