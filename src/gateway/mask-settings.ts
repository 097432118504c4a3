import { Secret } from '../secret.js'
import type { JsonObject } from '../wire/json.js'

/** What stands for a value that is not shown. */
export const hidden = '***'

/**
 * Settings whose texts are names and words of the gateway's own, never credentials; everything below them is shown. Any
 * other text is hidden, as nobody knows what a host puts there.
 */
const shown: ReadonlySet<string> = new Set(
  `name type mode on fail action actions entities id model modelName provider region tags tag strategy affinity tagMatch
   midStream aliases fallbacks contextWindowFallbacks contentPolicyFallbacks defaultFallbacks scope allowScopes operations
   ignoreFields unknownPrice onStoreFailure budgetDuration timeZone format window apiVersion bodies allow allowHosts
   privateNetworks auth stores`
    .trim()
    .split(/\s+/),
)

/** Settings as they may be seen: numbers, switches and structure as they are, texts only where they are harmless. */
export function maskSettings(settings: Readonly<Record<string, unknown>>): JsonObject {
  return maskMembers(settings, false)
}

function maskMembers(settings: Readonly<Record<string, unknown>>, isShown: boolean): JsonObject {
  const set = Object.entries(settings).filter(([, value]) => value !== undefined)
  return Object.fromEntries(set.map(([name, value]) => [name, mask(value, isShown || shown.has(name))]))
}

function mask(value: unknown, isShown: boolean): unknown {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'string') return isShown ? value : hidden
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'function') return 'a function of the host'
  if (value instanceof Secret) return hidden
  if (Array.isArray(value) || value instanceof Set) return [...value].map((member) => mask(member, isShown))
  if (typeof value !== 'object') return hidden
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = prototype === Object.prototype || prototype === null
  if (!isPlain || Object.values(value).some((member) => typeof member === 'function')) return 'an object of the host'
  return maskMembers({ ...value }, isShown)
}

/** Where an address leads, without credentials and query. */
export function maskAddress(address: string | undefined): string | undefined {
  if (address === undefined) return undefined
  if (!URL.canParse(address)) return hidden
  const { origin, pathname } = new URL(address)
  // A path may hold an account's id, or a token of a webhook: the first part tells enough.
  const [, first = ''] = pathname.split('/')
  return pathname === '/' ? origin : `${origin}/${first}${pathname.length > first.length + 1 ? '/…' : ''}`
}
