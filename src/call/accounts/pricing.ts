import { capabilitiesOf } from '../../catalog/capabilities.js'
import { type Price, type PriceBook, type PriceLookup, PriceOptions, toPrice } from '../../catalog/prices/index.js'
import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import type { Estimate } from '../../limits/holds.js'
import type { Clock } from '../../ports.js'
import type { ModelGroup } from '../../router/model-group.js'
import { type Factor, estimateCost, multiply } from '../../spend/index.js'
import { stringOf } from '../../wire/json.js'
import type { BilledCall } from './accounts.js'

/** What calls cost, and may cost at most. */
export interface Pricing {
  /** Resolves when prices can be asked for; never rejects. */
  ready(): Promise<void> | undefined
  /** @throws GatewayError where the host lets no call through whose price is not known */
  requirePrices(group: ModelGroup): void
  find(deployment: Deployment): PriceLookup
  /** The most that a call may cost and need, whichever deployment serves it. */
  estimate(call: BilledCall, markUp: Factor): Estimate
}

/** What pricing needs. */
export interface PricingParts {
  readonly open: () => Promise<PriceBook>
  readonly clock: Clock
  readonly unknownPrice: 'allow' | 'refuse'
  /** Attempts of one call that may be billed beside each other. */
  readonly billedAttempts: number
  /** Every group that a call of this group may end up at, itself included. */
  readonly reachable: (group: ModelGroup) => readonly ModelGroup[]
}

interface Target {
  readonly price: Price
  readonly model: string
  readonly maxOutputTokens: number | undefined
  readonly contextWindow: number | undefined
}

/** Opens the price book when the first call asks, and remembers per group what its calls may cost. */
export function createPricing(parts: PricingParts): Pricing {
  let book: PriceBook | undefined
  let opening: Promise<void> | undefined
  const lookups = new WeakMap<Deployment, PriceLookup>()
  const targets = new WeakMap<ModelGroup, readonly Target[]>()

  const find = (deployment: Deployment): PriceLookup => {
    const known = lookups.get(deployment)
    if (known) return known
    if (!book) return { price: null, reason: 'The prices are not loaded yet.' }
    const lookup = book.find(toPriceQuery(deployment))
    lookups.set(deployment, lookup)
    return lookup
  }
  const targetsOf = (group: ModelGroup): readonly Target[] => {
    const known = targets.get(group)
    if (known) return known
    const found = parts
      .reachable(group)
      .flatMap(({ members }) => members.map(({ deployment }) => toTarget(deployment, find(deployment))))
    const distinct = found.filter((target, at) => found.findIndex((other) => isSame(other, target)) === at)
    targets.set(group, distinct)
    return distinct
  }

  return {
    ready() {
      if (book) return undefined
      opening ??= parts.open().then((opened) => {
        book = opened
      })
      return opening
    },
    find,
    requirePrices(group) {
      if (parts.unknownPrice === 'allow') return
      for (const { deployment } of group.members) {
        const { price, reason } = find(deployment)
        if (price) continue
        throw new GatewayError(
          'permission',
          `This model may not be called, because its price is not known. ${reason}`,
          {
            code: 'unknown_price',
            param: 'model',
          },
        )
      }
    },
    estimate(call, markUp) {
      const at = parts.clock.now()
      const estimates = targetsOf(call.group).map(({ price, ...bounds }) =>
        estimateCost(call.planned, price, { at, ...bounds }),
      )
      const pico = estimates.reduce((most, one) => (one.pico > most ? one.pico : most), 0n)
      const charged = multiply(pico * BigInt(parts.billedAttempts), markUp)
      return {
        charged: () => charged,
        inputTokens: Math.max(0, ...estimates.map(({ inputTokens }) => inputTokens)),
        outputTokens: Math.max(0, ...estimates.map(({ outputTokens }) => outputTokens)),
      }
    },
  }
}

/** What is asked of the price book about a deployment. */
export function toPriceQuery({ provider, model, info, prices }: Deployment): Parameters<PriceBook['find']>[0] {
  // Checked when the deployment was made.
  const own = prices && PriceOptions.parse(prices)
  return { provider, model, baseModel: stringOf(info['base_model']), own }
}

// Its tokens count all the same.
const noPrice = toPrice({ input: 0, output: 0 }, 'fallback', 'a model without a price')

function toTarget(deployment: Deployment, { price }: PriceLookup): Target {
  const { provider, model, capabilities } = deployment
  const { maxOutputTokens, contextWindow } = capabilitiesOf(provider, model, capabilities)
  return { price: price ?? noPrice, model, maxOutputTokens, contextWindow }
}

function isSame(a: Target, b: Target): boolean {
  return (
    a.price === b.price &&
    a.model === b.model &&
    a.maxOutputTokens === b.maxOutputTokens &&
    a.contextWindow === b.contextWindow
  )
}
