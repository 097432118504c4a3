import { type Price, type PriceSheet, type RateName, type Rates, tokenRateNames } from './price.js'
import { type PriceOptions, toPrice } from './price-options.js'

/** What part of a sheet a discount holds for. */
type Scope = 'tokens' | 'uncached'

/** Service tiers that cost half of the standard rates. */
interface Halved {
  readonly tiers: readonly string[]
  readonly scope: Scope
}

// OpenAI and Anthropic halve cached tokens too, Google's caches cost the same in every tier. Sources:
// https://developers.openai.com/api/docs/pricing, https://platform.claude.com/docs/en/build-with-claude/batch-processing#pricing,
// https://ai.google.dev/gemini-api/docs/pricing
const halved: Readonly<Record<string, Halved>> = {
  openai: { tiers: ['batch', 'flex'], scope: 'tokens' },
  azure: { tiers: ['batch'], scope: 'tokens' },
  anthropic: { tiers: ['batch'], scope: 'tokens' },
  gemini: { tiers: ['batch', 'flex'], scope: 'uncached' },
  vertex_ai: { tiers: ['batch', 'flex'], scope: 'uncached' },
}

// https://developers.openai.com/api/docs/pricing?latest-pricing=priority
const priority: Readonly<Record<string, Pick<PriceOptions, 'input' | 'cacheRead' | 'output'>>> = {
  'gpt-4o': { input: 4.25, cacheRead: 2.125, output: 17 },
  'gpt-4o-2024-05-13': { input: 8.75, output: 26.25 },
  'gpt-4o-mini': { input: 0.25, cacheRead: 0.125, output: 1 },
  'gpt-4.1': { input: 3.5, cacheRead: 0.875, output: 14 },
  'gpt-4.1-mini': { input: 0.7, cacheRead: 0.175, output: 2.8 },
  'gpt-4.1-nano': { input: 0.2, cacheRead: 0.05, output: 0.8 },
  o3: { input: 3.5, cacheRead: 0.875, output: 14 },
  'o4-mini': { input: 2, cacheRead: 0.5, output: 8 },
  'gpt-5': { input: 2.5, cacheRead: 0.25, output: 20 },
  'gpt-5-mini': { input: 0.45, cacheRead: 0.045, output: 3.6 },
  'gpt-5.1': { input: 2.5, cacheRead: 0.25, output: 20 },
  'gpt-5.2': { input: 3.5, cacheRead: 0.35, output: 28 },
  'gpt-5.4': { input: 5, cacheRead: 0.5, output: 30 },
}

const cached: ReadonlySet<RateName> = new Set([
  'cacheRead',
  'cacheWrite',
  'cacheWrite1h',
  'cacheReadAudio',
  'cacheReadImage',
])

function halveRates(rates: Rates, scope: Scope): Rates {
  return Object.fromEntries(
    tokenRateNames.flatMap((name) => {
      const rate = rates[name]
      if (rate === undefined || (scope === 'uncached' && cached.has(name))) return []
      return [[name, (rate + 1n) / 2n]]
    }),
  )
}

function halveSheet({ rates, tiers }: PriceSheet, scope: Scope): PriceSheet {
  return {
    rates: halveRates(rates, scope),
    tiers: tiers.map((tier) => ({ above: tier.above, rates: halveRates(tier.rates, scope) })),
  }
}

const snapshotDate = /-\d{4}-\d{2}-\d{2}$/

function prioritySheet(provider: string, name: string): PriceSheet | undefined {
  const key = [name, name.replace(snapshotDate, '')].find((candidate) => Object.hasOwn(priority, candidate))
  const rates = key === undefined ? undefined : priority[key]
  return provider === 'openai' && rates ? toPrice(rates, 'overlay', name).variants[0] : undefined
}

/** A published price with the service tiers that its provider publishes for it; what it has already stays. */
export function withServiceTiers(price: Price, provider: string): Price {
  const rule = Object.hasOwn(halved, provider) ? halved[provider] : undefined
  const dearer = prioritySheet(provider, price.name)
  if (!rule && !dearer) return price
  const [first, ...rest] = price.variants.map((variant) => ({
    ...variant,
    serviceTiers: {
      ...Object.fromEntries((rule?.tiers ?? []).map((tier) => [tier, halveSheet(variant, rule?.scope ?? 'tokens')])),
      ...(dearer && { priority: { rates: dearer.rates, tiers: dearer.tiers } }),
      ...variant.serviceTiers,
    },
  }))
  return first ? { ...price, variants: [first, ...rest] } : price
}
