import type { GatewayError } from '../errors.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import type { Caller } from '../ports.js'

/** The call that a hook is asked about. */
export interface HookCall {
  readonly operation: Operation
  readonly callId: string
  readonly caller: Caller
  /** What the hooks of one call tell each other; lives as long as the call. */
  readonly state: Map<string, unknown>
}

type MaybePromise<T> = PromiseLike<T> | T
/** A request in OpenAI's format, by operation. */
export type HookRequest = Operations[Operation]['request']
/** A whole answer in OpenAI's format, by operation. */
export type HookAnswer = Operations[Operation]['response']
/** One event of a stream in OpenAI's format, by operation. */
export type HookChunk = Operations[StreamOperation]['chunk']

/**
 * A hook, or a hook with its own deadline and what happens where it misses that or throws: `closed` fails the call,
 * `open` goes on without it. A `GatewayError` that it throws is its answer, and refuses the call either way.
 */
export type Hook<Run> =
  | Run
  | {
      readonly run: Run
      /** Milliseconds. @default 5,000; of `onStream` 1,000 per chunk */
      readonly deadlineMs?: number
      /** @default closed; of `onError` open */
      readonly fail?: 'open' | 'closed'
    }

/** Functions of the host's that take part in every call. Nothing they return is checked again before it is sent. */
export interface Hooks {
  /** Before anything is asked: gives the request to use instead, nothing to leave it, or throws to refuse it. */
  readonly beforeCall?: Hook<(request: HookRequest, call: HookCall) => MaybePromise<HookRequest | undefined | void>>
  /** Beside the call, whose answer waits for it: throws to refuse. */
  readonly duringCall?: Hook<(request: HookRequest, call: HookCall) => MaybePromise<unknown>>
  /** After a whole answer: gives the one to use instead, or nothing to leave it. */
  readonly afterCall?: Hook<(answer: HookAnswer, call: HookCall) => MaybePromise<HookAnswer | undefined | void>>
  /** For each chunk of a stream: gives one or several to send instead, null to send none, or nothing to leave it. */
  readonly onStream?: Hook<
    (chunk: HookChunk, call: HookCall) => MaybePromise<HookChunk | readonly HookChunk[] | null | undefined | void>
  >
  /** After a failure: gives the error to tell the caller instead, or nothing to leave it. */
  readonly onError?: Hook<(error: GatewayError, call: HookCall) => MaybePromise<GatewayError | undefined | void>>
}

/**
 * When a guardrail looks: before the call, beside it (where it can refuse, but hide nothing), at its answer, or at both for
 * the log alone.
 */
export type GuardrailMode = 'pre_call' | 'during_call' | 'post_call' | 'logging_only'

/** What one guardrail found; never holds the text that it looked at. */
export interface GuardrailVerdict {
  readonly guardrail: string
  readonly type: string
  readonly mode: GuardrailMode
  /** `flagged`: it would have refused or hidden something, and only tells. `failed`: it could not tell. */
  readonly outcome: 'passed' | 'masked' | 'refused' | 'flagged' | 'failed'
  /** How often each kind was found, such as `{ email: 2 }`. */
  readonly counts: Readonly<Record<string, number>>
  /** A service's own words; for the log, not for the caller. */
  readonly reason?: string
  readonly durationMs: number
}
