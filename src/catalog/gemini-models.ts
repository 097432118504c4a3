import type { ModelCapabilities, ReasoningControl } from '../deployment.js'

/** Gemini's thinking levels, weakest first (generation 3 and later). */
export const thinkingLevels = ['minimal', 'low', 'medium', 'high'] as const

/** One of `thinkingLevels`. */
export type ThinkingLevel = (typeof thinkingLevels)[number]

/** How much a model thinks is set by nothing, by a budget of tokens, or by a level; a request may carry only one of them. */
export type GeminiThinking =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'budget'
      /** Tokens; the smallest and largest budget besides 0 and -1 (dynamic). */
      readonly min: number
      readonly max: number
      /** What `reasoning_effort: "minimal"` buys. */
      readonly minimal: number
      readonly canDisable: boolean
    }
  | { readonly kind: 'level'; readonly levels: readonly ThinkingLevel[] }

/** What the translation must know about a model. Sources: https://ai.google.dev/gemini-api/docs/models and /thinking. */
export interface GeminiModel {
  /** False where instructions must stand in the first user turn (Gemma). */
  readonly systemInstruction: boolean
  readonly thinking: GeminiThinking
  /** `presencePenalty` and `frequencyPenalty` are taken. */
  readonly penalties: boolean
  /** `responseJsonSchema` and `parametersJsonSchema` are understood; else only the OpenAPI subset. */
  readonly jsonSchema: boolean
  /** The model fetches any https address by itself, not only YouTube and uploaded files. */
  readonly fetchesUrls: boolean
  /** Whether function calls carry thought signatures, and whether the history must. */
  readonly signatures: 'none' | 'optional' | 'required'
  /** Where an image's resolution is set: once a request, or with each part. */
  readonly mediaResolution: 'request' | 'part'
  /** Images of a tool result go inside the function response. */
  readonly mediaInToolResults: boolean
  /** Functions may stand beside hosted tools and beside JSON output. */
  readonly mixesTools: boolean
  /** False for models that only speak (TTS). */
  readonly writesText: boolean
}

const first: GeminiModel = {
  systemInstruction: true,
  thinking: { kind: 'none' },
  penalties: true,
  jsonSchema: false,
  fetchesUrls: false,
  signatures: 'none',
  mediaResolution: 'request',
  mediaInToolResults: false,
  mixesTools: false,
  writesText: true,
}
const second: GeminiModel = { ...first, jsonSchema: true }
const secondAndHalf: GeminiModel = { ...second, fetchesUrls: true, signatures: 'optional' }
const newest: GeminiModel = {
  ...secondAndHalf,
  thinking: { kind: 'level', levels: ['low', 'medium', 'high'] },
  penalties: false,
  signatures: 'required',
  mediaResolution: 'part',
  mediaInToolResults: true,
  mixesTools: true,
}

const flash: GeminiThinking = { kind: 'budget', min: 1, max: 24_576, minimal: 1, canDisable: true }
const flashLite: GeminiThinking = { kind: 'budget', min: 512, max: 24_576, minimal: 512, canDisable: true }
const pro: GeminiThinking = { kind: 'budget', min: 128, max: 32_768, minimal: 128, canDisable: false }
const none: GeminiThinking = { kind: 'none' }

// The first match wins; a model that matches nothing is taken for the newest.
const rows: readonly (readonly [RegExp, GeminiModel])[] = [
  [/^gemma-/, { ...first, systemInstruction: false }],
  [/^gemini-2\.5-.*-tts/, { ...secondAndHalf, thinking: none, writesText: false }],
  [/-tts(?:-|$)/, { ...newest, thinking: none, writesText: false }],
  [/^gemini-2\.0-.*image-generation/, second],
  [/^gemini-2\.5-.*image/, secondAndHalf],
  [/^gemini-3-pro-image/, { ...newest, thinking: none }],
  [/^gemini-3(?:\.\d+)?-.*image/, { ...newest, thinking: { kind: 'level', levels: ['minimal', 'high'] } }],
  [/^gemini-1\.|^gemini-pro(?:-vision)?$/, first],
  [/^gemini-2\.0|^gemini-exp-|^learnlm/, second],
  [/^gemini-2\.5-pro-preview-06-05/, { ...secondAndHalf, thinking: pro, penalties: false }],
  [/^gemini-2\.5-(?:pro|computer-use)/, { ...secondAndHalf, thinking: pro }],
  [/^gemini-2\.5-flash-lite/, { ...secondAndHalf, thinking: flashLite }],
  [/^gemini-(?:live-)?2\.5|^gemini-robotics-er-1\.5/, { ...secondAndHalf, thinking: flash }],
  [/^gemini-3-pro/, { ...newest, thinking: { kind: 'level', levels: ['low', 'high'] } }],
  [/^gemini-3-flash|^gemini-3\.1-flash-lite/, { ...newest, thinking: { kind: 'level', levels: thinkingLevels } }],
]

/**
 * What is known of a model, by its bare name in any case (`gemini-2.5-pro`), under what a host says of it; unknown ones
 * are taken for the newest.
 */
export function findGeminiModel(name: string, own: ModelCapabilities = {}): GeminiModel {
  const bare = name.toLowerCase()
  const row = rows.find(([pattern]) => pattern.test(bare))?.[1] ?? newest
  if (Object.keys(own).length === 0) return row
  const { jsonSchema = row.jsonSchema, refusedParameters: refused } = own
  const penalties = refused ? !refused.includes('presence_penalty') : row.penalties
  return { ...row, jsonSchema, penalties, thinking: thinkingOf(row.thinking, own) }
}

const thinkingByControl: Readonly<Record<ReasoningControl, GeminiThinking>> = {
  none,
  budget: flash,
  switch: flash,
  always: newest.thinking,
  effort: newest.thinking,
  switch_and_effort: newest.thinking,
  effort_or_budget: newest.thinking,
}

/** How each kind of thinking is steered. */
export const geminiControls = { none: 'none', budget: 'budget', level: 'effort' } as const

function thinkingOf(
  known: GeminiThinking,
  { reasoning, reasoningControl: control }: ModelCapabilities,
): GeminiThinking {
  if (control !== undefined) return geminiControls[known.kind] === control ? known : thinkingByControl[control]
  if (reasoning === false) return none
  return reasoning === true && known.kind === 'none' ? newest.thinking : known
}
