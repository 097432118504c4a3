import { z } from 'zod'
import type { GuardrailMode } from '../ports/hooks.js'
import type { JsonObject } from '../wire/json.js'
import { piiLabels } from './pii-patterns.js'

/** What all guardrails have in common. */
export interface GuardrailBase {
  /** Requests, callers, verdicts and refusals name it; several guardrails of one name are chosen together. */
  readonly name: string
  /** @default pre_call; of `json_schema` post_call */
  readonly mode?: GuardrailMode | readonly GuardrailMode[] | undefined
  /** False: only for callers (`metadata.guardrails`) and requests (`guardrails`) that name it. @default true */
  readonly defaultOn?: boolean | undefined
  /** Milliseconds for one look. @default 5,000 */
  readonly deadlineMs?: number | undefined
  /** Where it cannot tell: `closed` fails the call with 503, `open` lets it pass. @default closed */
  readonly fail?: 'open' | 'closed' | undefined
}

/** What is done with a match: hidden, or the whole call refused. */
export type MatchAction = 'mask' | 'refuse'

/** Finds personal data and credentials. */
export interface PiiGuardrail extends GuardrailBase {
  readonly type: 'pii'
  /** Of `email phone card iban ssn ip secret jwt private_key`. @default all */
  readonly entities?: readonly string[] | undefined
  /** @default mask */
  readonly action?: MatchAction | undefined
  /** In place of `action`, by entity. */
  readonly actions?: Readonly<Record<string, MatchAction>> | undefined
  /** What the request hid appears in the answer again. @default true */
  readonly unmask?: boolean | undefined
}

/** Finds credentials: `pii` with `secret jwt private_key`. */
export interface SecretsGuardrail extends GuardrailBase {
  readonly type: 'secrets'
  /** @default mask */
  readonly action?: MatchAction | undefined
  /** @default true */
  readonly unmask?: boolean | undefined
}

/** Finds words and phrases of a list. */
export interface WordsGuardrail extends GuardrailBase {
  readonly type: 'words'
  readonly words: readonly string[]
  /** False finds them within longer words too. @default true */
  readonly wholeWords?: boolean | undefined
  /** @default refuse */
  readonly action?: MatchAction | undefined
}

/**
 * Finds what a host's expressions match. `*`, `+` and `{n,}` end after 250 repetitions, or fewer where they are nested: write
 * `{0,1000}` where more is to be hidden. Expressions that are slow on some text are refused at the start.
 */
export interface RegexGuardrail extends GuardrailBase {
  readonly type: 'regex'
  readonly patterns: readonly {
    /** Lower-case letters, digits and `_`. */
    readonly name: string
    readonly pattern: string
    /** Of `i`, `m`, `s`, `u`. */
    readonly flags?: string | undefined
    /** In place of the guardrail's. */
    readonly action?: MatchAction | undefined
  }[]
  /** @default refuse */
  readonly action?: MatchAction | undefined
}

/** Refuses texts that talk like an attempt to take a model over; a heuristic, not a proof. */
export interface InjectionGuardrail extends GuardrailBase {
  readonly type: 'injection'
  /** 0 to 1; lower finds more. @default 0.6 */
  readonly threshold?: number | undefined
}

/** Refuses more than so many characters of text in a request or an answer. */
export interface LengthGuardrail extends GuardrailBase {
  readonly type: 'length'
  readonly maxCharacters: number
}

/** Refuses an answer that is not JSON of a schema. */
export interface JsonSchemaGuardrail extends GuardrailBase {
  readonly type: 'json_schema'
  /** @default the request's own `response_format`; a request without one passes */
  readonly schema?: JsonObject | undefined
}

/** Asks a moderation model. What that costs is a row of the ledger of its own, with the guarded call's id. */
export interface ModerationGuardrail extends GuardrailBase {
  readonly type: 'moderation'
  /** A model group of the gateway's, such as of `openai/omni-moderation-latest`; callers need no access to it. */
  readonly model: string
  /** Only these count. @default whatever is flagged */
  readonly categories?: readonly string[] | undefined
}

/** Asks a service in the format of LiteLLM's generic guardrail API. */
export interface HttpGuardrail extends GuardrailBase {
  readonly type: 'http'
  /** The whole address. */
  readonly url: string
  /** Sent as `x-api-key`. */
  readonly apiKey?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sent as `additional_provider_specific_params`. */
  readonly params?: JsonObject | undefined
}

/** What a host's own guardrail looks at. */
export interface CustomInput {
  readonly texts: readonly string[]
  readonly direction: 'request' | 'response'
  readonly callId: string
  readonly callerId: string
}

/** What it says: nothing to let pass, texts to use instead (as many, in their order), or a refusal whose reason the caller is told. */
export type CustomVerdict = undefined | void | { readonly texts: readonly string[] } | { readonly refuse: string }

/** Asks a function of the host's. */
export interface CustomGuardrail extends GuardrailBase {
  readonly type: 'custom'
  readonly check: (input: CustomInput, signal: AbortSignal) => PromiseLike<CustomVerdict> | CustomVerdict
}

/** One guardrail of `GatewayOptions.guardrails`. */
export type GuardrailOptions =
  | PiiGuardrail
  | SecretsGuardrail
  | WordsGuardrail
  | RegexGuardrail
  | InjectionGuardrail
  | LengthGuardrail
  | JsonSchemaGuardrail
  | ModerationGuardrail
  | HttpGuardrail
  | CustomGuardrail

const mode = z.enum(['pre_call', 'during_call', 'post_call', 'logging_only'])
const action = z.enum(['mask', 'refuse'])
// Headers and lists carry names.
const name = z.string().regex(/^[\w.-]{1,100}$/, { error: 'must be letters, digits, . _ and -' })
const base = {
  name,
  mode: z.union([mode, z.array(mode).min(1)]).optional(),
  defaultOn: z.boolean().optional(),
  deadlineMs: z.number().int().positive().optional(),
  fail: z.enum(['open', 'closed']).optional(),
}
const entity = z.enum([...piiLabels])

/** Checks one guardrail's options; unknown settings are errors. Expressions are checked where they are compiled. */
const guardrail = z.discriminatedUnion('type', [
  z.strictObject({
    ...base,
    type: z.literal('pii'),
    entities: z.array(entity).min(1).optional(),
    action: action.optional(),
    actions: z.partialRecord(entity, action).optional(),
    unmask: z.boolean().optional(),
  }),
  z.strictObject({ ...base, type: z.literal('secrets'), action: action.optional(), unmask: z.boolean().optional() }),
  z.strictObject({
    ...base,
    type: z.literal('words'),
    words: z.array(z.string().trim().min(1).max(200)).min(1),
    wholeWords: z.boolean().optional(),
    action: action.optional(),
  }),
  z.strictObject({
    ...base,
    type: z.literal('regex'),
    patterns: z
      .array(
        z.strictObject({
          name: z.string().regex(/^[a-z\d_]{1,60}$/, { error: 'must be lower-case letters, digits and _' }),
          pattern: z.string().min(1).max(2_000),
          flags: z.string().optional(),
          action: action.optional(),
        }),
      )
      .min(1),
    action: action.optional(),
  }),
  z.strictObject({ ...base, type: z.literal('injection'), threshold: z.number().gt(0).max(1).optional() }),
  z.strictObject({ ...base, type: z.literal('length'), maxCharacters: z.number().int().positive() }),
  z.strictObject({ ...base, type: z.literal('json_schema'), schema: z.record(z.string(), z.unknown()).optional() }),
  z.strictObject({
    ...base,
    type: z.literal('moderation'),
    model: z.string().min(1),
    categories: z.array(z.string()).min(1).optional(),
  }),
  z.strictObject({
    ...base,
    type: z.literal('http'),
    url: z.url({ protocol: /^https?$/ }),
    apiKey: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    params: z.record(z.string(), z.unknown()).optional(),
  }),
  z.strictObject({
    ...base,
    type: z.literal('custom'),
    check: z.custom<CustomGuardrail['check']>((value) => typeof value === 'function', { error: 'must be a function' }),
  }),
])

/** Checks `GatewayOptions.guardrails`. */
export const guardrailOptions = z.array(guardrail)
