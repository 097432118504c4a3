import type { Price } from '../catalog/prices/index.js'
import type { Circumstances } from './circumstances.js'
import { type RatedBucket, ratesAt, type TierRates, unlistedTier } from './rate-card.js'
import { promptTokens, type UsageBuckets } from './usage-buckets.js'

/** A quantity that is charged for. */
export type PricedQuantity =
  | RatedBucket
  | 'images'
  | 'milliseconds'
  | 'requests'
  /** One amount, as the provider bills it. */
  | 'reported'
  /** One amount, as whoever computed for the provider bills the host. */
  | 'upstream'

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

/** True where a call's time is charged for. */
export function isTimed({ variants }: Price): boolean {
  return variants.some(({ rates }) => rates.hour !== undefined)
}

const millisecondsPerHour = 3_600_000

/**
 * What a usage costs: every bucket times its rate, in exact integers. Rates are those of the time, service tier and
 * prompt size; one threshold crossed changes every rate that its tier names, for all tokens. `rates` are those of the
 * circumstances, where others are not given.
 */
export function costOf(
  buckets: UsageBuckets,
  price: Price,
  circumstances: Circumstances,
  rates: TierRates = ratesAt(price, circumstances),
): Cost {
  const card = rates.cardFor(promptTokens(buckets))
  const lines: PriceLine[] = []
  for (const { bucket, rate } of card.rates) {
    const quantity = buckets[bucket]
    if (quantity !== 0) lines.push(line(bucket, quantity, rate))
  }
  addFlatLines(lines, buckets, rates, circumstances)
  if (price.images.length > 0 && buckets.images !== 0) {
    lines.push(line('images', buckets.images, imageRate(price, circumstances)))
  }
  // Images that neither an image's price nor tokens account for.
  if (lines.length === 0 && buckets.images > 0) lines.push(line('images', buckets.images, null))
  const reasons = [...card.reasons]
  addDoubts(reasons, lines, price, circumstances)
  let pico = 0n
  for (const each of lines) pico += each.pico
  return { pico, lines, priced: reasons.length === 0, reasons }
}

/** Adds why these may not be the right rates, beside what the rates themselves tell. */
function addDoubts(reasons: string[], lines: readonly PriceLine[], price: Price, circumstances: Circumstances): void {
  const unlisted = unlistedTier(price, circumstances)
  if (unlisted !== undefined) reasons.push(`No rates for the service tier ${unlisted}.`)
  const { region } = circumstances
  if (isUnplaced(price, region)) reasons.push(`No rates for inference in ${region}.`)
  for (const { bucket, rate } of lines) if (rate === null) reasons.push(`No rate for ${bucket}.`)
  if (price.source === 'fallback') reasons.push('Only the fallback price is known.')
}

const anywhere = new Set(['global', 'not_available'])

/** Published rates are those for inference anywhere; a host's own are for wherever it lets compute. */
function isUnplaced({ source }: Price, region: string | undefined): boolean {
  return region !== undefined && (source === 'catalog' || source === 'overlay') && !anywhere.has(region)
}

/** The bill of a call whose model has no price. */
export function unpricedCost(reason: string): Cost {
  return { pico: 0n, lines: [], priced: false, reasons: [reason] }
}

function line(bucket: PricedQuantity, quantity: number, rate: bigint | null): PriceLine {
  return { bucket, quantity, rate, per: 1, pico: rate === null ? 0n : BigInt(quantity) * rate }
}

/** Time is the one quantity that is divided; half a pico-dollar counts as one. */
function timeLine(milliseconds: number, rate: bigint): PriceLine {
  const [quantity, per] = [BigInt(milliseconds), BigInt(millisecondsPerHour)]
  const pico = (quantity * rate * 2n + per) / (per * 2n)
  return { bucket: 'milliseconds', quantity: milliseconds, rate, per: millisecondsPerHour, pico }
}

function addFlatLines(
  lines: PriceLine[],
  { milliseconds }: UsageBuckets,
  { flat: { request, hour } }: TierRates,
  circumstances: Circumstances,
): void {
  if (request !== undefined) lines.push(line('requests', circumstances.requests ?? 1, request))
  if (hour !== undefined && milliseconds !== 0) lines.push(timeLine(milliseconds, hour))
}

/** The first price that fits; a size or quality that was not named, or is `auto`, is the provider's default. */
function imageRate({ images }: Price, { imageSize, imageQuality }: Circumstances): bigint | null {
  const fits = (listed: string | undefined, asked: string | null | undefined): boolean =>
    listed === undefined || !asked || asked === 'auto' || listed === asked.toLowerCase()
  return images.find(({ size, quality }) => fits(size, imageSize) && fits(quality, imageQuality))?.pico ?? null
}
