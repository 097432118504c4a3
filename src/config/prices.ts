import { type PriceOptions, toScaledInteger } from '../catalog/prices/index.js'
import { isObject, type JsonObject } from '../wire/json.js'

/** What a LiteLLM deployment says about prices. */
export interface LiteLLMPrices {
  /** Undefined where it says nothing that is understood. */
  readonly price: PriceOptions | undefined
  /** Names of prices that are not understood, or are no numbers; to be warned about. */
  readonly ignored: readonly string[]
}

type Sheet = Record<string, string>

interface Draft {
  readonly base: Sheet
  readonly tiers: Map<number, Sheet>
  readonly serviceTiers: Map<string, { readonly base: Sheet; readonly tiers: Map<number, Sheet> }>
  readonly flat: Sheet
  readonly ignored: string[]
}

/** LiteLLM's names of rates per token, by ours. */
const tokenKeys: Readonly<Record<string, string>> = {
  input_cost_per_token: 'input',
  output_cost_per_token: 'output',
  cache_read_input_token_cost: 'cacheRead',
  input_cost_per_token_cache_hit: 'cacheRead',
  cache_creation_input_token_cost: 'cacheWrite',
  cache_creation_input_token_cost_above_1hr: 'cacheWrite1h',
  input_cost_per_audio_token: 'audioInput',
  output_cost_per_audio_token: 'audioOutput',
  cache_read_input_audio_token_cost: 'cacheReadAudio',
  input_cost_per_image_token: 'imageInput',
  output_cost_per_image_token: 'imageOutput',
  cache_read_input_image_token_cost: 'cacheReadImage',
  input_cost_per_video_token: 'videoInput',
  output_cost_per_reasoning_token: 'reasoning',
  citation_cost_per_token: 'citation',
}

/** LiteLLM's names of prices for one of something, by ours. */
const eachKeys: Readonly<Record<string, string>> = {
  input_cost_per_request: 'perRequest',
  input_cost_per_query: 'perRequest',
  input_cost_per_second: 'perSecond',
  output_cost_per_second: 'perSecond',
  output_cost_per_image: 'perImage',
}

const serviceTierNames: Readonly<Record<string, string>> = { priority: 'priority', flex: 'flex', batches: 'batch' }
const serviceTier = /_(priority|flex|batches)$/
const threshold = /_above_(\d+)k_tokens/
const looksLikePrice = /(?:^|_)costs?(?:_|$)|^tiered_pricing$/

/** True for a parameter of a deployment that speaks of prices, understood or not. */
export function isPriceKey(key: string): boolean {
  return looksLikePrice.test(key)
}

/**
 * The prices among the parameters of a LiteLLM deployment (`litellm_params`, `model_info`), in dollars per token there.
 * As there, one price of a deployment's own hides the published ones: a rate that is not named is 0, only caches cost as
 * input.
 */
export function pricesFromLiteLLM(params: JsonObject): LiteLLMPrices {
  const draft: Draft = { base: {}, tiers: new Map(), serviceTiers: new Map(), flat: {}, ignored: [] }
  for (const [key, value] of Object.entries(params)) {
    if (value === null || value === undefined || !isPriceKey(key)) continue
    if (!readKey(draft, key, value)) draft.ignored.push(key)
  }
  const isEmpty = [draft.base, draft.flat].every((sheet) => Object.keys(sheet).length === 0)
  const hasMore = draft.tiers.size > 0 || draft.serviceTiers.size > 0
  return { price: isEmpty && !hasMore ? undefined : toOptions(draft), ignored: draft.ignored }
}

function toOptions({ base, tiers, serviceTiers, flat }: Draft): PriceOptions {
  const toTiers = (steps: ReadonlyMap<number, Sheet>) =>
    [...steps].map(([abovePromptTokens, sheet]) => ({ abovePromptTokens, ...sheet }))
  const services = [...serviceTiers].map(([name, sheet]) => {
    const steps = toTiers(sheet.tiers)
    return [name, { ...sheet.base, ...(steps.length > 0 && { tiers: steps }) }]
  })
  return {
    input: '0',
    output: '0',
    ...base,
    ...flat,
    ...(tiers.size > 0 && { tiers: toTiers(tiers) }),
    ...(services.length > 0 && { serviceTiers: Object.fromEntries(services) }),
  }
}

/** False where the key or its value is not understood. */
function readKey(draft: Draft, key: string, value: unknown): boolean {
  if (key === 'tiered_pricing') return readRanges(draft, value)
  if (key === 'search_context_cost_per_query') return readSearches(draft, value)
  const each = own(eachKeys, key)
  if (each !== undefined) return addTo(draft.flat, each, dollarsEach(value))
  const tier = own(serviceTierNames, serviceTier.exec(key)?.[1] ?? '')
  const above = threshold.exec(key)?.[1]
  const name = own(tokenKeys, key.replace(serviceTier, '').replace(threshold, ''))
  if (name === undefined) return false
  const place = tier === undefined ? draft : mapped(draft.serviceTiers, tier, () => ({ base: {}, tiers: new Map() }))
  const sheet = above === undefined ? place.base : mapped(place.tiers, Number(above) * 1000, () => ({}))
  return addTo(sheet, name, perMillion(value))
}

/** Ranges of prompt sizes, each with rates of its own; the lowest one's are the standard ones. */
function readRanges(draft: Draft, value: unknown): boolean {
  if (!Array.isArray(value)) return false
  return value.every((entry) => {
    const range: unknown = isObject(entry) ? entry['range'] : undefined
    const from: unknown = Array.isArray(range) ? range[0] : undefined
    if (!isObject(entry) || typeof from !== 'number' || !Number.isSafeInteger(from) || from < 0) return false
    const sheet = from === 0 ? draft.base : mapped(draft.tiers, from, () => ({}))
    return Object.entries(entry).every(([key, rate]) => {
      const name = own(tokenKeys, key)
      return key === 'range' || (name !== undefined && addTo(sheet, name, perMillion(rate)))
    })
  })
}

/** LiteLLM knows three sizes of search; the middle one is the default. */
function readSearches(draft: Draft, value: unknown): boolean {
  if (!isObject(value)) return false
  const medium = value['search_context_size_medium'] ?? value['search_context_size_low']
  return addTo(draft.flat, 'perWebSearch', dollarsEach(medium))
}

function own(table: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

function mapped<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const value = map.get(key) ?? create()
  map.set(key, value)
  return value
}

function addTo(sheet: Sheet, name: string, decimal: string | undefined): boolean {
  if (decimal === undefined) return false
  // Time is charged for input and for output; it is the same time.
  const before = name === 'perSecond' ? sheet[name] : undefined
  sheet[name] = before === undefined ? decimal : toDecimal(toPico(before, 12) + toPico(decimal, 12), 12)
  return true
}

/** Dollars per token as dollars per million, to the pico-dollar per token: floating-point noise ends there. */
const perMillion = (value: unknown): string | undefined => scaled(value, 6)
const dollarsEach = (value: unknown): string | undefined => scaled(value, 12)

function scaled(value: unknown, digits: number): string | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const pico = toScaledInteger(value, 12)
  return pico && toDecimal(pico.integer, digits)
}

const toPico = (value: string, digits: number): bigint => toScaledInteger(value, digits)?.integer ?? 0n

function toDecimal(integer: bigint, digits: number): string {
  const text = String(integer).padStart(digits + 1, '0')
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`.replace(/\.?0+$/, '')
}
