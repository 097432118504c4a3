import type { Price, PriceVariant } from '../catalog/prices/index.js'
import { isObject, type JsonObject, stringOf } from '../wire/json.js'
import { ratesIn, tierNames, type TierRates, variantsWithin } from './rate-card.js'

/** When a request may be sent; milliseconds since the epoch, `until` may be infinite. */
export interface SendingTime {
  readonly from: number
  readonly until: number
}

/**
 * Every set of rates that a request may be billed under, without those that another one covers: of each time of day it may
 * be sent at, those of the standard tier and of each listed tier that its provider may serve it in.
 */
export function possibleRates(
  price: Price,
  request: JsonObject,
  { from, until }: SendingTime,
): readonly [TierRates, ...TierRates[]] {
  const [first = price.variants[0], ...others] = variantsWithin(price, from, until)
  if (others.length > 0)
    return undominated([...ratesOf(first, request), ...others.flatMap((each) => ratesOf(each, request))])
  // Most requests say nothing of tiers, and are asked about all the time.
  if ((request['service_tier'] ?? request['serviceTier'] ?? request['speed'] ?? undefined) !== undefined) {
    return undominated(ratesOf(first, request))
  }
  const known = leftOpen.get(first) ?? undominated(ratesOf(first, request))
  leftOpen.set(first, known)
  return known
}

const leftOpen = new WeakMap<PriceVariant, AtLeastOne<TierRates>>()

function ratesOf(variant: PriceVariant, request: JsonObject): AtLeastOne<TierRates> {
  return [ratesIn(variant, undefined), ...tiersOf(variant, request)]
}

type AtLeastOne<T> = readonly [T, ...T[]]

/** Of rates that cover each other the first stays. */
function undominated(all: AtLeastOne<TierRates>): AtLeastOne<TierRates> {
  const [first = all[0], ...others] = all.filter(
    (rates, at) =>
      !all.some((other, place) => other !== rates && other.covers(rates) && (place < at || !rates.covers(other))),
  )
  return [first, ...others]
}

/** The word that leaves the tier to the provider, as saying nothing does. */
const open = 'auto'
// Batches go to another API, and only a request asks for a fast answer: no project's settings choose these.
const neverByDefault: ReadonlySet<string> = new Set(['batch', 'fast'])

/**
 * The rates of the tiers beside the standard one that may serve a request. OpenAI's `default` is the standard tier alone;
 * another word is its own tier or the standard one; `auto`, no word, and one that the price does not list, is whatever the
 * project's settings at the provider say.
 * @see https://developers.openai.com/api/docs/api-reference/chat/create#chat-create-service_tier
 */
function tiersOf(variant: PriceVariant, request: JsonObject): readonly TierRates[] {
  const listed = Object.keys(variant.serviceTiers)
  if (listed.length === 0) return []
  const asked = askedTiers(request)
  const speed = stringOf(request['speed'])
  // It is answered in the same word.
  const fast = speed && tierNames({ serviceTier: speed }).find((name) => listed.includes(name))
  const isLeftOpen = asked.length === 0 || asked.some((word) => isOpen(word, listed))
  const names = asked.flatMap((serviceTier) => tierNames({ serviceTier }))
  return listed
    .filter((name) => names.includes(name) || name === fast || (isLeftOpen && !neverByDefault.has(name)))
    .map((name) => ratesIn(variant, name))
}

/** The words for a tier that a request has: OpenAI's, and Amazon's own. */
function askedTiers(request: JsonObject): readonly string[] {
  const { service_tier: openai, serviceTier: amazon } = request
  return [openai, isObject(amazon) ? amazon['type'] : amazon].flatMap((word) => stringOf(word)?.toLowerCase() ?? [])
}

function isOpen(word: string, listed: readonly string[]): boolean {
  if (word === open) return true
  const names = tierNames({ serviceTier: word })
  return names.length > 0 && !names.some((name) => listed.includes(name))
}
