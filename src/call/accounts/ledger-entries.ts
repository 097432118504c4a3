import type { PriceSource } from '../../catalog/prices/index.js'
import type { Scope } from '../../ports.js'
import type { ChargedScope, LedgerEntry, ScopeRef } from '../../ports/ledger.js'
import type { AttemptEntry } from '../../router/trail.js'
import type { AttemptPart } from '../../upstream/call-signal.js'
import {
  type Circumstances,
  type Cost,
  type CountedBeside,
  type Factor,
  type PlannedCall,
  type UsageBuckets,
  addBuckets,
  circumstancesOf,
  completionTokens,
  costOf,
  estimatedBuckets,
  imagesIn,
  isTimed,
  multiply,
  quantities,
  reportedCost,
  toBuckets,
  toDecimal,
  toDollars,
  tokenlessBuckets,
  unpricedCost,
} from '../../spend/index.js'
import { type JsonObject, isObject, stringOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import type { Deployment } from '../../deployment.js'
import type { AccountTools, CachedOrigin, RecordedCall } from './accounts.js'
import { type MarkUps, scopeKey } from './mark-ups.js'
import type { Pricing } from './pricing.js'

/** What the rows of one call have in common. */
export interface CallFacts {
  readonly call: RecordedCall
  readonly scopes: readonly Scope[]
  readonly markUps: MarkUps
}

/** What rows are made with. */
export type RowTools = Pick<AccountTools, 'pricing' | 'clock' | 'createId'>

// An error inside an answer with status 200 is a refusal like any other.
const brokenOff: ReadonlySet<string> = new Set(['stream_truncated', 'upstream_invalid', 'upstream_connection'])

/**
 * True for what a provider bills: what it has generated for us, whether or not all of it arrived. That is every answer,
 * those that broke off, and what was under way when we left: for the client, for a deadline, for another attempt that won.
 * A refusal, or a connection that broke before anything came, is not billed.
 *
 * What an attempt that was cut short costs is known to the provider alone. Its row has the input that the provider told,
 * else our estimate of it, and the output that reached us; it is marked `aborted`, and `estimated` where anything of it is.
 */
export function isBilled(entry: AttemptEntry): boolean {
  return entry.outcome === 'answered' || entry.parts.some(({ answered }) => answered) || isBilledUnanswered(entry)
}

/** The same for the request that was under way, which of a call in several is the first without an answer. */
function isBilledUnanswered(entry: AttemptEntry): boolean {
  const { outcome, failure, partSent, accepted, usage, receivedCharacters } = entry
  if (!partSent || outcome === 'running') return false
  if (outcome === 'cancelled' || usage !== undefined || receivedCharacters > 0) return true
  return failure !== undefined && (failure.kind === 'timeout' || (accepted && brokenOff.has(failure.kind)))
}

/** Of a call in several requests those that were billed; undefined for one in a single request. */
function billedParts(entry: AttemptEntry): readonly AttemptPart[] | undefined {
  const { parts, outcome } = entry
  if (parts.length === 0 || outcome === 'answered') return parts.length === 0 ? undefined : parts
  const answered = parts.filter((part) => part.answered)
  return isBilledUnanswered(entry) ? parts.slice(0, answered.length + 1) : answered
}

const charactersPerToken = 4

/** The row of one attempt that was billed. `at`: when its call ended, in milliseconds since the epoch. */
export function toLedgerEntry(
  entry: AttemptEntry,
  facts: CallFacts & { readonly at: number },
  tools: RowTools,
): LedgerEntry {
  const { call, markUps, at } = facts
  const { pricing, clock } = tools
  const { target: deployment, outcome, failure, billable } = entry
  const endedAt = entry.endedAt ?? clock.now()
  const { price, reason } = pricing.find(deployment)
  // The deployment's defaults say what images cost, and how many were asked for where none came; of everything else the
  // provider tells the usage.
  const sent = call.planned.operation === 'images' ? pricing.sent(call.planned, deployment) : call.planned
  const beside = {
    images: call.planned.operation === 'images' ? (entry.listed ?? imagesOf(sent)) : 0,
    milliseconds: price && isTimed(price) ? timeOf(deployment, endedAt - entry.startedAt) : 0,
  }
  const { provider, id, model } = deployment
  const bill = billOf(entry, pricing)
  const reported = typeof bill === 'object' ? bill : undefined
  const usage = usageOf(entry, call, beside, { pricing, isTold: reported !== undefined })
  const circumstances = toCircumstances(entry, sent)
  const cost = reported ?? (price ? costOf(usage, price, circumstances) : unpricedCost(reason))
  const pricedBy: PricedRow['price'] = reported ? { source: 'reported', name: `${provider}/${model}` } : price
  const refs = refsOf(facts, { provider, deployment: id, modelName: entry.modelName })
  const { markUp, scopeMarkUps } = toTerms(markUps)
  // One literal: a spread of this many members costs more than all the rest.
  return {
    id: tools.createId(),
    callId: call.callId,
    at,
    operation: call.planned.operation,
    caller: call.caller.id,
    modelName: call.group.name,
    tags: tagsOf(call),
    endUser: endUserOf(call),
    metadata: metadataOf(call),
    scopes: withCharges(refs, markUps, billable ? cost.pico : 0n),
    deployment: id,
    provider,
    model,
    usage: countsOf(usage),
    price: toPriceRecord({
      price: pricedBy,
      cost,
      markUp,
      scopeMarkUps,
      circumstances,
      dated: at - (endedAt - entry.startedAt),
    }),
    cost: cost.pico,
    charged: billable ? multiply(cost.pico, markUps.call) : 0n,
    priced: cost.priced,
    estimated: usage.estimated || bill === 'unbelievable',
    aborted: outcome !== 'answered',
    cached: false,
    billable,
    latencyMs: endedAt - entry.startedAt,
    firstTokenMs: entry.firstTokenMs,
    status: failure?.status ?? 200,
    failure: failure?.kind,
  }
}

/** The row of an answer from the cache, which costs nothing. */
export function toCachedEntry(origin: CachedOrigin, facts: CallFacts, tools: RowTools): LedgerEntry {
  const { call } = facts
  return {
    id: tools.createId(),
    callId: call.callId,
    at: tools.clock.now(),
    operation: call.planned.operation,
    caller: call.caller.id,
    modelName: call.group.name,
    tags: tagsOf(call),
    endUser: endUserOf(call),
    metadata: metadataOf(call),
    ...origin,
    // A scope of its own, so that sums by day tell how many answers came from the cache.
    scopes: [...refsOf(facts, { ...origin, modelName: call.group.name }), { kind: 'cache', id: 'hit' }],
    usage: {},
    price: null,
    cost: 0n,
    charged: 0n,
    priced: true,
    estimated: false,
    aborted: false,
    cached: true,
    billable: true,
    latencyMs: 0,
    firstTokenMs: undefined,
    status: 200,
    failure: undefined,
  }
}

// Labels come from clients: whatever they hold, a row is one that every store takes.
const longestLabel = 512
const mostTags = 100
const longestMetadata = 16_384

function tagsOf(call: RecordedCall): readonly string[] {
  const tags = call.readTags()
  const isShort = tags.length <= mostTags && tags.every(({ length }) => length <= longestLabel)
  return isShort ? tags : tags.slice(0, mostTags).map((tag) => tag.slice(0, longestLabel))
}

function endUserOf({ planned }: RecordedCall): string | undefined {
  return stringOf(planned.request['user'])?.slice(0, longestLabel)
}

/** Undefined also where it is more than labels, or no JSON. */
function metadataOf({ planned }: RecordedCall): JsonObject | undefined {
  const metadata: unknown = planned.request['metadata']
  if (!isObject(metadata)) return undefined
  try {
    return JSON.stringify(metadata).length <= longestMetadata ? metadata : undefined
  } catch {
    return undefined
  }
}

/** Who served a row; `modelName` is the group that was asked last. */
interface ServedBy {
  readonly provider: string
  readonly deployment: string
  readonly modelName: string
}

/** Each scope once, of a fallback's models both; only tags that the caller itself has are scopes. */
function refsOf({ call, scopes }: CallFacts, { provider, deployment, modelName }: ServedBy): readonly ScopeRef[] {
  const refs: ScopeRef[] = []
  const add = (kind: ScopeRef['kind'], id: string): void => {
    if (!refs.some((ref) => ref.id === id && ref.kind === kind)) refs.push({ kind, id })
  }
  for (const { kind, id } of scopes) add(kind, id)
  add('model', call.group.name)
  add('model', modelName)
  add('provider', provider)
  add('deployment', deployment)
  for (const tag of call.caller.tags ?? []) add('tag', tag)
  return refs
}

/** Names what a scope is charged where that is not what the row is. */
function withCharges(refs: readonly ScopeRef[], { others }: MarkUps, cost: bigint): readonly ChargedScope[] {
  if (!others) return refs
  return refs.map((ref) => {
    const own = others.get(scopeKey(ref))
    return own ? { ...ref, charged: multiply(cost, own) } : ref
  })
}

function toTerms({ call, others }: MarkUps): Pick<PricedRow, 'markUp' | 'scopeMarkUps'> {
  const scopeMarkUps = others && Object.fromEntries([...others].map(([key, factor]) => [key, toDecimal(factor)]))
  return { markUp: call, scopeMarkUps }
}

function imagesOf({ operation, request }: PlannedCall): number {
  return operation === 'images' ? imagesIn(request) : 0
}

function toCircumstances(entry: AttemptEntry, { request }: PlannedCall): Circumstances {
  const answer = { usage: entry.usage, service_tier: entry.serviceTier }
  return circumstancesOf({ at: entry.startedAt, request, answer, requests: billedParts(entry)?.length })
}

/** No attempt outlives its deadline, however late a busy process notices. */
function timeOf({ timeouts: { total } }: Deployment, milliseconds: number): number {
  return total === 0 ? milliseconds : Math.min(milliseconds, total)
}

/** What the provider itself bills for an attempt; undefined where it does not tell, or does not tell all of it. */
function billOf(entry: AttemptEntry, pricing: Pick<Pricing, 'costReport'>): ReturnType<typeof reportedCost> {
  const report = pricing.costReport(entry.target)
  if (!report) return undefined
  const usages = billedParts(entry)?.map(({ usage }) => usage) ?? [entry.told ?? entry.usage]
  return reportedCost(usages, report)
}

interface Reckoning {
  readonly pricing: Pick<Pricing, 'untold'>
  /** The provider has told its bill, and so all that was used. */
  readonly isTold: boolean
}

function usageOf(
  entry: AttemptEntry,
  { planned }: RecordedCall,
  beside: CountedBeside,
  { pricing, isTold }: Reckoning,
): UsageBuckets {
  const parts = entry.outcome === 'answered' ? undefined : billedParts(entry)
  if (parts) return usageOfParts(parts, entry, planned, beside, pricing)
  // The wire is checked where it comes in; what a provider leaves out, the buckets count as nothing.
  const told = toBuckets((entry.usage ?? (isTold ? entry.told : undefined)) as ChatUsage | undefined, beside)
  if ((entry.outcome === 'answered' || isTold) && told) return told
  if (planned.operation === 'images') return tokenlessBuckets(beside)
  const untold = pricing.untold(planned, entry.target)
  const received = Math.min(Math.ceil(entry.receivedCharacters / charactersPerToken), untold.outputTokens)
  const base = told ?? estimatedBuckets(untold.inputTokens, 0, beside)
  const missing = received - completionTokens(base)
  if (missing <= 0) return base
  return { ...base, outputText: base.outputText + missing, estimated: true }
}

/** Of a call that broke off between its requests: each as it was told, else by its share of the input. */
function usageOfParts(
  parts: readonly AttemptPart[],
  { target }: AttemptEntry,
  planned: PlannedCall,
  { milliseconds }: CountedBeside,
  pricing: Pick<Pricing, 'untold'>,
): UsageBuckets {
  const used = parts.map((part) => {
    // A part is a request of the same operation.
    const own = { ...planned, request: part.request } as PlannedCall
    const images = imagesOf(own)
    const told = toBuckets(part.usage as ChatUsage | undefined, { images })
    if (told || own.operation === 'images') return told ?? tokenlessBuckets({ images })
    return estimatedBuckets(pricing.untold(own, target).inputTokens, 0)
  })
  return used.reduce(addBuckets, tokenlessBuckets({ milliseconds }))
}

/** Only what was used. */
function countsOf(usage: UsageBuckets): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const name of quantities) if (usage[name] > 0) counts[name] = usage[name]
  return counts
}

/** A row's price, for `LedgerEntry.price`. */
export interface PricedRow {
  /** Where the price is from: one of ours, or the amount that the provider told. */
  readonly price: { readonly source: PriceSource | 'reported'; readonly name: string } | null
  readonly cost: Cost
  readonly markUp: Factor
  /** Decimals of the scopes that have another, by `kind:id`. */
  readonly scopeMarkUps: JsonObject | undefined
  readonly circumstances: Circumstances
  /** When the row itself says that its attempt began. */
  readonly dated: number
}

/** How the cost came about; where it may have to be priced again also what that depends on beside the row. */
export function toPriceRecord({
  price,
  cost,
  markUp,
  scopeMarkUps,
  circumstances,
  dated,
}: PricedRow): JsonObject | null {
  const known = price && { source: price.source, name: price.name, lines: cost.lines.map(toLine) }
  if (cost.priced) return known
  const { at, ...others } = circumstances
  const kept = { ...(at !== dated && { at }), ...others }
  const told = Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined && value !== false))
  const terms = {
    ...(Object.keys(told).length > 0 && { circumstances: told }),
    ...(markUp.numerator !== markUp.denominator && { markUp: toDecimal(markUp) }),
    ...(scopeMarkUps && { scopeMarkUps }),
  }
  return known || Object.keys(terms).length > 0 ? { ...known, ...terms } : null
}

function toLine({ bucket, quantity, rate, per, pico }: Cost['lines'][number]): JsonObject {
  return { bucket, quantity, rate: rate === null ? null : toDollars(rate), per, cost: toDollars(pico) }
}

/** Tokens of a row, input and output. */
export function tokensOf({ usage }: Pick<LedgerEntry, 'usage'>): number {
  const { webSearches = 0, images = 0, milliseconds = 0 } = usage
  let sum = 0
  for (const count of Object.values(usage)) sum += count
  return sum - webSearches - images - milliseconds
}
