/** What one kind of token costs, in pico-dollars (10⁻¹² US dollars) per token. */
export const tokenRateNames = [
  'input',
  'cacheRead',
  'cacheWrite',
  'cacheWrite1h',
  'audioInput',
  'cacheReadAudio',
  'imageInput',
  'cacheReadImage',
  'videoInput',
  'output',
  'reasoning',
  'audioOutput',
  'imageOutput',
  'citation',
] as const

/** A rate per token. */
export type TokenRateName = (typeof tokenRateNames)[number]

/** A rate per token, per request, per web search, or per hour of sound or of computing. */
export type RateName = TokenRateName | 'request' | 'webSearch' | 'hour'

/** Pico-dollars per token, request, search or hour; what is not there is not known, and never means free. */
export type Rates = { readonly [Name in RateName]?: bigint }

/** Rates that replace others where a prompt, cached tokens included, has more tokens than `above`. */
export interface PriceTier {
  readonly above: number
  readonly rates: Rates
}

/** Rates with their tiers, lowest threshold first. */
export interface PriceSheet {
  readonly rates: Rates
  readonly tiers: readonly PriceTier[]
}

/** When a variant holds: from a moment on (milliseconds since the epoch), or daily between two seconds of a UTC day. */
export type PriceTime = { readonly since: number } | { readonly fromSecond: number; readonly untilSecond: number }

/** A sheet that holds at some time, with those of the service tiers; what a tier leaves out costs as without it. */
export interface PriceVariant extends PriceSheet {
  /** Undefined: always. */
  readonly time: PriceTime | undefined
  /** By name: `flex`, `priority`, `batch` … */
  readonly serviceTiers: Readonly<Record<string, PriceSheet>>
}

/** What one image of a size and quality costs; undefined means any. */
export interface ImagePrice {
  readonly size: string | undefined
  readonly quality: string | undefined
  /** Pico-dollars. */
  readonly pico: bigint
}

/** Where a price comes from; a `fallback` is the host's guess for models without a price. */
export type PriceSource = 'deployment' | 'host' | 'overlay' | 'catalog' | 'fallback'

/** Everything a provider charges for one model. */
export interface Price {
  readonly source: PriceSource
  /** The name it was found under. */
  readonly name: string
  /** The last one whose time has come counts; the first one always holds. */
  readonly variants: readonly [PriceVariant, ...PriceVariant[]]
  /** The first one that fits counts, so the default size and quality come first. */
  readonly images: readonly ImagePrice[]
}
