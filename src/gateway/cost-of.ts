import { type Price, type PriceBook, type PriceQuery, toPrice } from '../catalog/prices/index.js'
import type { Clock } from '../ports.js'
import type { CostOf } from '../router/strategies/cost-based.js'
import { knownRate, rateCardOf } from '../spend/rate-card.js'
import { toPriceQuery } from '../call/accounts/pricing.js'

/**
 * What a deployment's tokens cost now, for routing by cost, in pico-dollars. The price list is opened at once, before
 * calls come; until it is read only what deployments have set themselves. `open` never rejects.
 */
export function createCostOf(open: () => Promise<PriceBook>, clock: Clock): CostOf {
  let book: PriceBook | undefined
  void open().then((opened) => {
    book = opened
  })
  return (deployment) => {
    const query = toPriceQuery(deployment)
    const price = book ? book.find(query).price : ownPrice(query)
    return price ? toTokenCost(price, clock.now()) : undefined
  }
}

/** What the host has set is known without the list. */
function ownPrice({ own, provider, model }: PriceQuery): Price | undefined {
  return own && toPrice(own, 'deployment', `${provider}/${model}`)
}

/** A token of a short prompt and one of the answer, which embeddings have none of; undefined where neither has a price. */
function toTokenCost(price: Price, at: number): number | undefined {
  const card = rateCardOf(price, 0, { at })
  const [input, output] = [knownRate(card, 'inputUncached'), knownRate(card, 'outputText')]
  return input === undefined && output === undefined ? undefined : Number((input ?? 0n) + (output ?? 0n))
}
