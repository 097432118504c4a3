import type { AttemptRecord, CallRecord } from '../ports/callback.js'
import type { ScopeKind } from '../ports/ledger.js'
import { groupAlike } from './alike.js'
import { isDone } from './is-done.js'
import type { Metrics } from './metrics.js'

/** Whether end users are a label. */
interface CountOptions {
  readonly endUser: boolean
}

/**
 * Counts calls and their attempts, those with the same labels at once.
 * @returns how many of the calls could not be counted
 */
export function countCalls(records: readonly CallRecord[], metrics: Metrics, options: CountOptions): number {
  const uncounted = new Set<CallRecord>()
  const attempts = records.flatMap((record) => record.attempts.map((attempt) => ({ attempt, record })))
  for (const calls of groupAlike(records, (left, right) => isSameCall(left, right, options))) {
    if (!isDone(() => countAlikeCalls(calls, metrics, options))) calls.forEach((record) => uncounted.add(record))
  }
  for (const tried of groupAlike(attempts, isSameAttempt)) {
    if (!isDone(() => countAlikeAttempts(tried, metrics))) tried.forEach(({ record }) => uncounted.add(record))
  }
  return uncounted.size
}

interface Tried {
  readonly attempt: AttemptRecord
  readonly record: CallRecord
}

/** True where all labels are the same. */
function isSameCall(left: CallRecord, right: CallRecord, { endUser }: CountOptions): boolean {
  return (
    left.outcome === right.outcome &&
    left.modelName === right.modelName &&
    left.operation === right.operation &&
    left.provider === right.provider &&
    left.model === right.model &&
    left.error?.status === right.error?.status &&
    (!endUser || left.endUser === right.endUser) &&
    callerScopes.every((kind) => scopeOf(left, kind) === scopeOf(right, kind))
  )
}

function isSameAttempt({ attempt: left }: Tried, { attempt: right }: Tried): boolean {
  return (
    left.deployment === right.deployment &&
    left.modelName === right.modelName &&
    left.reason === right.reason &&
    left.outcome === right.outcome &&
    left.provider === right.provider &&
    left.model === right.model &&
    left.error?.kind === right.error?.kind
  )
}

function countAlikeCalls(calls: readonly [CallRecord, ...CallRecord[]], metrics: Metrics, options: CountOptions): void {
  const [{ operation, outcome, status, error, modelName, provider, model }] = calls
  const who = callerLabels(calls[0], options)
  // A name that a client made up is no label.
  const group = { model_group: modelName ?? '', operation }
  const place = { model_group: modelName ?? '', api_provider: provider ?? '', model: model ?? '' }
  const spent = { ...who, ...place }
  metrics.requests.inc({ ...who, ...group, outcome, status_code: String(error?.status ?? 200) }, calls.length)
  const timed = { ...group, status }
  metrics.duration.observeAll(
    timed,
    calls.map(({ startedAt, endedAt }) => (endedAt - startedAt) / 1_000),
  )
  metrics.overhead.observeAll(
    group,
    calls.map((record) => overheadMs(record) / 1_000),
  )
  metrics.firstToken.observeAll(place, calls.flatMap(secondsToFirstToken))
  const inputTokens = sum(calls, (record) => record.inputTokens)
  const outputTokens = sum(calls, (record) => record.outputTokens)
  const charged = sum(calls, (record) => Number(record.charged))
  if (inputTokens > 0) metrics.inputTokens.inc(spent, inputTokens)
  if (outputTokens > 0) metrics.outputTokens.inc(spent, outputTokens)
  if (charged > 0) metrics.spend.inc(spent, charged)
  const hits = calls.filter(({ cached }) => cached).length
  if (hits > 0) metrics.cacheHits.inc(group, hits)
}

function countAlikeAttempts(tried: readonly [Tried, ...Tried[]], metrics: Metrics): void {
  const { deployment, modelName, provider, model, reason, outcome, error } = tried[0].attempt
  const place = { deployment, model_group: modelName, api_provider: provider, model }
  metrics.attempts.inc({ ...place, reason, outcome, failure: error?.kind ?? '' }, tried.length)
  const timed = { ...place, outcome }
  metrics.attemptDuration.observeAll(
    timed,
    tried.map(({ attempt: { startedAt, endedAt } }) => (endedAt - startedAt) / 1_000),
  )
}

const callerScopes = ['key', 'team', 'user'] as const satisfies readonly ScopeKind[]

/** Whom a call counts for, as LiteLLM names them. */
function callerLabels(record: CallRecord, { endUser }: CountOptions): Readonly<Record<string, string>> {
  return {
    hashed_api_key: scopeOf(record, 'key'),
    team: scopeOf(record, 'team'),
    user: scopeOf(record, 'user'),
    ...(endUser && { end_user: record.endUser ?? '' }),
  }
}

function scopeOf({ scopes }: CallRecord, wanted: ScopeKind): string {
  return scopes.find(({ kind }) => kind === wanted)?.id ?? ''
}

function sum(records: readonly CallRecord[], valueOf: (record: CallRecord) => number): number {
  return records.reduce((total, record) => total + valueOf(record), 0)
}

const secondsToFirstToken = ({ startedAt, firstTokenAt }: CallRecord): number | readonly never[] =>
  firstTokenAt === undefined ? [] : (firstTokenAt - startedAt) / 1_000

/** Time of the call in which no attempt ran. */
function overheadMs({ attempts, startedAt, endedAt }: CallRecord): number {
  let covered = startedAt
  let overhead = 0
  const inOrder = attempts.length > 1 ? attempts.toSorted((left, right) => left.startedAt - right.startedAt) : attempts
  for (const attempt of inOrder) {
    overhead += Math.max(0, attempt.startedAt - covered)
    covered = Math.max(covered, attempt.endedAt)
  }
  return overhead + Math.max(0, endedAt - covered)
}
