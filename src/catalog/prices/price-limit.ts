import { isObject, type JsonObject } from '../../wire/json.js'
import { toScaledInteger } from './decimal.js'
import type { Price, PriceSheet, PriceVariant, Rates } from './price.js'

// Dollars per million tokens have 6 digits fewer than pico-dollars per token, dollars each all 12.
const perMillionDigits = 6
const eachDigits = 12

/**
 * The limit that counts where a deployment (`own`) and a request (`asked`) have one: of each member that the deployment
 * names the lower, and whatever else the request names. Undefined where the deployment has none.
 */
export function lowerLimit(own: unknown, asked: unknown): JsonObject | undefined {
  if (!isObject(own)) return undefined
  if (!isObject(asked)) return own
  const lower = Object.entries(own).map(([name, value]) => [name, isLower(asked[name], value) ? asked[name] : value])
  return { ...asked, ...Object.fromEntries(lower) }
}

function isLower(asked: unknown, own: unknown): boolean {
  const [first, second] = [toPico(asked, eachDigits), toPico(own, eachDigits)]
  return first !== undefined && second !== undefined && first < second
}

/**
 * The dearest that a provider may choose within a limit: the price with every rate that the limit names raised to it.
 * `prompt` and `completion` are in dollars per million tokens, `request` and `image` in dollars each. What the limit does
 * not name costs what it costs.
 */
export function raiseToLimit(price: Price, limit: JsonObject): Price {
  const least = ratesOf(limit)
  const image = toPico(limit['image'], eachDigits)
  const [first, ...others] = price.variants
  return {
    ...price,
    variants: [raiseVariant(first, least), ...others.map((variant) => raiseVariant(variant, least))],
    images: image === undefined ? price.images : raiseImages(price.images, image),
  }
}

function ratesOf(limit: JsonObject): Rates {
  const input = toPico(limit['prompt'], perMillionDigits)
  const output = toPico(limit['completion'], perMillionDigits)
  const request = toPico(limit['request'], eachDigits)
  return {
    ...(input !== undefined && { input }),
    ...(output !== undefined && { output }),
    ...(request !== undefined && { request }),
  }
}

function raiseVariant(variant: PriceVariant, least: Rates): PriceVariant {
  const serviceTiers = Object.entries(variant.serviceTiers).map(([name, sheet]) => [name, raiseSheet(sheet, least)])
  const { rates, tiers } = raiseSheet(variant, least)
  return { ...variant, rates: { ...least, ...rates }, tiers, serviceTiers: Object.fromEntries(serviceTiers) }
}

/** Only rates that it has: those that a tier does not have are the standard ones, raised too. */
function raiseSheet({ rates, tiers }: PriceSheet, least: Rates): PriceSheet {
  return {
    rates: raiseRates(rates, least),
    tiers: tiers.map((tier) => ({ above: tier.above, rates: raiseRates(tier.rates, least) })),
  }
}

function raiseRates(rates: Rates, { input, output, request }: Rates): Rates {
  return {
    ...rates,
    ...(rates.input !== undefined && { input: larger(rates.input, input) }),
    ...(rates.output !== undefined && { output: larger(rates.output, output) }),
    ...(rates.request !== undefined && { request: larger(rates.request, request) }),
  }
}

function raiseImages(images: Price['images'], least: bigint): Price['images'] {
  if (images.length === 0) return [{ size: undefined, quality: undefined, pico: least }]
  return images.map((image) => ({ ...image, pico: larger(image.pico, least) }))
}

const larger = (rate: bigint, least = 0n): bigint => (rate > least ? rate : least)

/** Rounded up, as a limit is never taken for less than it is; undefined for what is no amount. */
function toPico(value: unknown, digits: number): bigint | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const scaled = toScaledInteger(value, digits)
  return scaled && (scaled.exact ? scaled.integer : scaled.integer + 1n)
}
