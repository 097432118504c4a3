import type { JsonObject } from '../../wire/json.js'
import type { Operation } from '../../wire/operations.js'

/** How a provider of OpenAI's dialect wants its reasoning switched and measured (`reasoning_effort`, `thinking`). */
export type ReasoningControl =
  /** `reasoning_effort` as it is; `thinking` is translated to it. */
  | 'reasoning_effort'
  /** `reasoning: { effort, max_tokens, enabled }`. */
  | 'reasoning_object'
  /** `thinking: { type: 'enabled' | 'disabled' }`. */
  | 'thinking_type'
  /** `thinking: { type }` and `reasoning_effort` beside it. */
  | 'thinking_type_and_effort'
  /** `thinking: { type, budget_tokens }`. */
  | 'thinking_budget'
  /** `enable_thinking` and `thinking_budget`. */
  | 'enable_thinking'
  /** `chat_template_kwargs: { enable_thinking }`. */
  | 'chat_template'
  /** Neither parameter is understood. */
  | 'none'

/**
 * How a provider's dialect differs from OpenAI's; plain data, so that most providers are one row. Every member is
 * optional and its absence means: as OpenAI.
 */
export interface Quirks {
  readonly paths?: {
    readonly chat?: string
    readonly completions?: string
    readonly embeddings?: string
    readonly images?: string
    readonly moderations?: string
  }
  /** Model name at the provider, from the one the deployment names. */
  readonly modelName?: (model: string) => string
  /** Follow OpenAI's own rules per model family (`catalog/openai-models`): token limit's name, roles, refused parameters. */
  readonly modelRules?: boolean
  /** OpenAI parameter → the provider's name for it. */
  readonly rename?: Readonly<Record<string, string>>
  /** OpenAI parameters that the provider refuses: 400, or dropped with `dropParams`. */
  readonly unsupported?: readonly string[]
  /**
   * Paths of members that name other models to answer, in place of the one that is allowed, held and charged: taken from
   * a deployment's params alone; from a request 400, or dropped with `dropParams`.
   */
  readonly hostOnly?: readonly string[]
  /** Paths of limits that a deployment's params may set for every request: of each amount in them the lower one counts. */
  readonly hostLimits?: readonly string[]
  /** OpenAI parameters that the provider takes and does nothing about: they are sent, and named in the reply's headers. */
  readonly ignored?: readonly string[]
  /** If set, the only OpenAI parameters that the provider takes (`model`, `messages`, `stream` always); unknown fields still pass. */
  readonly supported?: readonly string[]
  readonly clamp?: Readonly<Record<string, { readonly min?: number; readonly max?: number }>>
  readonly messages?: {
    /** Text-only lists of parts become one string. */
    readonly flattenText?: boolean
    /** Remove `name`: always, or except on tool messages. */
    readonly dropName?: 'always' | 'except_tool'
    readonly dropNulls?: boolean
    readonly dropEmptyAssistant?: boolean
    /** Content of tool messages must be a string. */
    readonly toolContentString?: boolean
    /** Model names whose upstream understands `cache_control`; elsewhere it is removed. */
    readonly keepCacheControl?: RegExp
    /**
     * Send `reasoning_content` back on assistant messages: on all of them (DeepSeek), on those with tool calls (Kimi),
     * both filled in where the caller has none, or where the caller sends it. It is removed otherwise.
     */
    readonly reasoningContent?: 'always' | 'tool_calls' | 'as_given'
    /** The role `developer` is understood; elsewhere it becomes `system`. */
    readonly developerRole?: boolean
    /** Tool call ids must be nine alphanumerics (Mistral). */
    readonly shortToolCallIds?: boolean
    /** Tool calls in the history hold nothing but `id`, `type` and `function`. */
    readonly plainToolCalls?: boolean
    /** `cache_control` of a message moves onto its last content part (OpenRouter). */
    readonly cacheControlOnParts?: boolean
  }
  readonly tools?: {
    readonly dropStrict?: boolean
    readonly dropAdditionalProperties?: boolean
    readonly dropSchemaKeys?: boolean
  }
  /** `tool_choice: 'required'` is called `any`, or is not known at all and becomes a request in words. */
  readonly requiredToolChoice?: 'any' | 'ask'
  /** Only these values of `tool_choice` exist. */
  readonly toolChoices?: readonly string[]
  /** How a JSON schema is asked for where not as OpenAI does. */
  readonly jsonSchema?: 'json_object_with_schema' | 'synthetic_tool' | 'unsupported'
  readonly reasoning?: ReasoningControl
  /** `reasoning_effort` values → the provider's, where it knows fewer of them. */
  readonly efforts?: Readonly<Record<string, string>>
  /** Content may start with `<think>…</think>`; it becomes `reasoning_content`. */
  readonly thinkTags?: boolean
  /** Merged into every body of chat, under what the caller sets. */
  readonly extraBody?: JsonObject
  /** False where `stream_options` is refused. */
  readonly streamOptions?: boolean
  readonly completions?: {
    /** Only one prompt, a string. */
    readonly singlePrompt?: boolean
  }
  readonly embeddings?: {
    /** False where token lists are refused. */
    readonly tokens?: boolean
    /** False where only floats are given; base64 is then made by us. */
    readonly base64?: boolean
    /** Name of `dimensions`, or false where it is refused. */
    readonly dimensions?: string | false
    /** Inputs that one request may hold. */
    readonly most?: number
    readonly unsupported?: readonly string[]
  }
  readonly images?: {
    readonly rename?: Readonly<Record<string, string>>
    readonly unsupported?: readonly string[]
  }
  /** The last word on a body that no switch above describes; must be pure. */
  readonly adjust?: (body: JsonObject, operation: Operation) => JsonObject
  /** Reads an error in a 200 body that is not `{ error }`; gives status and message, or undefined for none. */
  readonly errorInBody?: (body: JsonObject) => { readonly status: number; readonly message: string } | undefined
}
