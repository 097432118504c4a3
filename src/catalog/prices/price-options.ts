import { z } from 'zod'
import { toScaledInteger } from './decimal.js'
import {
  type ImagePrice,
  type Price,
  type PriceSheet,
  type PriceSource,
  type PriceTier,
  type PriceVariant,
  type Rates,
  tokenRateNames,
} from './price.js'

// Dollars per million tokens have 6 digits fewer than pico-dollars per token, dollars each all 12.
const perMillionDigits = 6
const eachDigits = 12

const decimalOf = (digits: number) =>
  z.union([z.number(), z.string()]).refine((value) => toScaledInteger(value, digits)?.exact === true, {
    error: `must be a non-negative decimal with at most ${digits} places`,
  })
const perMillion = decimalOf(perMillionDigits).optional()
const each = decimalOf(eachDigits).optional()

const tokenPrices = {
  input: perMillion,
  cacheRead: perMillion,
  cacheWrite: perMillion,
  cacheWrite1h: perMillion,
  audioInput: perMillion,
  cacheReadAudio: perMillion,
  imageInput: perMillion,
  cacheReadImage: perMillion,
  videoInput: perMillion,
  output: perMillion,
  reasoning: perMillion,
  audioOutput: perMillion,
  imageOutput: perMillion,
  citation: perMillion,
}

const tiers = z
  .array(z.strictObject({ ...tokenPrices, abovePromptTokens: z.int().nonnegative() }))
  .optional()
  .describe('Other rates where the prompt, cached tokens included, has more tokens.')

const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'must be HH:MM')

const ImagePriceOptions = z.strictObject({
  size: z.string().optional(),
  quality: z.string().optional(),
  price: decimalOf(eachDigits),
})

/**
 * What a model costs, as providers publish it: US dollars per million tokens (`input`, `output` and their kinds), and
 * US dollars each (`perRequest`, `perWebSearch`, `perSecond`, `perImage`). Decimals are numbers or strings, and count
 * exactly.
 *
 * A kind of token without a rate costs what its general kind costs: `cacheWrite1h` as `cacheWrite`; cache writes and
 * reads, audio, images and video as `input`; reasoning, audio and images that are written as `output`. A price that
 * names neither `input` nor `output` (a flat one) leaves tokens free; else a missing `input` or `output` is unknown.
 *
 * `tiers` and `serviceTiers` replace only the rates that they name; the names are those that answers tell, in any case, and
 * `fast` costs as `priority` where it is not listed. `timesOfDay` are UTC, and may cross midnight. Of the images listed the
 * first that fits counts: put the default size and quality first.
 * @example { input: 1.25, cacheRead: 0.125, output: 10, tiers: [{ abovePromptTokens: 200_000, input: 2.5, output: 15 }] }
 * @example { perImage: [{ size: '1024x1024', quality: 'standard', price: '0.04' }] }
 */
export const PriceOptions = z
  .strictObject({
    ...tokenPrices,
    perRequest: each,
    perWebSearch: each,
    perSecond: each,
    perImage: z.union([decimalOf(eachDigits), z.array(ImagePriceOptions).min(1)]).optional(),
    tiers,
    serviceTiers: z.record(z.string().min(1), z.strictObject({ ...tokenPrices, tiers })).optional(),
    timesOfDay: z.array(z.strictObject({ ...tokenPrices, from: clockTime, until: clockTime, tiers })).optional(),
  })
  .refine((price) => Object.values(price).some((value) => value !== undefined), {
    error: 'must name at least one price',
  })

/** A price as a host writes it. */
export type PriceOptions = z.infer<typeof PriceOptions>

/** Prices by `provider/model`, or by the model's name alone for every provider. */
export const PriceTable = z.record(z.string().min(1), PriceOptions)
export type PriceTable = z.infer<typeof PriceTable>

type TokenPrices = { readonly [Name in keyof typeof tokenPrices]?: number | string | undefined }
type TierOptions = NonNullable<PriceOptions['tiers']>

/** Pico-dollars of a validated decimal. */
const pico = (value: number | string, digits: number): bigint => toScaledInteger(value, digits)?.integer ?? 0n

function toRates(prices: TokenPrices): Rates {
  return Object.fromEntries(
    tokenRateNames.flatMap((name) => {
      const value = prices[name]
      return value === undefined ? [] : [[name, pico(value, perMillionDigits)]]
    }),
  )
}

function toTiers(options: TierOptions | undefined): readonly PriceTier[] {
  return (options ?? [])
    .map((tier) => ({ above: tier.abovePromptTokens, rates: toRates(tier) }))
    .toSorted((a, b) => a.above - b.above)
}

function toFlatRates({ perRequest, perWebSearch, perSecond, input, output, perImage }: PriceOptions): Rates {
  const isFlat = [perRequest, perSecond, perImage].some((price) => price !== undefined)
  return {
    ...(isFlat && input === undefined && output === undefined && { input: 0n, output: 0n }),
    ...(perRequest !== undefined && { request: pico(perRequest, eachDigits) }),
    ...(perWebSearch !== undefined && { webSearch: pico(perWebSearch, eachDigits) }),
    ...(perSecond !== undefined && { hour: pico(perSecond, eachDigits) * 3600n }),
  }
}

function toImages(perImage: PriceOptions['perImage']): readonly ImagePrice[] {
  const list = Array.isArray(perImage) ? perImage : perImage === undefined ? [] : [{ price: perImage }]
  return list.map(({ price, ...of }: z.infer<typeof ImagePriceOptions>) => ({
    size: of.size,
    quality: of.quality,
    pico: pico(price, eachDigits),
  }))
}

const secondOf = (time: string): number => Number(time.slice(0, 2)) * 3600 + Number(time.slice(3)) * 60

/** A validated price with its rates as integers. */
export function toPrice(options: PriceOptions, source: PriceSource, name: string): Price {
  const serviceTiers: Record<string, PriceSheet> = Object.fromEntries(
    Object.entries(options.serviceTiers ?? {}).map(([tier, sheet]) => [
      tier.toLowerCase(),
      { rates: toRates(sheet), tiers: toTiers(sheet.tiers) },
    ]),
  )
  const always: PriceVariant = {
    time: undefined,
    rates: { ...toFlatRates(options), ...toRates(options) },
    tiers: toTiers(options.tiers),
    serviceTiers,
  }
  const timed = (options.timesOfDay ?? []).map((part): PriceVariant => ({
    time: { fromSecond: secondOf(part.from), untilSecond: secondOf(part.until) },
    rates: { ...always.rates, ...toRates(part) },
    tiers: part.tiers ? toTiers(part.tiers) : always.tiers,
    serviceTiers,
  }))
  return { source, name, variants: [always, ...timed], images: toImages(options.perImage) }
}
