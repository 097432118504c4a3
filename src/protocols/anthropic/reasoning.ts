import type { ClaudeEffort, ClaudeGeneration, ClaudeThinking } from '../../catalog/claude-models.js'
import { InvalidRequestError } from '../../errors.js'
import type { ChatRequest } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, numberOf, stringOf } from '../../wire/json.js'

/** How Claude thinks in one call. */
export interface ReasoningPlan {
  /** The `thinking` member; absent where the model's own default is right. */
  readonly thinking: JsonObject | undefined
  /** `output_config.effort`. */
  readonly effort: ClaudeEffort | undefined
  /** True where the model thinks, by order or by default. */
  readonly thinks: boolean
  /** Parameters that were not honoured, for the report to the caller. */
  readonly dropped: readonly string[]
  /** Parameters that this model cannot honour at all. */
  readonly unsupported: readonly string[]
}

/** What besides the request decides. */
export interface ReasoningContext {
  readonly generation: ClaudeGeneration
  readonly maxTokens: number
  /** `tool_choice` obliges the model to call a tool, which excludes thinking. */
  readonly forcedTool: boolean
  /** The history lacks the thinking that manual thinking demands. */
  readonly lacksThinking: boolean
  readonly dropParams: boolean
  /** The caller asked for reasoning, not only the deployment's defaults. */
  readonly asked: boolean
}

interface Wish {
  readonly mode: 'off' | 'on' | 'native'
  readonly source: 'thinking' | 'reasoning_effort'
  readonly effort: ClaudeEffort | undefined
  readonly budget: number | undefined
  readonly display: unknown
}

const minimumBudget = 1024
const efforts: Readonly<Record<string, ClaudeEffort>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'max',
}
const budgetByEffort: Readonly<Record<ClaudeEffort, number>> = {
  low: 1024,
  medium: 2048,
  high: 4096,
  xhigh: 8192,
  max: 16_384,
}

/** The effort that a budget stands for where a model takes no budgets. */
function effortOfBudget(budget: number): ClaudeEffort {
  if (budget < 4096) return 'low'
  return budget < 16_384 ? 'medium' : 'high'
}

function readEffort(request: ChatRequest): ClaudeEffort | 'none' | undefined {
  const word = stringOf(request.reasoning_effort)
  if (word === undefined || word === 'default') return undefined
  if (word === 'none' || word === 'disable') return 'none'
  const effort = Object.hasOwn(efforts, word) ? efforts[word] : undefined
  if (effort) return effort
  const known = ['none', ...Object.keys(efforts)].join(', ')
  throw new InvalidRequestError(`reasoning_effort must be one of ${known}.`, 'reasoning_effort')
}

function readWish(request: ChatRequest): Wish | undefined {
  const effort = readEffort(request)
  const thinking = isObject(request.thinking) ? request.thinking : undefined
  if (thinking === undefined) {
    if (effort === undefined) return undefined
    const off = effort === 'none'
    const level = off ? undefined : effort
    return {
      mode: off ? 'off' : 'on',
      source: 'reasoning_effort',
      effort: level,
      budget: undefined,
      display: undefined,
    }
  }
  const type = thinking['type']
  const known = type === 'enabled' || type === 'adaptive'
  return {
    mode: type === 'disabled' ? 'off' : known ? 'on' : 'native',
    source: 'thinking',
    effort: effort === 'none' ? undefined : effort,
    budget: type === 'enabled' ? numberOf(thinking['budget_tokens']) : undefined,
    display: thinking['display'],
  }
}

function knownEffort(effort: ClaudeEffort | undefined, generation: ClaudeGeneration): ClaudeEffort | undefined {
  if (effort === undefined || generation.efforts.length === 0) return undefined
  return generation.efforts.includes(effort) ? effort : 'high'
}

/** The largest allowed budget up to the wanted one; undefined where `max_tokens` leaves no room for any. */
function fitBudget(wanted: number, maxTokens: number): number | undefined {
  if (maxTokens <= minimumBudget) return undefined
  const budget = Math.max(minimumBudget, Math.trunc(wanted))
  return budget < maxTokens ? budget : Math.max(minimumBudget, Math.floor(maxTokens * 0.8))
}

const nothing = { thinking: undefined, effort: undefined, thinks: false, dropped: [], unsupported: [] } as const

/** Gives thinking up for this call: an error, unless the caller allowed it or never asked. */
function giveUp(wish: Wish, reason: string, param: string, context: ReasoningContext): ReasoningPlan {
  if (context.asked && !context.dropParams) throw new InvalidRequestError(reason, param)
  return switchedOff(wish, context.generation)
}

function switchedOff(wish: Wish, generation: ClaudeGeneration): ReasoningPlan {
  return {
    ...nothing,
    thinking: { type: 'disabled' },
    effort: knownEffort(wish.effort, generation),
    dropped: [wish.source],
  }
}

function withBudget(wish: Wish, context: ReasoningContext): ReasoningPlan {
  if (context.lacksThinking) return switchedOff(wish, context.generation)
  const wanted = wish.budget ?? budgetByEffort[wish.effort ?? 'high']
  const budget = fitBudget(wanted, context.maxTokens)
  if (budget === undefined) {
    const reason = `max_tokens must be above ${minimumBudget} for Claude to think. Raise it, or remove ${wish.source}.`
    return giveUp(wish, reason, 'max_tokens', context)
  }
  const display = wish.display === undefined ? {} : { display: wish.display }
  return { ...nothing, thinking: { type: 'enabled', budget_tokens: budget, ...display }, thinks: true }
}

function adaptively(wish: Wish, { generation }: ReasoningContext): ReasoningPlan {
  const implied = wish.budget === undefined ? undefined : effortOfBudget(wish.budget)
  // Without `display` the newer models return empty thinking, and the caller's reasoning_content would be empty.
  const display = wish.display ?? (generation.hidesThinking ? 'summarized' : undefined)
  return {
    ...nothing,
    thinking: { type: 'adaptive', ...(display !== undefined && { display }) },
    effort: knownEffort(wish.effort ?? implied, generation),
    thinks: true,
  }
}

/** What happens to a wish to think, by how the generation thinks. */
const think: Readonly<Record<ClaudeThinking, (wish: Wish, context: ReasoningContext) => ReasoningPlan>> = {
  none: (wish) => ({ ...nothing, unsupported: [wish.source] }),
  budget: withBudget,
  adaptive_or_budget: (wish, context) =>
    wish.budget === undefined ? adaptively(wish, context) : withBudget(wish, context),
  adaptive: adaptively,
  on_by_default: adaptively,
  always: adaptively,
}

function doNotThink(wish: Wish, generation: ClaudeGeneration): ReasoningPlan {
  if (generation.thinking === 'none') return nothing
  // These models cannot stop; the least effort is the nearest to it, and the caller is told.
  if (generation.thinking === 'always') return { ...nothing, effort: 'low', thinks: true, dropped: [wish.source] }
  return { ...nothing, thinking: { type: 'disabled' } }
}

/**
 * Turns `reasoning_effort` and `thinking` into what the model's generation takes.
 * @throws InvalidRequestError where the request contradicts itself and neither `dropParams` nor a default resolves it
 */
export function planReasoning(request: ChatRequest, context: ReasoningContext): ReasoningPlan {
  const { generation } = context
  const wish = readWish(request)
  if (wish === undefined) {
    const thinks = generation.thinking === 'always' || generation.thinking === 'on_by_default'
    // Nobody asked for thinking, but somebody asked for a tool call.
    const off = context.forcedTool && generation.thinking === 'on_by_default'
    return off ? { ...nothing, thinking: { type: 'disabled' } } : { ...nothing, thinks }
  }
  if (wish.mode === 'native') return { ...nothing, thinking: request.thinking ?? undefined, thinks: true }
  if (wish.mode === 'off') return doNotThink(wish, generation)
  const plan = think[generation.thinking](wish, context)
  if (!plan.thinks || !context.forcedTool) return plan
  const reason = `Claude cannot think where tool_choice forces a tool call. Remove ${wish.source} or tool_choice, or set dropParams to switch thinking off.`
  return giveUp(wish, reason, 'tool_choice', context)
}
