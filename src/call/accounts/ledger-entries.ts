import { estimateInputTokens } from '../../catalog/token-estimate.js'
import type { Clock, Scope } from '../../ports.js'
import type { LedgerEntry, ScopeRef } from '../../ports/ledger.js'
import type { AttemptEntry, CallTrail } from '../../router/trail.js'
import {
  type Circumstances,
  type Cost,
  type CountedBeside,
  type Factor,
  type UsageBuckets,
  completionTokens,
  costOf,
  estimatedBuckets,
  multiply,
  toBuckets,
  toDollars,
  tokenlessBuckets,
  unpricedCost,
} from '../../spend/index.js'
import { type JsonObject, isObject, stringOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import type { BilledCall, CachedOrigin } from './accounts.js'
import type { Pricing } from './pricing.js'

/** What the rows of one call have in common. */
export interface CallFacts {
  readonly call: BilledCall
  readonly scopes: readonly Scope[]
  readonly markUp: Factor
  readonly pricing: Pricing
  readonly clock: Clock
  readonly createId: () => string
}

/** One row for every attempt that its provider bills, or the one row of an answer from the cache. */
export function toLedgerEntries(trail: CallTrail, facts: CallFacts, cached?: CachedOrigin): readonly LedgerEntry[] {
  if (cached) return [toCachedEntry(cached, facts)]
  return trail.entries.filter(isBilled).map((entry) => toEntry(entry, facts))
}

/**
 * Providers bill what they have generated: answers, also those that broke off, and what was under way when we left.
 * A refusal, or a connection that brought nothing, is not billed.
 */
function isBilled({ outcome, sent, usage, receivedCharacters }: AttemptEntry): boolean {
  if (outcome === 'answered') return true
  return sent && (outcome === 'cancelled' || usage !== undefined || receivedCharacters > 0)
}

const charactersPerToken = 4

function toEntry(entry: AttemptEntry, facts: CallFacts): LedgerEntry {
  const { call, pricing, clock, markUp } = facts
  const { target: deployment, outcome, failure, billable } = entry
  const endedAt = entry.endedAt ?? clock.now()
  const { price, reason } = pricing.find(deployment)
  const isTimed = price?.variants.some(({ rates }) => rates.hour !== undefined) === true
  const beside = { images: imagesOf(call), milliseconds: isTimed ? endedAt - entry.startedAt : 0 }
  const usage = usageOf(entry, call, beside)
  const cost = price ? costOf(usage, price, circumstancesOf(entry, call)) : unpricedCost(reason)
  return {
    ...commonOf(facts, endedAt),
    scopes: refsOf(facts, deployment.provider, deployment.id),
    deployment: deployment.id,
    provider: deployment.provider,
    model: deployment.model,
    usage: countsOf(usage),
    price: price && { source: price.source, name: price.name, lines: cost.lines.map(toLine) },
    cost: cost.pico,
    charged: billable ? multiply(cost.pico, markUp) : 0n,
    priced: cost.priced,
    estimated: usage.estimated,
    aborted: outcome !== 'answered',
    cached: false,
    billable,
    latencyMs: endedAt - entry.startedAt,
    firstTokenMs: entry.firstTokenMs,
    status: failure?.status ?? 200,
    failure: failure?.kind,
  }
}

function toCachedEntry(origin: CachedOrigin, facts: CallFacts): LedgerEntry {
  return {
    ...commonOf(facts, facts.clock.now()),
    ...origin,
    scopes: refsOf(facts, origin.provider, origin.deployment),
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

type Common = Pick<
  LedgerEntry,
  'id' | 'callId' | 'at' | 'operation' | 'caller' | 'modelName' | 'tags' | 'endUser' | 'metadata'
>

function commonOf({ call, createId }: CallFacts, at: number): Common {
  const { planned, caller, callId, group, readTags } = call
  const metadata: unknown = planned.request['metadata']
  return {
    id: createId(),
    callId,
    at,
    operation: planned.operation,
    caller: caller.id,
    modelName: group.name,
    tags: readTags(),
    endUser: stringOf(planned.request['user']),
    metadata: isObject(metadata) ? metadata : undefined,
  }
}

/** Each scope once; only tags that the caller itself has are scopes. */
function refsOf({ call, scopes }: CallFacts, provider: string, deployment: string): readonly ScopeRef[] {
  const refs: readonly ScopeRef[] = [
    ...scopes.map(({ kind, id }) => ({ kind, id })),
    { kind: 'model', id: call.group.name },
    { kind: 'provider', id: provider },
    { kind: 'deployment', id: deployment },
    ...(call.caller.tags ?? []).map((id) => ({ kind: 'tag' as const, id })),
  ]
  return [...new Map(refs.map((ref) => [`${ref.kind}\n${ref.id}`, ref])).values()]
}

function imagesOf({ planned }: BilledCall): number {
  return planned.operation === 'images' ? (planned.request.n ?? 1) : 0
}

function circumstancesOf(entry: AttemptEntry, { planned: { request } }: BilledCall): Circumstances {
  return {
    at: entry.startedAt,
    serviceTier: entry.serviceTier,
    imageSize: stringOf(request['size']),
    imageQuality: stringOf(request['quality']),
  }
}

function usageOf(entry: AttemptEntry, { planned }: BilledCall, beside: CountedBeside): UsageBuckets {
  // The wire is checked where it comes in; what a provider leaves out, the buckets count as nothing.
  const told = toBuckets(entry.usage as ChatUsage | undefined, beside)
  if (entry.outcome === 'answered' && told) return told
  if (planned.operation === 'images') return tokenlessBuckets(beside)
  const received = Math.ceil(entry.receivedCharacters / charactersPerToken)
  const base = told ?? estimatedBuckets(estimateInputTokens(planned.request, entry.target.model).tokens, 0, beside)
  const missing = received - completionTokens(base)
  if (missing <= 0) return base
  return { ...base, outputText: base.outputText + missing, estimated: true }
}

/** Only what was used. */
function countsOf(usage: UsageBuckets): Readonly<Record<string, number>> {
  const counts = Object.entries(usage).filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  return Object.fromEntries(counts.filter(([, count]) => count > 0))
}

function toLine({ bucket, quantity, rate, per, pico }: Cost['lines'][number]): JsonObject {
  return { bucket, quantity, rate: rate === null ? null : toDollars(rate), per, cost: toDollars(pico) }
}

/** Tokens of a row, input and output. */
export function tokensOf({ usage }: Pick<LedgerEntry, 'usage'>): number {
  const { webSearches = 0, images = 0, milliseconds = 0 } = usage
  return Object.values(usage).reduce((sum, count) => sum + count, 0) - webSearches - images - milliseconds
}
