import { isObject, type JsonObject } from '../wire/json.js'
import { documentedMembers } from '../wire/known-members.js'

/** What a request says in members that OpenAI does not document; whether they have an effect is up to the provider. */
export interface NativeMembers {
  /** The highest limit of output tokens; 0 for none. */
  readonly outputTokens: number
  /** The most answers that are asked for; at least 1. */
  readonly answers: number
  readonly speaks: boolean
  readonly searches: boolean
}

type OpenMembers = { -readonly [Name in keyof NativeMembers]: NativeMembers[Name] }

const none: NativeMembers = { outputTokens: 0, answers: 1, speaks: false, searches: false }

// Without capitals and underscores: `maxOutputTokens` and `max_output_tokens` are the same word.
const limits: ReadonlySet<string> = new Set([
  'maxcompletiontokens',
  'maxgenlen',
  'maximumtokens',
  'maxlength',
  'maxnewtokens',
  'maxoutputtokens',
  'maxtokencount',
  'maxtokens',
  'maxtokenstosample',
  'numpredict',
])
const counts: ReadonlySet<string> = new Set([
  'bestof',
  'candidatecount',
  'n',
  'numberofimages',
  'numgenerations',
  'numimages',
  'numimagesperprompt',
  'numoutputs',
  'numresults',
  'numreturnsequences',
  'numsamples',
  'samplecount',
])
const sound = /modalit|speech|audio|voice/i
const search = /^(?!disable).*search/i

/** Reads the members of a request that OpenAI does not document, and what stands within them. */
export function readNativeMembers(request: JsonObject): NativeMembers {
  let found: OpenMembers | undefined
  for (const name of Object.keys(request)) {
    if (!documentedMembers.has(name)) readMember((found ??= { ...none }), name, request[name])
  }
  return found ?? none
}

// As deep as any provider nests its parameters.
const deepest = 4

function readMember(found: OpenMembers, name: string, value: unknown, depth = 0): void {
  if (value === undefined || value === null || value === false) return
  const word = name.replaceAll(/[-_]/g, '').toLowerCase()
  if (limits.has(word)) found.outputTokens = Math.max(found.outputTokens, countOf(value) ?? 0)
  if (counts.has(word)) found.answers = Math.max(found.answers, countOf(value) ?? 1)
  if (sound.test(name)) found.speaks = true
  if (search.test(name) || isWebPlugin(name, value)) found.searches = true
  if (!isObject(value) || depth === deepest) return
  for (const [inner, part] of Object.entries(value)) readMember(found, inner, part, depth + 1)
}

/** OpenRouter's. */
function isWebPlugin(name: string, value: unknown): boolean {
  return (
    name === 'plugins' && Array.isArray(value) && value.some((plugin) => isObject(plugin) && plugin['id'] === 'web')
  )
}

/** Above everything that can be asked for, and small enough for products of several to stay finite. */
export const mostCounted = 1e15

/** A count of the request's as a whole number; nobody checked it where the gateway only passes it on. */
export function countOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined
  return Math.min(mostCounted, Math.max(0, Math.ceil(number)))
}
