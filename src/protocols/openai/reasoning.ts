import type { Deployment } from '../../deployment.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { type Draft, refuse } from './parameters.js'
import type { Quirks, ReasoningControl } from './quirks.js'

/** What a caller wants of a model's reasoning, from `reasoning_effort` or `thinking`, whichever it sent. */
interface Wish {
  readonly enabled: boolean
  readonly effort: string | undefined
  /** Tokens. */
  readonly budget: number | undefined
  /** `thinking.type` as it was sent. */
  readonly type: string | undefined
  /** Other members of `thinking`, which are the provider's own. */
  readonly extras: JsonObject
}

// Tokens a budget must reach to count as the effort; vLLM's and LiteLLM's steps.
const effortByBudget: readonly (readonly [number, string])[] = [
  [10_000, 'high'],
  [5_000, 'medium'],
  [2_000, 'low'],
  [0, 'minimal'],
]

const budgetByEffort: Readonly<Record<string, number>> = {
  minimal: 1_024,
  low: 1_024,
  medium: 2_048,
  high: 4_096,
  xhigh: 8_192,
  max: 16_384,
}

function readWish(effort: unknown, thinking: unknown): Wish | undefined {
  const named = stringOf(effort)
  if (isObject(thinking)) {
    const type = stringOf(thinking['type'])
    const budget = numberOf(thinking['budget_tokens'])
    const { type: _type, budget_tokens: _budget, ...extras } = thinking
    return { enabled: type !== 'disabled', effort: named, budget, type, extras }
  }
  if (named === undefined) return undefined
  return { enabled: named !== 'none', effort: named, budget: undefined, type: undefined, extras: {} }
}

/** The effort that stands for a wish; medium where only "on" was said. */
function effortOf({ enabled, effort, budget }: Wish): string {
  if (!enabled) return 'none'
  if (effort !== undefined) return effort
  if (budget === undefined) return 'medium'
  return effortByBudget.find(([least]) => budget >= least)?.[1] ?? 'minimal'
}

const typeOf = ({ enabled, type }: Wish): string => (type === 'auto' ? type : enabled ? 'enabled' : 'disabled')

type Writer = (wish: Wish, quirks: Quirks, body: JsonObject) => JsonObject

const toEffort = (wish: Wish, { efforts }: Quirks): string => {
  const effort = effortOf(wish)
  return efforts?.[effort] ?? effort
}

// One line per control: the fields that tell a provider what the caller wants.
const writers: Readonly<Record<Exclude<ReasoningControl, 'none'>, Writer>> = {
  reasoning_effort: (wish, quirks) => ({ reasoning_effort: toEffort(wish, quirks) }),
  reasoning_object: (wish, quirks) => {
    if (!wish.enabled) return { reasoning: { enabled: false } }
    if (wish.budget !== undefined) return { reasoning: { max_tokens: wish.budget } }
    return { reasoning: wish.effort === undefined ? { enabled: true } : { effort: toEffort(wish, quirks) } }
  },
  thinking_type: (wish) => ({ thinking: { ...wish.extras, type: typeOf(wish) } }),
  thinking_type_and_effort: (wish, quirks) => ({
    thinking: { ...wish.extras, type: typeOf(wish) },
    ...(wish.enabled && (wish.effort ?? wish.budget) !== undefined && { reasoning_effort: toEffort(wish, quirks) }),
  }),
  thinking_budget: (wish, quirks) => {
    if (!wish.enabled) return { thinking: { type: 'disabled' } }
    const budget = wish.budget ?? budgetByEffort[toEffort(wish, quirks)]
    return { thinking: { ...wish.extras, type: typeOf(wish), ...(budget !== undefined && { budget_tokens: budget }) } }
  },
  enable_thinking: (wish) => ({
    enable_thinking: wish.enabled,
    ...(wish.enabled && wish.budget !== undefined && { thinking_budget: wish.budget }),
  }),
  chat_template: (wish, _quirks, body) => ({
    chat_template_kwargs: {
      enable_thinking: wish.enabled,
      ...(isObject(body['chat_template_kwargs']) && body['chat_template_kwargs']),
    },
  }),
}

/** Translates `reasoning_effort` and `thinking` into what the provider understands; its own fields, if sent, win. */
export function applyReasoning(draft: Draft, quirks: Quirks, { capabilities }: Deployment): void {
  const { body } = draft
  const { reasoning, reasoningControl } = capabilities
  const reasons = reasoningControl === undefined ? reasoning === true : reasoningControl !== 'none'
  const known = quirks.reasoning ?? 'reasoning_effort'
  // The host knows its own model better than the row of its provider.
  const control = known === 'none' && reasons ? 'reasoning_effort' : known
  if (control === 'none') {
    refuse(draft, 'reasoning_effort')
    refuse(draft, 'thinking')
    return
  }
  const wish = readWish(body['reasoning_effort'], body['thinking'])
  if (!wish) return
  delete body['reasoning_effort']
  delete body['thinking']
  for (const [name, value] of Object.entries(writers[control](wish, quirks, body))) {
    if (!(name in body) || name === 'chat_template_kwargs') body[name] = value
  }
}
