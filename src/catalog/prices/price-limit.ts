import { isObject, type JsonObject } from '../../wire/json.js'
import { toScaledInteger } from './decimal.js'
import type { Price } from './price.js'

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
 * The dearest price within a limit: `prompt` and `completion` in dollars per million tokens, `request` and `image` in
 * dollars each. What it does not name costs nothing in it.
 */
export function limitPrice(limit: JsonObject, name: string): Price {
  const input = toPico(limit['prompt'], perMillionDigits)
  const output = toPico(limit['completion'], perMillionDigits)
  const request = toPico(limit['request'], eachDigits)
  const image = toPico(limit['image'], eachDigits)
  const rates = {
    ...(input !== undefined && { input }),
    ...(output !== undefined && { output }),
    ...(request !== undefined && { request }),
  }
  return {
    source: 'fallback',
    name,
    variants: [{ time: undefined, rates, tiers: [], serviceTiers: {} }],
    images: image === undefined ? [] : [{ size: undefined, quality: undefined, pico: image }],
  }
}

/** Rounded up, as a limit is never taken for less than it is; undefined for what is no amount. */
function toPico(value: unknown, digits: number): bigint | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const scaled = toScaledInteger(value, digits)
  return scaled && (scaled.exact ? scaled.integer : scaled.integer + 1n)
}
