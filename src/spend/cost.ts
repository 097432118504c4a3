import type { Price, PriceSheet, PriceVariant, RateName, Rates } from '../catalog/prices/index.js'
import { type InputBucket, type OutputBucket, promptTokens, type UsageBuckets } from './usage-buckets.js'

/** What a bill depends on beside the usage. */
export interface Circumstances {
  /** When the call began; milliseconds since the epoch. */
  readonly at: number
  /** The tier that served the call, as the answer tells it. @default the standard one */
  readonly serviceTier?: string | null | undefined
  /** @default false */
  readonly batch?: boolean | undefined
  /** Where a provider computed that charges by the place. @default anywhere */
  readonly region?: string | undefined
  readonly imageSize?: string | null | undefined
  readonly imageQuality?: string | null | undefined
  /** How many requests the call took; what a price per request is multiplied with. @default 1 */
  readonly requests?: number | undefined
}

/** A quantity that is charged for. */
export type PricedQuantity =
  | InputBucket
  | OutputBucket
  | 'citation'
  | 'webSearches'
  | 'images'
  | 'milliseconds'
  | 'requests'

/** One line of a bill: `pico` is `quantity · rate / per`. */
export interface PriceLine {
  readonly bucket: PricedQuantity
  readonly quantity: number
  /** Pico-dollars for `per` of the quantity; null where no rate is known. */
  readonly rate: bigint | null
  readonly per: number
  readonly pico: bigint
}

/** A bill. */
export interface Cost {
  /** Pico-dollars: the sum of the lines. */
  readonly pico: bigint
  readonly lines: readonly PriceLine[]
  /** False where something has no known price; the amount is then a part of the truth, and to be priced again. */
  readonly priced: boolean
  /** Why it is not priced, one sentence each. */
  readonly reasons: readonly string[]
}

interface Rule {
  readonly bucket: InputBucket | OutputBucket | 'citation' | 'webSearches'
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

/** True where a call's time is charged for. */
export function isTimed({ variants }: Price): boolean {
  return variants.some(({ rates }) => rates.hour !== undefined)
}

const millisecondsPerHour = 3_600_000

/**
 * What a usage costs: every bucket times its rate, in exact integers. Rates are those of the time, service tier and
 * prompt size; one threshold crossed changes every rate that its tier names, for all tokens.
 */
export function costOf(buckets: UsageBuckets, price: Price, circumstances: Circumstances): Cost {
  const { sheets, reasons } = selectSheets(price, promptTokens(buckets), circumstances)
  const known: PriceLine[] = []
  for (const rule of rules) {
    const quantity = buckets[rule.bucket]
    const found = quantity === 0 ? undefined : toLine(rule, quantity, sheets)
    if (found) known.push(found)
  }
  known.push(...flatLines(buckets, price, circumstances))
  // Images that neither an image's price nor tokens account for.
  const lines = known.length === 0 && buckets.images > 0 ? [line('images', buckets.images, undefined)] : known
  const unknown = lines.filter(({ rate }) => rate === null).map(({ bucket }) => `No rate for ${bucket}.`)
  const guessed = price.source === 'fallback' ? ['Only the fallback price is known.'] : []
  const all = [...reasons, ...unplaced(price, circumstances), ...unknown, ...guessed]
  return {
    pico: lines.reduce((sum, { pico }) => sum + pico, 0n),
    lines,
    priced: all.length === 0,
    reasons: all,
  }
}

const anywhere = new Set(['global', 'not_available'])

/** Published rates are those for inference anywhere; a host's own are for wherever it lets compute. */
function unplaced({ source }: Price, { region }: Circumstances): readonly string[] {
  const isPublished = source === 'catalog' || source === 'overlay'
  return isPublished && region !== undefined && !anywhere.has(region) ? [`No rates for inference in ${region}.`] : []
}

/** The bill of a call whose model has no price. */
export function unpricedCost(reason: string): Cost {
  return { pico: 0n, lines: [], priced: false, reasons: [reason] }
}

/** Pico-dollars for one token of a bucket in a prompt of `prompt` tokens; 0 where no rate is known. */
export function tokenRate(price: Price, prompt: number, circumstances: Circumstances) {
  const { sheets } = selectSheets(price, prompt, circumstances)
  const known = new Map<string, bigint>()
  return (bucket: InputBucket | OutputBucket): bigint => {
    const remembered = known.get(bucket)
    if (remembered !== undefined) return remembered
    const rule = rules.find((candidate) => candidate.bucket === bucket)
    const rate = (rule && rateOf(rule, sheets)) ?? 0n
    known.set(bucket, rate)
    return rate
  }
}

/** The prompt sizes above which the rates of a price change, at a time and in a service tier. */
export function thresholdsOf(price: Price, circumstances: Circumstances): readonly number[] {
  const variant = variantAt(price, circumstances.at)
  const name = tierName(circumstances)
  const tier = name !== undefined && Object.hasOwn(variant.serviceTiers, name) ? variant.serviceTiers[name] : undefined
  return [...variant.tiers, ...(tier?.tiers ?? [])].map(({ above }) => above)
}

interface Selection {
  /** Nearest first: where the first has no rate, the next one's counts. */
  readonly sheets: readonly Rates[]
  readonly reasons: readonly string[]
}

const standardTiers = new Set(['', 'auto', 'default', 'standard', 'on_demand'])
const tierAliases: Readonly<Record<string, string>> = { fast: 'priority' }

/** The price's name for the tier that served a call; undefined for the standard one. */
export function tierName({ serviceTier, batch }: Pick<Circumstances, 'serviceTier' | 'batch'>): string | undefined {
  if (batch) return 'batch'
  const name = serviceTier?.toLowerCase() ?? ''
  if (standardTiers.has(name)) return undefined
  return Object.hasOwn(tierAliases, name) ? tierAliases[name] : name
}

function selectSheets(price: Price, prompt: number, circumstances: Circumstances): Selection {
  const variant = variantAt(price, circumstances.at)
  const standard = crossed(variant, prompt)
  const name = tierName(circumstances)
  const tier = name !== undefined && Object.hasOwn(variant.serviceTiers, name) ? variant.serviceTiers[name] : undefined
  if (name === undefined) return { sheets: [...standard, variant.rates], reasons: [] }
  if (!tier) return { sheets: [...standard, variant.rates], reasons: [`No rates for the service tier ${name}.`] }
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

function variantAt({ variants }: Price, at: number): PriceVariant {
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

function toLine(rule: Rule, quantity: number, sheets: readonly Rates[]): PriceLine | undefined {
  const rate = rateOf(rule, sheets)
  return rate === undefined && rule.optional ? undefined : line(rule.bucket, quantity, rate)
}

function line(bucket: PricedQuantity, quantity: number, rate: bigint | undefined): PriceLine {
  return { bucket, quantity, rate: rate ?? null, per: 1, pico: BigInt(quantity) * (rate ?? 0n) }
}

/** Time is the one quantity that is divided; half a pico-dollar counts as one. */
function timeLine(milliseconds: number, rate: bigint): PriceLine {
  const [quantity, per] = [BigInt(milliseconds), BigInt(millisecondsPerHour)]
  const pico = (quantity * rate * 2n + per) / (per * 2n)
  return { bucket: 'milliseconds', quantity: milliseconds, rate, per: millisecondsPerHour, pico }
}

function flatLines(buckets: UsageBuckets, price: Price, circumstances: Circumstances): readonly PriceLine[] {
  const { request, hour } = variantAt(price, circumstances.at).rates
  return [
    ...(request === undefined ? [] : [line('requests', circumstances.requests ?? 1, request)]),
    ...(hour === undefined || buckets.milliseconds === 0 ? [] : [timeLine(buckets.milliseconds, hour)]),
    ...(price.images.length === 0 || buckets.images === 0
      ? []
      : [line('images', buckets.images, imageRate(price, circumstances))]),
  ]
}

/** The first price that fits; a size or quality that was not named, or is `auto`, is the provider's default. */
function imageRate({ images }: Price, { imageSize, imageQuality }: Circumstances): bigint | undefined {
  const fits = (listed: string | undefined, asked: string | null | undefined): boolean =>
    listed === undefined || !asked || asked === 'auto' || listed === asked.toLowerCase()
  return images.find(({ size, quality }) => fits(size, imageSize) && fits(quality, imageQuality))?.pico
}
