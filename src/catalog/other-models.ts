import type { ReasoningControl } from '../deployment.js'

/** What is known of a model of one of the smaller families. */
export interface OtherModel {
  readonly tools: boolean
  readonly vision: boolean
  readonly jsonSchema: boolean
  readonly reasoning: ReasoningControl
  readonly assistantPrefill: boolean
  /** OpenAI parameters that the model does not take. */
  readonly refused: readonly string[]
  /** Tokens; undefined where only the context window limits an answer. */
  readonly maxOutputTokens?: number
  /** Tokens. */
  readonly contextWindow: number
}

interface Family {
  readonly name: string
  readonly pattern: RegExp
  /** The first match counts. */
  readonly rows: readonly (readonly [RegExp, OtherModel])[]
  /** What holds for every id that is not in a row: newer ones. */
  readonly newest: OtherModel
}

const kilo = 1024
const plain: OtherModel = {
  tools: true,
  vision: false,
  jsonSchema: true,
  reasoning: 'none',
  assistantPrefill: true,
  refused: [],
  contextWindow: 128 * kilo,
}
const textOnly: OtherModel = { ...plain, tools: false, jsonSchema: false }
const seeing: OtherModel = { ...plain, vision: true }
const thinking: OtherModel = { ...plain, reasoning: 'always' }
const switchable: OtherModel = { ...plain, reasoning: 'switch' }

const grokRefuses = ['stop', 'presence_penalty', 'frequency_penalty']
const grokThinks: OtherModel = {
  ...thinking,
  vision: true,
  assistantPrefill: false,
  refused: [...grokRefuses, 'reasoning_effort'],
}
const r1Refuses = ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'logprobs', 'top_logprobs']

// Sources: the makers' model pages and model cards, 2026-11.
const families: readonly Family[] = [
  {
    name: 'gpt-oss',
    pattern: /^gpt-oss/,
    rows: [],
    newest: { ...plain, reasoning: 'effort' },
  },
  {
    name: 'mistral',
    pattern: /^(?:open-)?(?:mistral|mixtral|ministral|magistral|codestral|devstral|pixtral|mathstral)/,
    rows: [
      [/^(?:open-)?mixtral-8x22b/, { ...plain, contextWindow: 64 * kilo }],
      [/^(?:open-)?(?:mixtral|mistral-7b)/, { ...plain, contextWindow: 32 * kilo }],
      [/^(?:open-)?(?:mistral-nemo|mathstral)|^mistral-tiny/, plain],
      [/^magistral/, { ...thinking, vision: true }],
      [/^(?:codestral|devstral)/, { ...plain, contextWindow: 256 * kilo }],
      [/^ministral-[38]b-2410|^mistral-(?:large-24|small-24)/, plain],
    ],
    newest: { ...seeing, contextWindow: 256 * kilo },
  },
  {
    name: 'deepseek',
    pattern: /^deepseek/,
    rows: [
      [/^deepseek-(?:reasoner|r1)/, { ...thinking, jsonSchema: false, refused: r1Refuses, maxOutputTokens: 64 * kilo }],
      [
        /^deepseek-(?:llm|coder|v2)/,
        { ...plain, jsonSchema: false, contextWindow: 128 * kilo, maxOutputTokens: 8 * kilo },
      ],
      [/^deepseek-(?:chat|v3(?!\.[12]))/, { ...plain, jsonSchema: false, maxOutputTokens: 8 * kilo }],
      [/^deepseek-v3/, { ...switchable, jsonSchema: false }],
    ],
    newest: { ...plain, reasoning: 'switch_and_effort', contextWindow: 1_000_000 },
  },
  {
    name: 'grok',
    pattern: /^grok/,
    rows: [
      [/^grok-(?:beta|vision-beta|2-vision)/, { ...seeing, assistantPrefill: false, contextWindow: 32 * kilo }],
      [/^grok-2/, { ...plain, assistantPrefill: false }],
      [/^grok-3-mini/, { ...plain, assistantPrefill: false, reasoning: 'effort', refused: grokRefuses }],
      [/^grok-3/, { ...plain, assistantPrefill: false }],
      [/^grok-code-fast/, { ...grokThinks, vision: false, contextWindow: 256_000 }],
      [/^grok-4(?:[.-]1)?-fast(?:-reasoning)?$/, { ...grokThinks, contextWindow: 2_000_000 }],
      [/^grok-4(?:[.-]1)?-fast-non-reasoning/, { ...seeing, assistantPrefill: false, contextWindow: 2_000_000 }],
      [/^grok-4\.20.*non-reasoning/, { ...seeing, assistantPrefill: false, contextWindow: 2_000_000 }],
      [/^grok-4\.20/, { ...grokThinks, contextWindow: 2_000_000 }],
      [/^grok-4(?:-\d+|-latest)?$/, { ...grokThinks, contextWindow: 256_000 }],
    ],
    newest: { ...seeing, assistantPrefill: false, reasoning: 'effort', refused: grokRefuses, contextWindow: 1_000_000 },
  },
  {
    name: 'llama',
    pattern: /^(?:meta-)?(?:code-?)?llama/,
    rows: [
      [/^(?:meta-)?(?:code-?)?llama-?2|^codellama/, { ...textOnly, contextWindow: 4 * kilo }],
      [/llama-?3[.-]?2-(?:11|90)b|llama-?3[.-]?2-vision/, seeing],
      [/llama-?3[.-][123]/, plain],
      [/llama-?3/, { ...textOnly, contextWindow: 8 * kilo }],
      [/llama-?4-scout/, { ...seeing, contextWindow: 10_000_000 }],
    ],
    newest: { ...seeing, contextWindow: 1_000_000 },
  },
  {
    name: 'qwen',
    pattern: /^(?:qwen|qwq|qvq)/,
    rows: [
      [/^qwq/, thinking],
      [/^qvq/, { ...thinking, vision: true }],
      [/^qwen(?:1|2)?(?:\.5)?-?vl|^qwen2\.5-?vl/, { ...seeing, tools: false }],
      [/^qwen(?:1\.5|2(?!\.)|2\.5)/, plain],
      [/^qwen3-coder/, { ...plain, contextWindow: 256 * kilo }],
      [/^qwen3-vl.*thinking/, { ...thinking, vision: true, contextWindow: 256 * kilo }],
      [/^qwen3-vl/, { ...seeing, contextWindow: 256 * kilo }],
      [/^qwen3-.*thinking/, { ...thinking, contextWindow: 256 * kilo }],
      [/^qwen3-.*instruct/, { ...plain, contextWindow: 256 * kilo }],
      [/^qwen3(?!\.)/, switchable],
      [/^qwen-?(?:max|turbo|long)/, plain],
      [/^qwen-?(?:plus|flash)/, { ...switchable, contextWindow: 1_000_000 }],
    ],
    newest: { ...switchable, vision: true, contextWindow: 256 * kilo },
  },
  {
    name: 'kimi',
    pattern: /^(?:kimi|moonshot)/,
    rows: [
      [/^moonshot-v1-8k/, { ...plain, contextWindow: 8 * kilo }],
      [/^moonshot-v1-32k/, { ...plain, contextWindow: 32 * kilo }],
      [/^moonshot/, plain],
      [/^kimi-k2-thinking/, { ...thinking, contextWindow: 256 * kilo }],
      [/^kimi-k2(?!\.)/, { ...plain, contextWindow: 256 * kilo }],
    ],
    newest: { ...switchable, vision: true, contextWindow: 256 * kilo },
  },
  {
    name: 'glm',
    pattern: /^(?:chat)?glm/,
    rows: [
      [/^glm-4(?:\.1)?v|^glm-4v/, seeing],
      [/^glm-4\.[56]v/, { ...switchable, vision: true }],
      [/^glm-4(?!\.[5-9])/, plain],
      [/^glm-4\.5/, switchable],
    ],
    newest: { ...switchable, contextWindow: 200_000 },
  },
  {
    name: 'command',
    pattern: /^(?:c4ai-|tiny-)?(?:command|aya)/,
    rows: [
      [/^command(?:-light)?(?:-nightly)?$/, { ...textOnly, contextWindow: 4 * kilo, maxOutputTokens: 4 * kilo }],
      [/command-r/, { ...plain, contextWindow: 128_000, maxOutputTokens: 4 * kilo }],
      [/command-a-(?:03-2025|translate)/, { ...plain, contextWindow: 256_000, maxOutputTokens: 8_000 }],
      [/command-a-vision/, { ...seeing, tools: false, contextWindow: 128_000, maxOutputTokens: 8_000 }],
      [/aya-vision/, { ...seeing, tools: false, contextWindow: 16_000, maxOutputTokens: 4_000 }],
      [/aya/, { ...textOnly, contextWindow: 128_000, maxOutputTokens: 4_000 }],
    ],
    // The newer ones all think: https://docs.cohere.com/docs/models
    newest: { ...plain, reasoning: 'budget', contextWindow: 256_000, maxOutputTokens: 32_000 },
  },
  {
    name: 'nova',
    pattern: /^nova-/,
    rows: [
      [/^nova-micro/, { ...plain, jsonSchema: false, contextWindow: 128_000, maxOutputTokens: 10_000 }],
      [/^nova-(?:lite|pro)/, { ...seeing, jsonSchema: false, contextWindow: 300_000, maxOutputTokens: 10_000 }],
      [/^nova-premier/, { ...seeing, jsonSchema: false, contextWindow: 1_000_000, maxOutputTokens: 32_000 }],
    ],
    newest: { ...seeing, jsonSchema: false, reasoning: 'effort', contextWindow: 1_000_000, maxOutputTokens: 64_000 },
  },
]

/** A model's family and row by its bare lower-case name; an id that no row knows takes its family's newest rule. */
export function findOtherModel(name: string): (OtherModel & { readonly family: string }) | undefined {
  const family = families.find(({ pattern }) => pattern.test(name))
  if (!family) return undefined
  const row = family.rows.find(([pattern]) => pattern.test(name))?.[1] ?? family.newest
  return { ...row, family: family.name }
}
