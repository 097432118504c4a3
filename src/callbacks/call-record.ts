import type { Deployment } from '../deployment.js'
import type { GatewayError } from '../errors.js'
import type { Caller } from '../ports.js'
import {
  type AttemptRecord,
  type CallFailure,
  type CallRecord,
  type TraceParent,
  callOutcomes,
} from '../ports/callback.js'
import type { GuardrailVerdict } from '../ports/hooks.js'
import type { LedgerEntry } from '../ports/ledger.js'
import { type JsonObject, isObject, stringOf } from '../wire/json.js'
import { copyBody } from './copy-body.js'
import { type CallEnding, outcomeOf } from './outcome.js'

/** One attempt as the router's trail keeps it. */
export interface AttemptFacts {
  readonly target: Pick<Deployment, 'id' | 'provider' | 'model'>
  readonly modelName: string
  readonly reason: string
  readonly outcome: 'running' | 'answered' | 'failed' | 'cancelled'
  readonly sent: boolean
  readonly startedAt: number
  readonly firstTokenMs: number | undefined
  readonly endedAt: number | undefined
  readonly failure: GatewayError | undefined
}

/** Everything that a record is made of. */
export interface CallFacts {
  /** Unique. */
  readonly id: string
  readonly callId: string
  readonly operation: string
  readonly requestedModel: string
  readonly modelName: string | undefined
  readonly caller: Pick<Caller, 'id' | 'scopes'>
  readonly tags: readonly string[]
  readonly endUser: string | undefined
  readonly metadata: JsonObject | undefined
  readonly trace: TraceParent | undefined
  readonly ending: CallEnding
  readonly startedAt: number
  readonly endedAt: number
  /** All attempts, in order; those still running count as cancelled. */
  readonly attempts: readonly AttemptFacts[]
  /** The ledger's rows of the call; empty where no accounts are kept. */
  readonly rows: readonly LedgerEntry[]
  /** What guardrails found. @default nothing */
  readonly guardrails?: readonly GuardrailVerdict[] | undefined
  /**
   * Bodies that nobody changes any more, see `copyBody`; given only where `keepsBodies` allows it. They are redacted before
   * any sink sees them.
   */
  readonly request?: unknown
  readonly response?: unknown
  /** Pico-dollars as an exact decimal of dollars. */
  readonly toDollars: (pico: bigint) => string
}

const outputBuckets: ReadonlySet<string> = new Set(['outputText', 'reasoning', 'audioOutput', 'imageOutput'])
const otherQuantities: ReadonlySet<string> = new Set(['citation', 'webSearches', 'images', 'milliseconds'])

/**
 * Prepares what is known of a call that is over as one payload, which is made when it is asked for: hosts change callers,
 * requests and errors in place, and attempts that nobody waits for end later, so what may change is copied now.
 */
export function prepareRecord(facts: CallFacts): () => CallRecord {
  const noted: NotedCall = {
    attempts: facts.attempts.map((attempt) => toAttemptRecord(attempt, facts.endedAt)),
    caller: facts.caller.id,
    scopes: facts.caller.scopes.map(({ kind, id }) => ({ kind, id })),
    tags: [...facts.tags],
    metadata: facts.metadata && (copyBody(facts.metadata) as JsonObject),
    error: facts.ending.error && toFailure(facts.ending.error),
    outcome: outcomeOf(facts.ending),
    guardrails: facts.guardrails ? [...facts.guardrails] : [],
  }
  return () => makeRecord(facts, noted)
}

type NotedCall = Pick<
  CallRecord,
  'attempts' | 'caller' | 'scopes' | 'tags' | 'metadata' | 'guardrails' | 'error' | 'outcome'
>

function makeRecord(facts: CallFacts, noted: NotedCall): CallRecord {
  const { ending, rows, request, response } = facts
  const { caller, scopes, tags, metadata, guardrails, error, outcome } = noted
  const attempts = withCosts(noted.attempts, facts)
  const decisive = attempts.findLast((attempt) => attempt.outcome === 'answered') ?? attempts.at(-1)
  // An answer from the cache was made by a deployment that this call never asked.
  const origin = decisive ?? rows.at(-1)
  const { usage, inputTokens, outputTokens } = sumUsage(rows)
  const record: CallRecord = {
    id: facts.id,
    callId: facts.callId,
    trace: facts.trace,
    sessionId: stringOf(metadata?.['session_id']) ?? scopes.find(({ kind }) => kind === 'session')?.id,
    operation: facts.operation,
    stream: ending.stream,
    status: callOutcomes[outcome],
    outcome,
    error,
    requestedModel: facts.requestedModel,
    modelName: facts.modelName,
    deployment: origin?.deployment,
    provider: origin?.provider,
    model: origin?.model,
    caller,
    scopes,
    tags,
    endUser: facts.endUser,
    metadata,
    usage,
    inputTokens,
    outputTokens,
    cost: facts.toDollars(rows.reduce((sum, { cost }) => sum + cost, 0n)),
    charged: facts.toDollars(rows.reduce((sum, { charged }) => sum + charged, 0n)),
    priced: rows.every(({ priced }) => priced),
    estimated: rows.some(({ estimated }) => estimated),
    cached: outcome === 'cached',
    priceLines: rows.flatMap(({ price }) => linesOf(price)),
    startedAt: facts.startedAt,
    firstTokenAt: ending.stream ? decisive?.firstTokenAt : undefined,
    endedAt: facts.endedAt,
    attempts,
    guardrails,
  }
  if (request === undefined && response === undefined) return record
  return { ...record, ...(request !== undefined && { request }), ...(response !== undefined && { response }) }
}

/** Whose bodies are recorded: see `CallbackOptions.bodies`. */
export type BodyPolicy = boolean | 'by_scope'

/** True where a call's bodies may be recorded: they are switched on for it, and neither the request nor its caller opts out. */
export function keepsBodies(policy: BodyPolicy, request: JsonObject, { metadata }: Pick<Caller, 'metadata'>): boolean {
  if (policy === false || request['no-log'] === true || metadata?.['no-log'] === true) return false
  return policy === true || metadata?.['log-bodies'] === true
}

/** The parent that a `traceparent` header names; undefined where it names none. https://www.w3.org/TR/trace-context/ */
export function toTraceParent(header: string | undefined): TraceParent | undefined {
  if (header === undefined) return undefined
  const [, traceId, spanId, flags] = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-|$)/.exec(header) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (header.startsWith('ff') || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, flags: Number.parseInt(flags, 16) }
}

function withCosts(
  attempts: readonly AttemptRecord[],
  { rows, toDollars }: Pick<CallFacts, 'rows' | 'toDollars'>,
): readonly AttemptRecord[] {
  if (rows.length === 0) return attempts
  const left = [...rows]
  return attempts.map((attempt) => {
    // A row tells when its attempt ended and how long it took.
    const isIts = (row: LedgerEntry): boolean =>
      row.deployment === attempt.deployment && row.at - row.latencyMs === attempt.startedAt
    const index = left.findIndex(isIts)
    const [row] = index < 0 ? [] : left.splice(index, 1)
    return row ? { ...attempt, cost: toDollars(row.cost) } : attempt
  })
}

/** One attempt as callbacks are told of it; one still running counts as cancelled at `endedAt`. Pure. */
export function toAttemptRecord(attempt: AttemptFacts, endedAt: number): AttemptRecord {
  const { target, modelName, reason, outcome, sent, startedAt, firstTokenMs, failure } = attempt
  return {
    deployment: target.id,
    provider: target.provider,
    model: target.model,
    modelName,
    reason,
    outcome: outcome === 'running' ? 'cancelled' : outcome,
    sent,
    startedAt,
    firstTokenAt: firstTokenMs === undefined ? undefined : startedAt + firstTokenMs,
    endedAt: attempt.endedAt ?? endedAt,
    error: failure && toFailure(failure),
    cost: undefined,
  }
}

/** What a record keeps of an error. */
export function toFailure({ kind, status, code, message }: CallFailure): CallFailure {
  return { kind, status, code, message }
}

function sumUsage(rows: readonly LedgerEntry[]): Pick<CallRecord, 'usage' | 'inputTokens' | 'outputTokens'> {
  const usage: Record<string, number> = {}
  let [inputTokens, outputTokens] = [0, 0]
  for (const row of rows) {
    for (const [bucket, count] of Object.entries(row.usage)) {
      usage[bucket] = (usage[bucket] ?? 0) + count
      if (outputBuckets.has(bucket)) outputTokens += count
      else if (!otherQuantities.has(bucket)) inputTokens += count
    }
  }
  return { usage, inputTokens, outputTokens }
}

function linesOf(price: JsonObject | null): readonly JsonObject[] {
  const lines = price?.['lines']
  return Array.isArray(lines) ? lines.filter(isObject) : []
}
