import { thinkingLevels, type GeminiThinking, type ThinkingLevel } from '../../catalog/gemini-models.js'
import { InvalidRequestError } from '../../errors.js'
import type { ChatRequest } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'

/** What a caller wants of reasoning, from `thinking` or else `reasoning_effort`. */
type Wish =
  | { readonly kind: 'off' }
  | { readonly kind: 'dynamic' }
  | { readonly kind: 'effort'; readonly effort: Effort }
  | { readonly kind: 'budget'; readonly tokens: number }

type Effort = 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'

// LiteLLM's budgets for OpenAI's words; `minimal` and `max` depend on the model.
const budgets = { low: 1_024, medium: 2_048, high: 4_096, xhigh: 8_192 } as const

const efforts: Readonly<Record<string, Wish>> = {
  none: { kind: 'off' },
  disable: { kind: 'off' },
  minimal: { kind: 'effort', effort: 'minimal' },
  low: { kind: 'effort', effort: 'low' },
  medium: { kind: 'effort', effort: 'medium' },
  high: { kind: 'effort', effort: 'high' },
  xhigh: { kind: 'effort', effort: 'xhigh' },
  max: { kind: 'effort', effort: 'max' },
}

function wishOf({ thinking, reasoning_effort: effort }: ChatRequest): Wish | undefined {
  if (thinking) {
    if (thinking.type === 'disabled' || thinking.budget_tokens === 0) return { kind: 'off' }
    const tokens = thinking.budget_tokens
    return typeof tokens === 'number' && tokens > 0 ? { kind: 'budget', tokens } : { kind: 'dynamic' }
  }
  if (typeof effort !== 'string') return undefined
  const wish = Object.hasOwn(efforts, effort) ? efforts[effort] : undefined
  if (wish) return wish
  throw new InvalidRequestError(
    `reasoning_effort must be one of ${Object.keys(efforts).join(', ')}.`,
    'reasoning_effort',
  )
}

/** A thinkingConfig for the model, or the parameter that it cannot honour. */
export interface Reasoning {
  readonly thinkingConfig: JsonObject | undefined
  readonly unsupported: readonly string[]
}

/**
 * Translates `thinking` and `reasoning_effort` to a budget or a level, whichever the model takes, clamped to what it
 * allows; a model that cannot stop thinking thinks as little as it can.
 * @throws InvalidRequestError for an unknown effort
 */
export function toReasoning(request: ChatRequest, thinking: GeminiThinking): Reasoning {
  const wish = wishOf(request)
  if (!wish) return { thinkingConfig: undefined, unsupported: [] }
  if (thinking.kind === 'budget') return { thinkingConfig: toBudget(wish, thinking), unsupported: [] }
  if (thinking.kind === 'level') return { thinkingConfig: toLevel(wish, thinking.levels), unsupported: [] }
  const parameter = request.thinking ? 'thinking' : 'reasoning_effort'
  return { thinkingConfig: undefined, unsupported: wish.kind === 'off' ? [] : [parameter] }
}

function toBudget(wish: Wish, model: Extract<GeminiThinking, { kind: 'budget' }>): JsonObject {
  if (wish.kind === 'off') return { includeThoughts: false, thinkingBudget: model.canDisable ? 0 : model.min }
  if (wish.kind === 'dynamic') return { includeThoughts: true, thinkingBudget: -1 }
  const tokens =
    wish.kind === 'budget' ? wish.tokens : { ...budgets, minimal: model.minimal, max: model.max }[wish.effort]
  return { includeThoughts: true, thinkingBudget: Math.min(model.max, Math.max(model.min, tokens)) }
}

function levelOf(wish: Exclude<Wish, { kind: 'off' | 'dynamic' }>): ThinkingLevel {
  if (wish.kind === 'effort') return wish.effort === 'xhigh' || wish.effort === 'max' ? 'high' : wish.effort
  if (wish.tokens < budgets.low) return 'minimal'
  if (wish.tokens < budgets.medium) return 'low'
  return wish.tokens < budgets.high ? 'medium' : 'high'
}

function toLevel(wish: Wish, levels: readonly ThinkingLevel[]): JsonObject {
  if (wish.kind === 'off') return { includeThoughts: false, ...(levels[0] && { thinkingLevel: levels[0] }) }
  if (wish.kind === 'dynamic') return { includeThoughts: true }
  const wanted = thinkingLevels.indexOf(levelOf(wish))
  const level = levels.find((candidate) => thinkingLevels.indexOf(candidate) >= wanted) ?? levels.at(-1)
  return { includeThoughts: true, ...(level && { thinkingLevel: level }) }
}
