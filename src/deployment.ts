import type { Secret } from './secret.js'
import type { JsonObject } from './wire/json.js'

/** Deadlines of one call's phases, in milliseconds; 0 switches one off. */
export interface Timeouts {
  /** Until a connection stands. */
  readonly connect: number
  /** From the connection until the response headers. */
  readonly headers: number
  /** Streams: from the headers until the first piece of content; pings and empty deltas do not count. */
  readonly firstToken: number
  /** Streams: between two pieces. */
  readonly idle: number
  /** The whole call, retries included. */
  readonly total: number
}

/** Every `ReasoningControl`. */
export const reasoningControls = [
  'none',
  'always',
  'switch',
  'effort',
  'budget',
  'switch_and_effort',
  'effort_or_budget',
] as const

/**
 * How a model's reasoning is steered: not at all because it has none; not at all because it always thinks; by a switch,
 * an effort or level, a budget of tokens, or two of them.
 */
export type ReasoningControl = (typeof reasoningControls)[number]

/** What a model can do, where that changes how a request is written; unset means: as the newest model of its family. */
export interface ModelCapabilities {
  readonly tools?: boolean
  readonly vision?: boolean
  readonly jsonSchema?: boolean
  readonly reasoning?: boolean
  /** How it is steered; says more than `reasoning`, and wins over it. */
  readonly reasoningControl?: ReasoningControl
  readonly assistantPrefill?: boolean
  /** OpenAI parameters that are refused with any value but the default; in place of those that are known. */
  readonly refusedParameters?: readonly string[]
  /** Tokens; what `max_tokens` is set to where the provider demands one and the caller gave none. */
  readonly maxOutputTokens?: number
  readonly contextWindow?: number
}

/** The prompt that a deployment puts before conversations, unless the request says otherwise. */
export interface DeploymentPrompt {
  /** Name of a store. @default the first one */
  readonly store?: string | undefined
  /** @default the request's `prompt_id`; without either there is no prompt */
  readonly id?: string | undefined
  readonly version?: string | undefined
  readonly label?: string | undefined
  readonly variables?: JsonObject | undefined
  /** Keep the request's model where the prompt names one. @default false */
  readonly keepsModel?: boolean | undefined
  /** Keep the request's parameters where the prompt has its own. @default false */
  readonly keepsParameters?: boolean | undefined
}

/** One concrete place that serves a model: provider, upstream model name, credentials, limits. Frozen at start. */
export interface Deployment {
  readonly id: string
  /** The model group this deployment belongs to. */
  readonly modelName: string
  /** Name of a registered provider. */
  readonly provider: string
  /** The model's name at the provider, without our prefix. */
  readonly model: string
  readonly apiKey: Secret | undefined
  /** Overrides the provider's own; no trailing slash. */
  readonly baseUrl: string | undefined
  readonly apiVersion: string | undefined
  readonly organization: string | undefined
  /** The provider's own settings: region, project, further credentials (as Secrets, or functions that give them). */
  readonly settings: Readonly<Record<string, unknown>>
  /** Sent with every request to the upstream. */
  readonly headers: Readonly<Record<string, string>>
  /** Request parameters that apply where the caller sets none (temperature, safety_settings ...). */
  readonly params: JsonObject
  /** Counts where it is the only deployment of its group. */
  readonly prompt?: DeploymentPrompt | undefined
  readonly timeouts: Timeouts
  /** True where `headers` was set on purpose; only then does it bound calls that do not stream. */
  readonly headersTimeoutSet: boolean
  /** As it was set; `Candidate.weight` is what it comes to beside the others. */
  readonly weight: number | undefined
  readonly order: number
  readonly rpm: number | undefined
  readonly tpm: number | undefined
  /** Attempts that may be under way at once. */
  readonly maxParallelRequests: number | undefined
  /** Labels that requests can ask for. */
  readonly tags: readonly string[]
  /** Where the data is processed, `eu` or `us`, as far as the host tells. */
  readonly region: string | undefined
  /** How long it rests after failures, in milliseconds; the gateway's where undefined. */
  readonly cooldownMs: number | undefined
  /** What it costs, as `PriceOptions` of the catalog; hides every other price. */
  readonly prices: JsonObject | undefined
  /** Leave out what the provider cannot honour instead of answering 400. */
  readonly dropParams: boolean
  readonly capabilities: ModelCapabilities
  /** Free data of the host about this deployment (`model_info`). */
  readonly info: JsonObject
}
