import type { ScriptedContent } from './compose.js'

/** Tokens that are paid for. */
export interface BilledTokens {
  readonly promptTokens: number
  readonly completionTokens: number
}

/** One request as the fake upstream received it. */
export interface FakeRequest {
  readonly method: string
  /** Path and query, as they came. */
  readonly path: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Parsed JSON; undefined where the body is empty or not JSON. */
  readonly body: unknown
  /** Length of the body. */
  readonly bytes: number
  /** `Date.now()` when its body had arrived. */
  readonly receivedAt: number
  /** True once the client has closed the socket before the answer was complete. */
  readonly aborted: boolean
  /** `Date.now()` when the client did that. */
  readonly abortedAt: number | undefined
  /**
   * What the request costs so far; undefined for errors, scripted bodies, and answers that were never begun. A whole answer
   * is made, and paid for, before it is sent, whoever still waits for it. Of a stream the prompt is paid for with the first
   * event and the output event by event, as it is sent; all of it once the last one is.
   */
  readonly billed: BilledTokens | undefined
  /** Resolves when the answer is complete or the connection is gone, whoever ended it. */
  readonly closed: Promise<void>
}

/** A piece of a scripted stream: written as it is, or a pause in milliseconds. */
export type ScriptedChunk = string | Uint8Array | { readonly delayMs: number }

/** What one request is answered; everything left out is as always. */
export interface ScriptedAnswer {
  /** 200 by default; from 400 on, without a body, an error in the shape of the dialect. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Objects are sent as JSON, text and bytes as they are. */
  readonly body?: unknown
  /** Sent instead of a body, each in its own write, as `text/event-stream` unless `headers` says otherwise. */
  readonly chunks?: Iterable<ScriptedChunk> | AsyncIterable<ScriptedChunk>
  /** What the model says, in the shape of whichever dialect was asked, streamed or not. */
  readonly content?: ScriptedContent
  /** Words of the table of faults, joined by `+`: `cut-3`, `status-503+slow-50ms`; instead of those of the model name. */
  readonly fault?: string
  /** Wait before the headers. */
  readonly delayMs?: number
}

/** A function that answers; undefined leaves the answer to the fake. */
export type ScriptFunction = (request: FakeRequest) => ScriptedAnswer | undefined | Promise<ScriptedAnswer | undefined>

/** How one request is answered: an answer, faults alone, or a function of the request. */
export type ScriptStep = ScriptedAnswer | string | ScriptFunction
