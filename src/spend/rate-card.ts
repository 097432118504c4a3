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
  /** Pico-dollars for one of a bucket; 0 where no rate is known. */
  tokenRate(bucket: RatedBucket): bigint
}

/** The card for a prompt of `prompt` tokens; the same object for all prompts that have the same rates. */
export function rateCardOf(price: Price, prompt: number, circumstances: Circumstances): RateCard {
  return ratesAt(price, circumstances).cardFor(prompt)
}

/** Pico-dollars for one of a bucket; undefined where no rate is known. */
export function knownRate({ rates }: RateCard, bucket: RatedBucket): bigint | undefined {
  return rates.find((each) => each.bucket === bucket)?.rate ?? undefined
}

/** The service tier of a call where its price has no rates for it; undefined where it has, or for the standard tier. */
export function unlistedTier(price: Price, circumstances: Circumstances): string | undefined {
  const [name] = tierNames(circumstances)
  return listedTier(variantAt(price, circumstances.at), circumstances) === undefined ? name : undefined
}

const standardTiers = new Set(['', 'auto', 'default', 'standard', 'standard_only', 'on_demand'])
// A request for OpenAI's fast tier is answered as a priority one; Claude's fast mode may have rates of its own.
const tierAliases: Readonly<Record<string, readonly string[]>> = { fast: ['fast', 'priority'] }

/** What a price may call the tier that serves a call, nearest first; empty for the standard one. */
export function tierNames({ serviceTier, batch }: Pick<Circumstances, 'serviceTier' | 'batch'>): readonly string[] {
  if (batch) return ['batch']
  const name = serviceTier?.toLowerCase() ?? ''
  if (standardTiers.has(name)) return []
  return Object.hasOwn(tierAliases, name) ? (tierAliases[name] ?? []) : [name]
}

function listedTier({ serviceTiers }: PriceVariant, circumstances: Circumstances): string | undefined {
  return tierNames(circumstances).find((name) => Object.hasOwn(serviceTiers, name))
}

/** The variant of a price that holds at a time. */
export function variantAt({ variants }: Price, at: number): PriceVariant {
  if (variants.length === 1) return variants[0]
  return variants.findLast(({ time }) => time === undefined || isNow(time, at)) ?? variants[0]
}

const dayMs = 86_400_000

function isNow(time: NonNullable<PriceVariant['time']>, at: number): boolean {
  if ('since' in time) return at >= time.since
  const second = Math.floor((at % dayMs) / 1000)
  const { fromSecond, untilSecond } = time
  return untilSecond < fromSecond
    ? second >= fromSecond || second < untilSecond
    : second >= fromSecond && second < untilSecond
}

/** Every variant of a price that holds at some time between two, both included; `until` may be infinite. */
export function variantsWithin(price: Price, from: number, until: number): readonly PriceVariant[] {
  const { variants } = price
  if (variants.length === 1) return variants
  const times = variants.flatMap(({ time }) => time ?? [])
  const starts = [from, ...times.flatMap((time) => ('since' in time && time.since > from ? [time.since] : []))]
  const moments = starts.flatMap((start) => [start, ...times.flatMap((time) => changesAfter(start, time))])
  return [...new Set(moments.filter((at) => at <= until).map((at) => variantAt(price, at)))]
}

/** When a variant that holds daily next begins and ends. */
function changesAfter(start: number, time: NonNullable<PriceVariant['time']>): readonly number[] {
  if ('since' in time) return []
  return [time.fromSecond, time.untilSecond].map((second) => {
    const today = start - (start % dayMs) + second * 1000
    return today > start ? today : today + dayMs
  })
}

// A price never changes once it is made: what follows from it is worked out once, as calls ask for it all the time.
const ratesOfVariants = new WeakMap<PriceVariant, Map<string | undefined, TierRates>>()

/** The rates of the time and of the tier that served a call; those of the standard one where its own are not listed. */
export function ratesAt(price: Price, circumstances: Circumstances): TierRates {
  const variant = variantAt(price, circumstances.at)
  return ratesIn(variant, listedTier(variant, circumstances))
}

/** The rates of a variant in a service tier that it lists; undefined names the standard one. */
export function ratesIn(variant: PriceVariant, name: string | undefined): TierRates {
  const byTier = ratesOfVariants.get(variant) ?? new Map<string | undefined, TierRates>()
  ratesOfVariants.set(variant, byTier)
  const rates = byTier.get(name) ?? new TierRates(variant, name)
  byTier.set(name, rates)
  return rates
}

/** The rates of one service tier at one time, whatever the prompt's size. */
export class TierRates {
  readonly #variant: PriceVariant
  readonly #name: string | undefined
  readonly #cards: RateCard[] = []
  readonly #covered = new Map<TierRates, boolean>()
  /** The prompt sizes above which the rates change; the lowest first. */
  readonly thresholds: readonly number[]

  constructor(variant: PriceVariant, name: string | undefined) {
    this.#variant = variant
    this.#name = name
    const own = name === undefined ? undefined : variant.serviceTiers[name]
    const above = [...variant.tiers, ...(own?.tiers ?? [])].map((tier) => tier.above)
    this.thresholds = [...new Set(above)].toSorted((a, b) => a - b)
  }

  /** What is charged beside tokens and searches: for a request, and for an hour. */
  get flat(): Pick<Rates, 'request' | 'hour'> {
    return this.#variant.rates
  }

  cardFor(prompt: number): RateCard {
    let crossed = 0
    for (const threshold of this.thresholds) if (prompt > threshold) crossed += 1
    return (this.#cards[crossed] ??= toCard(selectSheets(this.#variant, this.#name, prompt)))
  }

  /** True where nothing costs less here than there. */
  covers(other: TierRates): boolean {
    const known = this.#covered.get(other) ?? this.#isNowhereBelow(other)
    this.#covered.set(other, known)
    return known
  }

  #isNowhereBelow(other: TierRates): boolean {
    const steps = [...this.thresholds, ...other.thresholds].map((above) => above + 1)
    return (
      (this.flat.request ?? 0n) >= (other.flat.request ?? 0n) &&
      (this.flat.hour ?? 0n) >= (other.flat.hour ?? 0n) &&
      [0, ...steps].every((prompt) => {
        const card = this.cardFor(prompt)
        return other.cardFor(prompt).rates.every(({ bucket, rate }) => card.tokenRate(bucket) >= (rate ?? 0n))
      })
    )
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
