import { GatewayError } from '../errors.js'
import type { Caller } from '../ports.js'
import type { GuardrailMode, GuardrailVerdict } from '../ports/hooks.js'
import type { JsonObject } from '../wire/json.js'
import type { Operation } from '../wire/operations.js'
import type { Scanner } from './scanner.js'
import type { PlacedText } from './texts.js'

/** The call that guardrails look at. */
export interface GuardedFacts {
  readonly operation: Operation
  readonly callId: string
  readonly caller: Caller
}

/** What a guardrail is asked about. */
export interface RuleInput {
  readonly texts: readonly PlacedText[]
  readonly direction: 'request' | 'response'
  readonly request: JsonObject
  readonly facts: GuardedFacts
  /** What the request adds for this guardrail (`extra_body`). */
  readonly extra: JsonObject | undefined
}

/** How often each kind was found. */
export type Counts = Readonly<Record<string, number>>

/** What a guardrail says. `reason` is for the caller and names no text; `note` is for the log. */
export type Judgement =
  | { readonly outcome: 'passed' }
  | { readonly outcome: 'masked'; readonly texts: readonly string[]; readonly counts: Counts }
  | { readonly outcome: 'refused'; readonly reason: string; readonly counts: Counts; readonly note?: string }

/** Everything is fine. */
export const passed: Judgement = Object.freeze({ outcome: 'passed' })

/** Finds matches within texts; works on streams as they come. */
export interface Scan {
  /** For text as it is, and for JSON source. */
  readonly plain: readonly Scanner[]
  readonly json: readonly Scanner[]
  /** Labels whose matches refuse the text; the others are hidden. */
  readonly refusing: ReadonlySet<string>
  /** What a request hides is shown again in its answer. */
  readonly isReversible: boolean
}

/** How a guardrail looks at texts: by one of three. */
export type Look =
  | { readonly scan: Scan }
  /** Refuses more text than this, in characters. */
  | { readonly mostCharacters: number }
  /** Looks at all texts together; a stream is held back for it. */
  | { readonly judge: (input: RuleInput, signal: AbortSignal) => PromiseLike<Judgement> | Judgement }

/** A guardrail, ready for use. */
export interface Rule {
  readonly name: string
  readonly type: string
  readonly modes: ReadonlySet<GuardrailMode>
  readonly isDefaultOn: boolean
  readonly deadlineMs: number
  readonly fail: 'open' | 'closed'
  readonly look: Look
}

const longestHeader = 2_000

/** The value of `x-sluice-guardrails`: `name=outcome` for each look so far, such as `pii=masked, words=passed`. */
export function guardrailsHeader(verdicts: readonly GuardrailVerdict[]): string {
  return verdicts
    .map(({ guardrail, outcome }) => `${guardrail}=${outcome}`)
    .join(', ')
    .slice(0, longestHeader)
}

/** What is refused and why, and what was found until then, its own verdict included. */
export interface RefusalFacts {
  readonly direction: RuleInput['direction']
  readonly reason: string
  readonly verdicts: readonly GuardrailVerdict[]
}

/** A guardrail has refused; the answer names it and its reason, never the text. 400, no fault of any deployment. */
export function refusalError({ name }: Rule, { direction, reason, verdicts }: RefusalFacts): GatewayError {
  const what = direction === 'request' ? 'the request' : 'the answer'
  return new GatewayError('content_policy', `The guardrail ${name} refused ${what}: ${reason}.`, {
    code: 'guardrail_refused',
    headers: { 'x-sluice-guardrails': guardrailsHeader(verdicts) },
  })
}

/** A guardrail could not tell, and is to be trusted with that. */
export function unavailableError({ name }: Rule, verdicts: readonly GuardrailVerdict[], cause: unknown): GatewayError {
  return new GatewayError('unavailable', `The guardrail ${name} could not be asked.`, {
    code: 'guardrail_unavailable',
    headers: { 'x-sluice-guardrails': guardrailsHeader(verdicts) },
    cause,
  })
}
