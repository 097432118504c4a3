import type { JsonObject } from '../../wire/json.js'
import type { ScriptedContent } from '../compose.js'
import type { FaultPlan } from '../faults.js'
import type { BilledTokens } from '../script.js'

/** One event of a stream. Its kind tells the faults what it is; `frame` is what is sent. */
export interface FakeEvent {
  readonly kind: 'start' | 'content' | 'finish' | 'done'
  readonly frame: string | Uint8Array
}

/** A successful answer of a dialect: a whole body, or the events of a stream. `tokens` is what all of it costs. */
export type Rendered = { readonly tokens?: BilledTokens } & (
  | { readonly body: JsonObject }
  | { readonly events: Iterable<FakeEvent>; readonly contentType: string }
)

/** What a route sees of a request. */
export interface FakeCall {
  /** The groups of the route's pattern, percent-decoded. */
  readonly params: readonly string[]
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: JsonObject
  readonly plan: FaultPlan
  readonly script: ScriptedContent
}

/** One path of a dialect. */
export interface FakeRoute {
  readonly method: 'GET' | 'POST'
  /** Matched against the path without its query. */
  readonly pattern: RegExp
  /** Its requests are forms, whose members `answer` does not see. */
  readonly form?: true
  /** The model a request names, from which its faults are read. */
  modelOf(body: JsonObject, params: readonly string[]): string
  /** @throws RefusedRequest where the real provider would answer 400 */
  answer(call: FakeCall): Rendered
}

/** How one family of providers speaks. */
export interface Dialect {
  readonly name: string
  readonly routes: readonly FakeRoute[]
  /** Header that carries the request's id in answers. */
  readonly idHeader: string
  /** The key a request brings. */
  keyOf(headers: FakeCall['headers'], query: URLSearchParams): string | undefined
  error(status: number, message: string): JsonObject
  /** An error inside a stream. */
  errorFrame(status: number, message: string): string
}

/** A request that the real provider would refuse; answered with its message in the dialect's shape. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest'
  readonly status: number

  constructor(message: string, status = 400) {
    super(message)
    this.status = status
  }
}

/** Seconds since the epoch that every answer carries, because the same request gives the same bytes. */
export const created = 1_735_689_600

/** A group of a path, percent-decoded; a bad escape stays as it is. */
export function decodeParam(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
