import type { Price, PriceSheet, PriceVariant, RateName, Rates } from '../catalog/prices/index.js'
import type { Circumstances } from './circumstances.js'
import type { InputBucket, OutputBucket } from './usage-buckets.js'

/** A quantity that has a rate per unit, which may depend on the size of the prompt and the service tier. */
export type RatedBucket = InputBucket | OutputBucket | 'citation' | 'webSearches'

interface Rule {
  readonly bucket: RatedBucket
  /** The rate, then those that hold where it is not known. */
  readonly rates: readonly RateName[]
  /** A tier's own rate for the general kind comes before the standard rate for this kind. */
  readonly tierFirst?: true
  /** Costs nothing where there is no rate: not every provider charges for it. */
  readonly optional?: true
}

/** Which rate each bucket costs. */
const rules: readonly Rule[] = [
  { bucket: 'inputUncached', rates: ['input'] },
  { bucket: 'cacheRead', rates: ['cacheRead', 'input'] },
  { bucket: 'cacheReadAudio', rates: ['cacheReadAudio', 'cacheRead', 'audioInput', 'input'] },
  { bucket: 'cacheReadImage', rates: ['cacheReadImage', 'cacheRead', 'imageInput', 'input'] },
  { bucket: 'cacheWrite5m', rates: ['cacheWrite', 'input'] },
  { bucket: 'cacheWrite1h', rates: ['cacheWrite1h', 'cacheWrite', 'input'] },
  { bucket: 'audioInput', rates: ['audioInput', 'input'] },
  { bucket: 'imageInput', rates: ['imageInput', 'input'] },
  { bucket: 'videoInput', rates: ['videoInput', 'input'] },
  { bucket: 'toolPrompt', rates: ['input'] },
  { bucket: 'outputText', rates: ['output'] },
  // Reasoning is output in every tier that names no rate of its own for it.
  { bucket: 'reasoning', rates: ['reasoning', 'output'], tierFirst: true },
  { bucket: 'audioOutput', rates: ['audioOutput', 'output'] },
  { bucket: 'imageOutput', rates: ['imageOutput', 'output'] },
  { bucket: 'citation', rates: ['citation'], optional: true },
  { bucket: 'webSearches', rates: ['webSearch'] },
]

/** What one unit of a bucket costs. */
export interface BucketRate {
  readonly bucket: RatedBucket
  /** Pico-dollars; null where no rate is known. */
  readonly rate: bigint | null
}

/** The rates of one price at a time, in a service tier, between two thresholds of the prompt's size. */
export interface RateCard {
  /** Of every bucket that is charged for; in the order of a bill. */
  readonly rates: readonly BucketRate[]
  /** Why these may not be the right rates, one sentence each. */
  readonly reasons: readonly string[]
  /** Pico-dollars for one token of a bucket; 0 where no rate is known. */
  tokenRate(bucket: InputBucket | OutputBucket): bigint
}

/** The card for a prompt of `prompt` tokens; the same object for all prompts that have the same rates. */
export function rateCardOf(price: Price, prompt: number, circumstances: Circumstances): RateCard {
  return cardsOf(price, circumstances).cardFor(prompt)
}

/** The prompt sizes above which the rates of a price change, at a time and in a service tier; the lowest first. */
export function thresholdsOf(price: Price, circumstances: Circumstances): readonly number[] {
  return cardsOf(price, circumstances).thresholds
}

/** The service tier of a call where its price has no rates for it; undefined where it has, or for the standard tier. */
export function unlistedTier(price: Price, circumstances: Circumstances): string | undefined {
  const name = tierName(circumstances)
  if (name === undefined) return undefined
  return Object.hasOwn(variantAt(price, circumstances.at).serviceTiers, name) ? undefined : name
}

const standardTiers = new Set(['', 'auto', 'default', 'standard', 'on_demand'])
const tierAliases: Readonly<Record<string, string>> = { fast: 'priority' }

/** The price's name for the tier that served a call; undefined for the standard one. */
export function tierName({ serviceTier, batch }: Pick<Circumstances, 'serviceTier' | 'batch'>): string | undefined {
  if (batch) return 'batch'
  if (!serviceTier) return undefined
  const name = serviceTier.toLowerCase()
  if (standardTiers.has(name)) return undefined
  return Object.hasOwn(tierAliases, name) ? tierAliases[name] : name
}

/** The variant of a price that holds at a time. */
export function variantAt({ variants }: Price, at: number): PriceVariant {
  if (variants.length === 1) return variants[0]
  return variants.findLast(({ time }) => time === undefined || isNow(time, at)) ?? variants[0]
}

function isNow(time: NonNullable<PriceVariant['time']>, at: number): boolean {
  if ('since' in time) return at >= time.since
  const second = Math.floor(at / 1000) % 86_400
  const { fromSecond, untilSecond } = time
  return untilSecond < fromSecond
    ? second >= fromSecond || second < untilSecond
    : second >= fromSecond && second < untilSecond
}

// A price never changes once it is made: what follows from it is worked out once, as calls ask for it all the time.
const cardsOfVariants = new WeakMap<PriceVariant, Map<string | undefined, TierCards>>()

/** The cards of the tier that served a call; of the standard one where its own is not listed. */
function cardsOf(price: Price, circumstances: Circumstances): TierCards {
  const variant = variantAt(price, circumstances.at)
  const byTier = cardsOfVariants.get(variant) ?? new Map<string | undefined, TierCards>()
  cardsOfVariants.set(variant, byTier)
  const asked = tierName(circumstances)
  const name = asked !== undefined && Object.hasOwn(variant.serviceTiers, asked) ? asked : undefined
  const cards = byTier.get(name) ?? new TierCards(variant, name)
  byTier.set(name, cards)
  return cards
}

/** The cards of one service tier, by how many thresholds a prompt is above. */
class TierCards {
  readonly #variant: PriceVariant
  readonly #name: string | undefined
  readonly #cards: RateCard[] = []
  readonly thresholds: readonly number[]

  constructor(variant: PriceVariant, name: string | undefined) {
    this.#variant = variant
    this.#name = name
    const own = name === undefined ? undefined : variant.serviceTiers[name]
    const above = [...variant.tiers, ...(own?.tiers ?? [])].map((tier) => tier.above)
    this.thresholds = [...new Set(above)].toSorted((a, b) => a - b)
  }

  cardFor(prompt: number): RateCard {
    let crossed = 0
    for (const threshold of this.thresholds) if (prompt > threshold) crossed += 1
    return (this.#cards[crossed] ??= toCard(selectSheets(this.#variant, this.#name, prompt)))
  }
}

interface Selection {
  /** Nearest first: where the first has no rate, the next one's counts. */
  readonly sheets: readonly Rates[]
  readonly reasons: readonly string[]
}

function selectSheets(variant: PriceVariant, name: string | undefined, prompt: number): Selection {
  const standard = crossed(variant, prompt)
  const tier = name === undefined ? undefined : variant.serviceTiers[name]
  if (!tier) return { sheets: [...standard, variant.rates], reasons: [] }
  const own = crossed(tier, prompt)
  // A tier without rates for long prompts: the standard ones for long prompts are the nearest known.
  const isShort = standard.length > 0 && own.length === 0 && Object.keys(tier.rates).length > 0
  return {
    sheets: [...own, ...(isShort ? [...standard, tier.rates] : [tier.rates, ...standard]), variant.rates],
    reasons: isShort ? [`No rates for prompts of this size in the service tier ${name}.`] : [],
  }
}

/** The rates of every threshold that a prompt is above, the highest first. */
function crossed({ tiers }: PriceSheet, prompt: number): readonly Rates[] {
  return tiers
    .filter(({ above }) => prompt > above)
    .map(({ rates }) => rates)
    .toReversed()
}

function toCard({ sheets, reasons }: Selection): RateCard {
  const rates = rules.flatMap((rule) => {
    const rate = rateOf(rule, sheets)
    return rate === undefined && rule.optional ? [] : [{ bucket: rule.bucket, rate: rate ?? null }]
  })
  const byBucket = new Map<RatedBucket, bigint | null>(rates.map(({ bucket, rate }) => [bucket, rate]))
  return { rates, reasons, tokenRate: (bucket) => byBucket.get(bucket) ?? 0n }
}

function rateOf({ rates, tierFirst }: Rule, sheets: readonly Rates[]): bigint | undefined {
  if (tierFirst) {
    const sheet = sheets.find((candidate) => rates.some((name) => candidate[name] !== undefined))
    return sheet && firstRate([sheet], rates)
  }
  return firstRate(sheets, rates)
}

function firstRate(sheets: readonly Rates[], names: readonly RateName[]): bigint | undefined {
  for (const name of names) {
    const sheet = sheets.find((candidate) => candidate[name] !== undefined)
    if (sheet) return sheet[name]
  }
  return undefined
}
