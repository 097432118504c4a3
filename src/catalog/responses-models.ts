import type { ModelCapabilities } from '../deployment.js'
import { openaiModelRules } from './openai-models.js'

// The maker's prefix, as resellers spell it: `openai/gpt-5`, `openai.gpt-5`, `ft:gpt-4.1`.
const bare = (model: string): string => model.replace(/^(?:openai[./]|ft:)/, '')

// Ids that the chat endpoint never served, or no longer does.
const responsesOnly = /(?:^|-)(?:pro|codex|deep-research|computer-use)(?:-|$)/

// These refuse function tools on the chat endpoint whatever their effort.
const toolsOnResponsesOnly = /^gpt-(?:6-astra|6\.1-sol)/

/**
 * True where an OpenAI model's chat has to go over the Responses API. `effort` is what the caller asked for, if
 * anything. Source: OpenAI's model pages and the error "use /v1/responses", 2026-11.
 */
export function needsResponses(model: string, hasTools: boolean, effort: string | undefined): boolean {
  const name = bare(model)
  const isOnly = responsesOnly.test(name)
  if (!isOnly && !hasTools) return false
  const rules = openaiModelRules(name)
  if (isOnly) return rules !== undefined || /^(?:codex|computer-use)-/.test(name)
  if (!rules) return false
  if (toolsOnResponsesOnly.test(name) || rules.tools === 'explicit_none') {
    return toolsOnResponsesOnly.test(name) || effort !== 'none'
  }
  return rules.tools === 'no_effort' && effort !== undefined && effort !== 'none'
}

// Models whose reasoning can be had encrypted; others answer 400 where it is asked for.
const reasoners = [
  /^o\d/,
  /^(?:gpt-5(?:\.\d+)?|gpt-[6-9](?:\.\d+)?)(?!.*(?:chat|search))/,
  /^(?:codex|computer-use)-/,
  /^grok-(?:[4-9]|build|code)(?!.*non-reasoning)/,
]

/**
 * True for models that give their reasoning encrypted, so that it can be sent back to an API that stores nothing; what a
 * host says of its model's reasoning counts for more.
 */
export function encryptsReasoning(model: string, { reasoning, reasoningControl }: ModelCapabilities = {}): boolean {
  if (reasoningControl !== undefined) return reasoningControl !== 'none'
  const name = bare(model)
  return reasoning ?? reasoners.some((pattern) => pattern.test(name))
}
