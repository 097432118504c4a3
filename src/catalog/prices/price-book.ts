import { LRUCache } from 'lru-cache'
import { type PriceCatalog, loadCatalog } from './catalog.js'
import { priceNames } from './catalog-names.js'
import { overlay } from './overlay.js'
import type { Price } from './price.js'
import { type PriceOptions, type PriceTable, toPrice } from './price-options.js'
import { withServiceTiers } from './service-tiers.js'

/** Which model a price is wanted for. */
export interface PriceQuery {
  /** The provider's name. */
  readonly provider: string
  /** The model's name at the provider. */
  readonly model: string
  /** What the model really is, where its name does not tell: a deployment on Azure. Asked for after the model's own name. */
  readonly baseModel?: string | undefined
  /** The deployment's own price; it hides every other. */
  readonly own?: PriceOptions | undefined
}

/** A price, or why there is none. */
export type PriceLookup =
  | { readonly price: Price; readonly reason: undefined }
  | { readonly price: null; readonly reason: string }

/** Finds what a model costs. Answers are remembered; the catalog is asked once per model. */
export interface PriceBook {
  /** Never guesses: a model that is not listed under exactly its name has no price. */
  find(query: PriceQuery): PriceLookup
}

/** Where prices come from. */
export interface PriceBookOptions {
  /** The host's prices, by `provider/model` or `model`; they hide ours. @default none */
  readonly prices?: PriceTable | undefined
  /** What a model without a price is taken to cost; calls are flagged all the same. @default none */
  readonly fallback?: PriceOptions | undefined
  /** @default the catalog that comes with the package */
  readonly loadCatalog?: (() => Promise<PriceCatalog>) | undefined
}

// Callers name models where a wildcard deployment takes any.
const remembered = 5000

/**
 * Opens the price book. Never rejects: without its catalog it still knows the host's prices and our own table, and says
 * what it lacks in the reason of every lookup that fails.
 */
export async function openPriceBook(options: PriceBookOptions = {}): Promise<PriceBook> {
  const catalog = await (options.loadCatalog ?? loadCatalog)().catch(() => undefined)
  const host = new Map(Object.entries(options.prices ?? {}).map(([name, price]) => [name.toLowerCase(), price]))
  const own = new WeakMap<PriceOptions, Price>()
  const known = new LRUCache<string, PriceLookup>({ max: remembered })

  const toOwn = (price: PriceOptions, { provider, model }: PriceQuery): PriceLookup => {
    const found = own.get(price) ?? toPrice(price, 'deployment', `${provider}/${model}`)
    own.set(price, found)
    return { price: found, reason: undefined }
  }

  const findPublished = (provider: string, model: string): Price | undefined => {
    const price = fromOverlay(provider, model) ?? catalog?.find(provider, model)
    return price && withServiceTiers(price, provider)
  }

  const search = ({ provider, model, baseModel }: PriceQuery): PriceLookup => {
    const models = baseModel === undefined ? [model] : [model, baseModel]
    const found =
      firstOf(models, (name) => fromHost(host, provider, name)) ??
      firstOf(models, (name) => findPublished(provider, name))
    if (found) return { price: found, reason: undefined }
    const name = `${provider}/${model}`
    if (options.fallback) return { price: toPrice(options.fallback, 'fallback', name), reason: undefined }
    const cause = catalog ? 'is listed' : 'could be looked up, because the price catalog did not load'
    return { price: null, reason: `No price of ${name} ${cause}. Set one in prices.` }
  }

  return {
    find(query) {
      if (query.own) return toOwn(query.own, query)
      const key = `${query.provider}\n${query.model}\n${query.baseModel ?? ''}`
      const remembered = known.get(key)
      if (remembered) return remembered
      const lookup = search(query)
      known.set(key, lookup)
      return lookup
    },
  }
}

function firstOf(models: readonly string[], find: (model: string) => Price | undefined): Price | undefined {
  for (const model of models) {
    const price = find(model)
    if (price) return price
  }
  return undefined
}

function fromHost(prices: ReadonlyMap<string, PriceOptions>, provider: string, model: string): Price | undefined {
  const name = model.toLowerCase()
  const price = prices.get(`${provider}/${name}`) ?? prices.get(name)
  return price && toPrice(price, 'host', `${provider}/${model}`)
}

function fromOverlay(provider: string, model: string): Price | undefined {
  const table = Object.hasOwn(overlay, provider) ? overlay[provider] : undefined
  const name = table && priceNames(provider, model).find((candidate) => Object.hasOwn(table, candidate))
  const price = name === undefined ? undefined : table?.[name]
  return name !== undefined && price ? toPrice(price, 'overlay', name) : undefined
}
