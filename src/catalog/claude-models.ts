import type { ModelCapabilities, ReasoningControl } from '../deployment.js'

/** Levels of `output_config.effort`, weakest first. */
export type ClaudeEffort = 'low' | 'medium' | 'high' | 'xhigh' | 'max'

/**
 * How a generation of Claude thinks: not at all; with a token budget; adaptively or with a (deprecated) budget;
 * adaptively only; adaptively unless switched off; or always.
 */
export type ClaudeThinking = 'none' | 'budget' | 'adaptive_or_budget' | 'adaptive' | 'on_by_default' | 'always'

/** What a generation of Claude accepts; where it differs from another, a request must be written differently. */
export interface ClaudeGeneration {
  /** `free`: all; `either`: temperature or top_p, not both; `refused`: only the default values. */
  readonly sampling: 'free' | 'either' | 'refused'
  readonly thinking: ClaudeThinking
  /** Accepted `output_config.effort` values; empty where the field does not exist. */
  readonly efforts: readonly ClaudeEffort[]
  /** True where thinking text comes back only when `thinking.display` asks for it. */
  readonly hidesThinking: boolean
  /** False where `tool_choice` `any` and `tool` are always refused; elsewhere they are refused only beside thinking. */
  readonly forcedToolChoice: boolean
  /** A last assistant message is continued; elsewhere it is refused. */
  readonly assistantPrefill: boolean
  /** `output_config.format` exists, and with it `strict` on tools. */
  readonly jsonSchema: boolean
  readonly tools: boolean
  readonly vision: boolean
  /** Tokens. */
  readonly maxOutputTokens: number
}

interface Row extends ClaudeGeneration {
  /** Matched against the lower-case id with every separator written as `-`. */
  readonly pattern: RegExp
}

const original = {
  sampling: 'free',
  thinking: 'none',
  efforts: [],
  hidesThinking: false,
  forcedToolChoice: true,
  assistantPrefill: true,
  jsonSchema: false,
  tools: true,
  vision: true,
  maxOutputTokens: 4096,
} as const satisfies ClaudeGeneration

const four = { ...original, thinking: 'budget', maxOutputTokens: 32_000 } as const
const fourFive = { ...four, sampling: 'either', jsonSchema: true, maxOutputTokens: 64_000 } as const
const fourSix = {
  ...fourFive,
  thinking: 'adaptive_or_budget',
  efforts: ['low', 'medium', 'high', 'max'],
  assistantPrefill: false,
  maxOutputTokens: 128_000,
} as const
const fourSeven = {
  ...fourSix,
  sampling: 'refused',
  thinking: 'adaptive',
  efforts: ['low', 'medium', 'high', 'xhigh', 'max'],
  hidesThinking: true,
} as const
const five = { ...fourSeven, thinking: 'on_by_default' } as const
const newest = { ...five, thinking: 'always', forcedToolChoice: false } as const

// The first match wins. Source: https://platform.claude.com/docs/en/about-claude/models/overview and the pages on
// extended thinking, adaptive thinking, effort, structured outputs and migration.
const rows: readonly Row[] = [
  { pattern: /claude-(?:v?2|v1|instant)/, ...original, tools: false, vision: false },
  { pattern: /claude-3-7/, ...original, thinking: 'budget', maxOutputTokens: 64_000 },
  { pattern: /claude-3-5/, ...original, maxOutputTokens: 8192 },
  { pattern: /claude-3(?!\d)/, ...original },
  { pattern: /(?:opus|sonnet|haiku)-4-[789](?!\d)/, ...fourSeven },
  { pattern: /(?:opus|sonnet|haiku)-4-6(?!\d)/, ...fourSix },
  { pattern: /(?:opus|sonnet|haiku)-4-5(?!\d)/, ...fourFive },
  { pattern: /opus-4-1(?!\d)/, ...four, sampling: 'either', jsonSchema: true },
  { pattern: /(?:opus-4|claude-4-opus)(?!\d)/, ...four },
  { pattern: /(?:sonnet-4|claude-4-sonnet)(?!\d)/, ...four, maxOutputTokens: 64_000 },
  { pattern: /(?:opus|sonnet)-5(?=$|-\d{6,}|-latest|-v\d)/, ...five },
  { pattern: /haiku-5-5(?!\d)/, ...five, maxOutputTokens: 64_000 },
  { pattern: /claude|opus|sonnet|haiku|fable|mythos/, ...newest },
]

// Other vendors' models behind the same dialect: the original rules, plus budgets, which their servers accept.
const foreign: ClaudeGeneration = { ...original, thinking: 'budget', maxOutputTokens: 8192 }

function findRow(model: string): ClaudeGeneration {
  const id = model.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return rows.find((row) => row.pattern.test(id)) ?? foreign
}

/** How each way to think is steered. */
export const claudeControls: Readonly<Record<ClaudeThinking, ReasoningControl>> = {
  none: 'none',
  budget: 'budget',
  adaptive_or_budget: 'effort_or_budget',
  adaptive: 'effort',
  on_by_default: 'effort',
  always: 'effort',
}

const thinkingByControl: Readonly<Record<ReasoningControl, ClaudeThinking>> = {
  none: 'none',
  budget: 'budget',
  effort_or_budget: 'adaptive_or_budget',
  effort: 'adaptive',
  switch: 'on_by_default',
  switch_and_effort: 'on_by_default',
  always: 'always',
}

function thinkingOf({ thinking }: ClaudeGeneration, own: ModelCapabilities): ClaudeThinking {
  const { reasoning, reasoningControl: control } = own
  if (control !== undefined) return claudeControls[thinking] === control ? thinking : thinkingByControl[control]
  if (reasoning === false) return 'none'
  return reasoning === true && thinking === 'none' ? 'budget' : thinking
}

function samplingOf(
  { sampling }: ClaudeGeneration,
  refused: readonly string[] | undefined,
): ClaudeGeneration['sampling'] {
  if (refused === undefined) return sampling
  if (refused.includes('temperature')) return 'refused'
  return sampling === 'refused' ? 'free' : sampling
}

/**
 * The rules for a model id, in any provider's spelling (`us.anthropic.claude-…-v1:0`, `claude-…@date`, `claude-haiku-4.5`).
 * Unknown Claude ids are taken to be newer than this table; `capabilities` override what it says.
 */
export function claudeGeneration(model: string, capabilities: ModelCapabilities = {}): ClaudeGeneration {
  const row = findRow(model)
  const thinking = thinkingOf(row, capabilities)
  const takesEffort = claudeControls[thinking].includes('effort')
  return {
    sampling: samplingOf(row, capabilities.refusedParameters),
    thinking,
    efforts: takesEffort && row.efforts.length === 0 ? newest.efforts : row.efforts,
    hidesThinking: row.hidesThinking,
    forcedToolChoice: row.forcedToolChoice,
    assistantPrefill: capabilities.assistantPrefill ?? row.assistantPrefill,
    jsonSchema: capabilities.jsonSchema ?? row.jsonSchema,
    tools: capabilities.tools ?? row.tools,
    vision: capabilities.vision ?? row.vision,
    maxOutputTokens: capabilities.maxOutputTokens ?? row.maxOutputTokens,
  }
}
