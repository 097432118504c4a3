import type { AssistantMessage, ThinkingBlock } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'

const textsOf = (parts: unknown): readonly string[] =>
  Array.isArray(parts) ? parts.flatMap((part: unknown) => (isObject(part) ? [stringOf(part['text']) ?? ''] : [])) : []

/** The readable text of a reasoning item: its summaries, else what an open model thought; blank lines between parts. */
export function reasoningText(item: JsonObject): string {
  const summary = textsOf(item['summary'])
  return (summary.length > 0 ? summary : textsOf(item['content'])).join('\n\n')
}

/**
 * A reasoning item as a block that clients and the gateway's memory keep and send back: the text, and beside it
 * `encrypted_content` and `id`. It has no `signature`, so that no other dialect takes it for one of its own. Undefined
 * where there is nothing to keep.
 */
export function toThinkingBlock(item: JsonObject): ThinkingBlock | undefined {
  const encrypted = stringOf(item['encrypted_content'])
  const thinking = reasoningText(item)
  if (encrypted === undefined && thinking === '') return undefined
  const id = stringOf(item['id'])
  const summary = textsOf(item['summary'])
  return {
    type: 'thinking',
    thinking,
    ...(id !== undefined && { id }),
    ...(encrypted !== undefined && { encrypted_content: encrypted }),
    ...(summary.length > 1 && { summary }),
  }
}

/** The reasoning items of an assistant message; blocks of other APIs, and reasoning that cannot be verified, stay out. */
export function toReasoningItems(message: AssistantMessage): readonly JsonObject[] {
  return (message.thinking_blocks ?? []).flatMap((block): readonly JsonObject[] => {
    const encrypted = stringOf(block['encrypted_content'])
    if (encrypted === undefined || block.type !== 'thinking') return []
    const id = stringOf(block['id'])
    const parts = Array.isArray(block['summary']) ? block['summary'] : [block.thinking]
    const summary = parts.filter((text) => typeof text === 'string' && text !== '')
    return [
      {
        type: 'reasoning',
        ...(id !== undefined && { id }),
        summary: summary.map((text: unknown) => ({ type: 'summary_text', text })),
        encrypted_content: encrypted,
      },
    ]
  })
}

// Tokens a budget must reach to count as the effort; the steps that vLLM and LiteLLM use.
const effortByBudget: readonly (readonly [number, string])[] = [
  [10_000, 'high'],
  [5_000, 'medium'],
  [2_000, 'low'],
]

/** The effort that the caller asks for with `reasoning_effort` or Claude's `thinking`; undefined where it leaves it open. */
export function wantedEffort(fields: JsonObject): string | undefined {
  const effort = stringOf(fields['reasoning_effort'])
  const { thinking, reasoning } = fields
  if (effort !== undefined) return effort
  if (isObject(reasoning) && stringOf(reasoning['effort']) !== undefined) return stringOf(reasoning['effort'])
  if (!isObject(thinking)) return undefined
  if (thinking['type'] === 'disabled') return 'none'
  const budget = numberOf(thinking['budget_tokens'])
  if (budget === undefined) return 'medium'
  return effortByBudget.find(([least]) => budget >= least)?.[1] ?? 'minimal'
}

/** The member `reasoning`; the caller's own object, if it sends one, wins. */
export function reasoningMember(fields: JsonObject): JsonObject {
  const effort = wantedEffort(fields)
  const own = isObject(fields['reasoning']) ? fields['reasoning'] : undefined
  if (effort === undefined && own === undefined) return {}
  return { reasoning: { ...(effort !== undefined && { effort }), ...own } }
}
