import type { Price, PriceBook } from '../catalog/prices/index.js'
import type { Clock } from '../ports.js'
import type { CostOf } from '../router/strategies/cost-based.js'
import { knownRate, rateCardOf } from '../spend/rate-card.js'
import { toPriceQuery } from '../call/accounts/pricing.js'

/**
 * What a deployment's tokens cost now, for routing by cost, in pico-dollars. The price list is opened when a price is
 * first asked for; until it is read none is known. `open` never rejects.
 */
export function createCostOf(open: () => Promise<PriceBook>, clock: Clock): CostOf {
  let book: PriceBook | undefined
  let opening: Promise<void> | undefined
  return (deployment) => {
    opening ??= open().then((opened) => {
      book = opened
    })
    const found = book?.find(toPriceQuery(deployment))
    return found?.price ? toTokenCost(found.price, clock.now()) : undefined
  }
}

/** A token of a short prompt and one of the answer, which embeddings have none of; undefined where neither has a price. */
function toTokenCost(price: Price, at: number): number | undefined {
  const card = rateCardOf(price, 0, { at })
  const [input, output] = [knownRate(card, 'inputUncached'), knownRate(card, 'outputText')]
  return input === undefined && output === undefined ? undefined : Number((input ?? 0n) + (output ?? 0n))
}
