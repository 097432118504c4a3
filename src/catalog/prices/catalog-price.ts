import type { ModelInfo } from '@pydantic/genai-prices'
import { isObject, numberOf } from '../../wire/json.js'
import { toScaledInteger } from './decimal.js'
import type { Price, PriceTier, PriceTime, PriceVariant, RateName, Rates } from './price.js'

interface Field {
  readonly rate: RateName
  /** Digits between the catalog's unit and pico-dollars for one: 6 for a million, 9 for a thousand, 12 for one. */
  readonly digits: number
}

const perMillion = (rate: RateName): Field => ({ rate, digits: 6 })
const perThousand = (rate: RateName): Field => ({ rate, digits: 9 })

// Of the other fields (pages, storage searches, messages by voice) no operation of ours makes use.
const fields: Readonly<Record<string, Field>> = {
  input_mtok: perMillion('input'),
  cache_read_mtok: perMillion('cacheRead'),
  cache_write_mtok: perMillion('cacheWrite'),
  cache_write_1h_mtok: perMillion('cacheWrite1h'),
  input_audio_mtok: perMillion('audioInput'),
  cache_audio_read_mtok: perMillion('cacheReadAudio'),
  input_image_mtok: perMillion('imageInput'),
  cache_image_read_mtok: perMillion('cacheReadImage'),
  input_video_mtok: perMillion('videoInput'),
  output_mtok: perMillion('output'),
  output_reasoning_mtok: perMillion('reasoning'),
  output_audio_mtok: perMillion('audioOutput'),
  output_image_mtok: perMillion('imageOutput'),
  output_citation_mtok: perMillion('citation'),
  web_searches_kcount: perThousand('webSearch'),
  requests_kcount: perThousand('request'),
  audio_hours: { rate: 'hour', digits: 12 },
}

/** The price of a model of the catalog; undefined where it names none. */
export function fromCatalog(model: ModelInfo, name: string): Price | undefined {
  const listed = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }]
  const variants = listed.flatMap(({ constraint, prices }): PriceVariant[] => {
    const time = constraint && toTime(constraint)
    if (constraint && time === undefined) return []
    return [{ time, ...withLongCacheWrites(toSheet(prices), name), serviceTiers: {} }]
  })
  const [first, ...rest] = variants.map((variant) => freeIfSaid(variant, name))
  const isPriced = first !== undefined && [first, ...rest].some(({ rates }) => Object.keys(rates).length > 0)
  return isPriced ? { source: 'catalog', name, variants: [first, ...rest], images: [] } : undefined
}

type Constraint = Readonly<Record<string, unknown>>

function toTime(constraint: object): PriceTime | undefined {
  const { start_date: date, start_time: from, end_time: until } = constraint as Constraint
  if (typeof date === 'string') return { since: Date.parse(date) }
  const [fromSecond, untilSecond] = [secondOfDay(from), secondOfDay(until)]
  return fromSecond === undefined || untilSecond === undefined ? undefined : { fromSecond, untilSecond }
}

/** The second of the UTC day of a time such as `16:30:00Z` or `00:30:00+08:00`. */
function secondOfDay(time: unknown): number | undefined {
  const match = typeof time === 'string' ? /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(time) : null
  if (!match) return undefined
  const [, hours, minutes, seconds, zone = 'Z'] = match
  const shift =
    zone === 'Z' ? 0 : (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))) * (zone[0] === '-' ? -60 : 60)
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) - shift + 86_400) % 86_400
}

interface Sheet {
  readonly rates: Rates
  readonly tiers: readonly PriceTier[]
}

function toSheet(prices: Readonly<Record<string, unknown>>): Sheet {
  const rates: { [Name in RateName]?: bigint } = {}
  const tiers = new Map<number, { [Name in RateName]?: bigint }>()
  for (const [key, value] of Object.entries(prices)) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined
    const base = isObject(value) ? value['base'] : value
    if (!field || typeof base !== 'number') continue
    rates[field.rate] = toRate(base, field)
    for (const { start, price } of tiersIn(value)) {
      tiers.set(start, { ...tiers.get(start), [field.rate]: toRate(price, field) })
    }
  }
  const sorted = [...tiers].map(([above, tier]) => ({ above, rates: tier }))
  return { rates, tiers: sorted.toSorted((a, b) => a.above - b.above) }
}

/** A few rates are thirds of a cent in floating point; they count to the nearest pico-dollar. */
const toRate = (price: number, { digits }: Field): bigint => toScaledInteger(price, digits)?.integer ?? 0n

function tiersIn(value: unknown): readonly { start: number; price: number }[] {
  const listed: unknown = isObject(value) ? value['tiers'] : undefined
  if (!Array.isArray(listed)) return []
  return listed.filter(isObject).flatMap((tier) => {
    const [start, price] = [numberOf(tier['start']), numberOf(tier['price'])]
    return start === undefined || price === undefined ? [] : [{ start, price }]
  })
}

/**
 * Claude's caches that live for an hour cost twice the input wherever Claude is served; the catalog tells it only for
 * Anthropic's own API.
 * @see https://platform.claude.com/docs/en/build-with-claude/prompt-caching#pricing
 */
function withLongCacheWrites({ rates, tiers }: Sheet, name: string): Sheet {
  if (!name.includes('claude') || rates.cacheWrite1h !== undefined) return { rates, tiers }
  const completed = (part: Rates): Rates =>
    part.input === undefined || part.cacheWrite === undefined ? part : { ...part, cacheWrite1h: part.input * 2n }
  return { rates: completed(rates), tiers: tiers.map(({ above, rates: part }) => ({ above, rates: completed(part) })) }
}

/** An empty record is a price nobody knows, unless the model's name says that it is free. */
function freeIfSaid(variant: PriceVariant, name: string): PriceVariant {
  const isFree = Object.keys(variant.rates).length === 0 && name.endsWith(':free')
  return isFree ? { ...variant, rates: { input: 0n, output: 0n } } : variant
}
