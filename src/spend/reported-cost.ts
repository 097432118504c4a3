import { toScaledInteger } from '../catalog/prices/index.js'
import { isObject, numberOf } from '../wire/json.js'

/**
 * What the provider itself says a call cost, in pico-dollars; undefined where it does not. Only to be trusted with
 * providers that bill by it: OpenRouter and Perplexity (`cost`, in dollars), xAI (`cost_in_usd_ticks`, 10⁻¹⁰ dollars).
 */
export function reportedCost(usage: unknown): bigint | undefined {
  if (!isObject(usage)) return undefined
  const { cost, cost_in_usd_ticks: ticks } = usage
  const dollars = numberOf(cost) ?? (isObject(cost) ? numberOf(cost['total_cost']) : undefined)
  if (dollars !== undefined) return toScaledInteger(dollars, 12)?.integer
  const count = numberOf(ticks)
  return count === undefined ? undefined : toScaledInteger(count, 2)?.integer
}
