import type { JsonObject } from '../../wire/json.js'
import type { Block } from './content.js'
import type { WireMessage } from './messages.js'

/** The parts of a body that may carry cache breakpoints, in the order in which the API reads them. */
export interface Cacheable {
  readonly tools: readonly JsonObject[]
  readonly system: readonly Block[]
  readonly messages: readonly WireMessage[]
}

// Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching (a fifth one is refused).
const most = 4

const isMarked = (block: JsonObject): boolean => block['cache_control'] !== undefined && block['cache_control'] !== null

function count(blocks: readonly JsonObject[]): number {
  return blocks.reduce((sum, block) => sum + (isMarked(block) ? 1 : 0) + count(nested(block)), 0)
}

function nested(block: JsonObject): readonly Block[] {
  return block['type'] === 'tool_result' && Array.isArray(block['content']) ? block['content'] : []
}

/** Takes the mark off the first `budget.excess` marked blocks. */
function unmark(blocks: readonly JsonObject[], budget: { excess: number }): readonly JsonObject[] {
  return blocks.map((block) => {
    const inner = nested(block)
    const outer: JsonObject =
      inner.length > 0 && budget.excess > 0 ? { ...block, content: unmark(inner, budget) } : block
    if (!isMarked(outer) || budget.excess === 0) return outer
    budget.excess -= 1
    const { cache_control: _, ...rest } = outer
    return rest
  })
}

/**
 * Keeps the last four cache breakpoints: each covers everything before it, so the last ones are worth the most.
 * @param reserved breakpoints that the request sets elsewhere (the top-level `cache_control` is one)
 */
export function limitBreakpoints(parts: Cacheable, reserved: number): Cacheable {
  const blocks = parts.messages.flatMap((message) => message.content)
  const excess = count(parts.tools) + count(parts.system) + count(blocks) + reserved - most
  if (excess <= 0) return parts
  const budget = { excess }
  return {
    tools: unmark(parts.tools, budget),
    system: unmark(parts.system, budget),
    messages: parts.messages.map(({ role, content }) => ({ role, content: unmark(content, budget) })),
  }
}
