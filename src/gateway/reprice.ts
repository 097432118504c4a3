import { type PricedDeployment, type Pricing } from '../call/accounts/pricing.js'
import { scopeKey } from '../call/accounts/mark-ups.js'
import { toPriceRecord } from '../call/accounts/ledger-entries.js'
import type { ChargedScope, LedgerEntry, RepricedEntry, ScopeRef } from '../ports/ledger.js'
import { type Circumstances, costOf, isTimed, multiply, noUsage, toFactor } from '../spend/index.js'
import { type JsonObject, isObject, numberOf, stringOf } from '../wire/json.js'

/** A row with its price of today. */
export type RepricedRow = RepricedEntry

/** What a row is priced with. */
export interface RepriceParts {
  readonly pricing: Pick<Pricing, 'findNow'>
  /** The deployment of this id as it is now; undefined where it is gone, and the published price of its model counts. */
  readonly findDeployment: (id: string) => PricedDeployment | undefined
}

/** Prices a row anew; undefined where no more is known than when it was written. */
export function repriceRow(row: LedgerEntry, { pricing, findDeployment }: RepriceParts): RepricedRow | undefined {
  const { provider, model } = row
  const deployment = findDeployment(row.deployment) ?? { info: {}, prices: undefined }
  // A wildcard's own model is a pattern: what served the row tells the row.
  const { price } = pricing.findNow({ ...deployment, provider, model })
  if (!price) return undefined
  const usage = { ...noUsage, ...row.usage, estimated: row.estimated }
  const circumstances = circumstancesOf(row)
  const markUp = toFactor(stringOf(row.price?.['markUp']) ?? 1)
  const told = row.price?.['scopeMarkUps']
  const scopeMarkUps = isObject(told) ? told : undefined
  const cost = costOf(isTimed(price) ? { ...usage, milliseconds: row.latencyMs } : usage, price, circumstances)
  if (!cost.priced && cost.pico === row.cost) return undefined
  return {
    id: row.id,
    cost: cost.pico,
    charged: row.billable ? multiply(cost.pico, markUp) : 0n,
    scopes: row.scopes.map((scope) => toCharged(scope, scopeMarkUps, row.billable ? cost.pico : 0n)),
    price: toPriceRecord({ price, cost, markUp, scopeMarkUps, circumstances, dated: row.at - row.latencyMs }),
    priced: cost.priced,
  }
}

/** A scope with what it is charged where it has a mark-up of its own. */
function toCharged({ kind, id }: ScopeRef, markUps: JsonObject | undefined, cost: bigint): ChargedScope {
  const own = stringOf(markUps?.[scopeKey({ kind, id })])
  return own === undefined ? { kind, id } : { kind, id, charged: multiply(cost, toFactor(own)) }
}

/** What `toPriceRecord` kept of them. */
function circumstancesOf({ at, latencyMs, price }: LedgerEntry): Circumstances {
  const told = price?.['circumstances']
  const kept = isObject(told) ? told : {}
  return {
    at: numberOf(kept['at']) ?? at - latencyMs,
    serviceTier: stringOf(kept['serviceTier']),
    region: stringOf(kept['region']),
    imageSize: stringOf(kept['imageSize']),
    imageQuality: stringOf(kept['imageQuality']),
    requests: numberOf(kept['requests']),
  }
}
