import type { Price, RateName } from '../catalog/prices/index.js'
import type { Searching } from '../catalog/searching-models.js'
import { isObject, type JsonObject, stringOf } from '../wire/json.js'
import { countOf, type NativeMembers } from './native-members.js'

/** What is known of a model's searches. */
export interface SearchOptions {
  /** Whether the model searches by itself. @default 'asked'; 'research' at a price with a rate for citations */
  readonly searching?: Searching | undefined
  /** Searches that are expected of a request that lets the provider search without a limit. @default 10 */
  readonly webSearches?: number | undefined
}

/** How much a call searches, and what comes of it beside its answer. */
export interface SearchBound {
  readonly webSearches: number
  readonly citationTokens: number
  readonly reasoningTokens: number
  /** False where it may search: what is found becomes part of the prompt. */
  readonly isBounded: boolean
}

const defaultWebSearches = 10
// No request limits these; some 50 searches and 100,000 tokens of reasoning are common.
const research = { webSearches: 100, citationTokens: 100_000, reasoningTokens: 400_000 }

/** The searches that a request asks for or its model makes by itself; without a limit they are assumed. */
export function searchBound(
  request: JsonObject,
  price: Price,
  options: SearchOptions,
  native: NativeMembers,
): SearchBound {
  const hosted = hostedTools(request)
  const each = options.webSearches ?? defaultWebSearches
  const asked = askedSearches(request, hosted, each) + (native.searches ? each : 0)
  const searching = hasRate(price, 'citation') ? 'research' : options.searching
  const isBounded = hosted.length === 0 && asked === 0
  if (searching !== 'always' && searching !== 'research') {
    return { webSearches: asked, citationTokens: 0, reasoningTokens: 0, isBounded }
  }
  if (searching === 'always') {
    return { webSearches: Math.max(asked, each), citationTokens: 0, reasoningTokens: 0, isBounded: false }
  }
  return {
    webSearches: Math.max(asked, research.webSearches),
    citationTokens: research.citationTokens,
    // Where it has no rate of its own it is a part of the answer.
    reasoningTokens: hasRate(price, 'reasoning') ? research.reasoningTokens : 0,
    isBounded: false,
  }
}

const none: readonly JsonObject[] = []

/** Tools that run at the provider; what they find becomes part of the prompt. */
function hostedTools(request: JsonObject): readonly JsonObject[] {
  const tools: unknown = request['tools']
  if (!Array.isArray(tools)) return none
  return tools.filter(isObject).filter(({ type }) => type !== 'function' && type !== 'custom')
}

const search = /search/i

function askedSearches(request: JsonObject, hosted: readonly JsonObject[], assumed: number): number {
  const tools = hosted.filter((tool) => search.test(stringOf(tool['type']) ?? Object.keys(tool).join(' ')))
  const byTools = tools.reduce((sum, tool) => sum + (countOf(tool['max_uses']) ?? assumed), 0)
  return byTools + (isObject(request['web_search_options']) ? assumed : 0)
}

/** True where some rates of a price, at any time, in any tier and for any size, name this one. */
function hasRate({ variants }: Price, name: RateName): boolean {
  return variants.some(({ serviceTiers, ...standard }) =>
    [standard, ...Object.values(serviceTiers)].some(
      ({ rates, tiers }) => rates[name] !== undefined || tiers.some((tier) => tier.rates[name] !== undefined),
    ),
  )
}
