import type { FailureKind } from '../errors.js'
import type { JsonObject } from '../wire/json.js'
import type { GuardrailVerdict } from './hooks.js'
import type { ScopeRef } from './ledger.js'

/** Every way in which a call can end, each with the status that it counts as. A call ends in exactly one of them. */
export const callOutcomes = {
  /** A whole answer was given. */
  answered: 'success',
  /** A stream was given to its end. */
  streamed: 'success',
  /** The answer came from the cache. */
  cached: 'success',
  /** The answer was that of an earlier call with the same idempotency key. */
  replayed: 'success',
  /** The request is not valid, or not for this path. */
  invalid_request: 'failure',
  unsupported_parameter: 'failure',
  context_window: 'failure',
  /** The provider refused the content. */
  content_policy: 'failure',
  /** A guardrail of this gateway refused the content. */
  guardrail_blocked: 'failure',
  /** Nobody knows the caller. */
  unauthenticated: 'failure',
  /** The caller may not do this, or not with this model. */
  not_allowed: 'failure',
  model_not_found: 'failure',
  budget_exceeded: 'failure',
  /** A limit of the caller's own: requests, tokens, concurrency. */
  limit_exceeded: 'failure',
  /** The client went away before anything was sent to it. */
  client_left: 'failure',
  /** The client went away in the middle of a stream. */
  client_left_mid_stream: 'failure',
  /** The client took too long to send its request. */
  request_timeout: 'failure',
  /** The provider did not accept our credentials, has no money of ours left, or does not know the model. */
  upstream_refused: 'failure',
  /** The provider's rate limit, after all retries. */
  rate_limited: 'failure',
  /** The provider failed, or its answer could not be read. */
  upstream_error: 'failure',
  /** No connection to the provider, or one that broke before content. */
  upstream_unreachable: 'failure',
  upstream_timeout: 'failure',
  /** A stream ended early, after content, and the client was told so. */
  stream_broken: 'failure',
  /** No deployment is free, the provider is overloaded, or the gateway is closing. */
  unavailable: 'failure',
  /** A fault of the gateway or of a hook. */
  internal: 'failure',
} as const satisfies Record<string, 'success' | 'failure'>

/** How a call ended, see `callOutcomes`. */
export type CallOutcome = keyof typeof callOutcomes

/** What went wrong, as the client was told it: no header, address or credential is in it. */
export interface CallFailure {
  readonly kind: FailureKind
  /** HTTP status. */
  readonly status: number
  readonly code: string | null
  readonly message: string
}

/** Where a call belongs in a trace of the host's: W3C Trace Context, lower-case hex. */
export interface TraceParent {
  /** 32 digits. */
  readonly traceId: string
  /** The span that the call's own span is a child of; 16 digits. */
  readonly spanId: string
  /** 1: the trace is recorded. @default 1 */
  readonly flags?: number
}

/** One attempt of a call at one deployment. Times in milliseconds since the epoch. */
export interface AttemptRecord {
  /** Id of the deployment. */
  readonly deployment: string
  readonly provider: string
  /** The model's name at the provider. */
  readonly model: string
  readonly modelName: string
  /** `first`, `retry`, `reroute`, `fallback`, `hedge`, `restart`, `continue`. */
  readonly reason: string
  readonly outcome: 'answered' | 'failed' | 'cancelled'
  /** False where nothing reached the provider. */
  readonly sent: boolean
  readonly startedAt: number
  readonly firstTokenAt: number | undefined
  readonly endedAt: number
  readonly error: CallFailure | undefined
  /** Decimal dollars that the provider charges; undefined where it is not billed, and before its call is over. */
  readonly cost: string | undefined
}

/**
 * What is known of one call once it is over: the one payload of every callback and sink. Never holds a header, a
 * credential or an address; times in milliseconds since the epoch.
 */
export interface CallRecord {
  /** Unique, the same however often the record is sent. */
  readonly id: string
  /** The answer's `x-request-id`; the ledger's rows carry it too. */
  readonly callId: string
  readonly trace: TraceParent | undefined
  /** `metadata.session_id` of the request, or the caller's scope of the kind `session`. */
  readonly sessionId: string | undefined
  /** `chat`, `completions`, `embeddings`, `images`. */
  readonly operation: string
  readonly stream: boolean
  readonly status: 'success' | 'failure'
  readonly outcome: CallOutcome
  readonly error: CallFailure | undefined
  /** What the request asked for; empty where it never got so far as to tell. */
  readonly requestedModel: string
  /** The model group that it was; undefined where there is none of that name. */
  readonly modelName: string | undefined
  /** Of the attempt that gave the answer, or of the last one; undefined where none was made. */
  readonly deployment: string | undefined
  readonly provider: string | undefined
  /** The model's name at the provider. */
  readonly model: string | undefined
  /** `Caller.id`; empty where nobody knows the caller. */
  readonly caller: string
  /** Whom the call counts for, outermost first: organization, team, user, key ... */
  readonly scopes: readonly ScopeRef[]
  readonly tags: readonly string[]
  /** `user` of the request's body. */
  readonly endUser: string | undefined
  /** `metadata` of the request's body: labels of the client, never identity. */
  readonly metadata: JsonObject | undefined
  /** Tokens and other quantities of all billed attempts by disjoint bucket. */
  readonly usage: Readonly<Record<string, number>>
  readonly inputTokens: number
  readonly outputTokens: number
  /** Exact decimal dollars that the providers charge for all attempts: `0.000123`. */
  readonly cost: string
  /** Exact decimal dollars that the scopes are charged. */
  readonly charged: string
  /** False where a price is not known: `cost` is then a part of the truth. */
  readonly priced: boolean
  /** Some of the usage was counted here, not told by the provider. */
  readonly estimated: boolean
  readonly cached: boolean
  /** How the cost came about: `{ bucket, quantity, rate, per, cost }`, dollars as decimals. */
  readonly priceLines: readonly JsonObject[]
  readonly startedAt: number
  /** Streams only. */
  readonly firstTokenAt: number | undefined
  readonly endedAt: number
  readonly attempts: readonly AttemptRecord[]
  /** What guardrails found, in their order; never the text itself. */
  readonly guardrails: readonly GuardrailVerdict[]
  /**
   * The request's body, redacted and as guardrails left it; only where bodies are switched on, and not where a guardrail
   * refused it.
   */
  readonly request?: unknown
  /**
   * The answer's body, redacted, and with what guardrails hid from the provider still hidden; of a stream the whole answer
   * that its chunks make, as far as it was sent. Only where bodies are switched on.
   */
  readonly response?: unknown
}

/** The call that an attempt belongs to, as far as it is known while it goes on. */
export type AttemptCall = Pick<
  CallRecord,
  'callId' | 'operation' | 'stream' | 'requestedModel' | 'modelName' | 'caller' | 'scopes' | 'startedAt'
>

/** Something besides calls that sinks may tell of: a cooldown, a soft budget. `at` in milliseconds since the epoch. */
export interface CallbackEvent {
  readonly type: string
  readonly at: number
}

/**
 * Calls of unknown callers that have no record of their own: beyond 100 in a row and 10 a second they are only counted.
 * Told within 10 s of the first.
 */
export interface UnknownCallersEvent extends CallbackEvent {
  readonly type: 'unknown_callers'
  readonly operation: string
  readonly outcome: CallOutcome
  /** HTTP status. */
  readonly status: number
  readonly calls: number
}

/**
 * A host's own listener. It is told off the path of calls: what it throws, or how long it takes, delays nobody. Each
 * method has 9 s; what it fails on is counted and not repeated.
 */
export interface Callback {
  /**
   * Once for every call, in whichever of the `callOutcomes` it ended; also for requests that were refused before a model was
   * looked for. Of callers whom nobody knows, only so many: see `UnknownCallersEvent`.
   */
  onCall(record: CallRecord): PromiseLike<void> | void
  /** Once for every attempt, when it ends; `onCall` of its call waits for it. */
  onAttempt?(attempt: AttemptRecord, call: AttemptCall): PromiseLike<void> | void
}
