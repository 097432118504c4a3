export { type PriceCatalog, createCatalog, loadCatalog } from './catalog.js'
export { toScaledInteger } from './decimal.js'
export {
  type ImagePrice,
  type Price,
  type PriceSheet,
  type PriceSource,
  type PriceTier,
  type PriceTime,
  type PriceVariant,
  type RateName,
  type Rates,
  type TokenRateName,
  tokenRateNames,
} from './price.js'
export {
  type PriceBook,
  type PriceBookOptions,
  type PriceLookup,
  type PriceQuery,
  openPriceBook,
} from './price-book.js'
export { lowerLimit, raiseToLimit } from './price-limit.js'
export { PriceOptions, PriceTable, toPrice } from './price-options.js'
