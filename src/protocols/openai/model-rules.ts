import { openaiImageParameters, openaiModelRules, type OpenAIModelRules } from '../../catalog/openai-models.js'
import type { Deployment } from '../../deployment.js'
import { isObject, stringOf } from '../../wire/json.js'
import { applyNames, type Draft, knownParameters, refuse } from './parameters.js'

const completionTokens = { max_tokens: 'max_completion_tokens' }

/** Writes a chat body as OpenAI's own model family demands it; gives back the family's rules, undefined for other models. */
export function applyChatModelRules(
  draft: Draft,
  model: string,
  { capabilities }: Deployment,
): OpenAIModelRules | undefined {
  const rules = openaiModelRules(model, capabilities)
  if (!rules) return undefined
  const { body } = draft
  if (rules.tokenLimit === 'max_completion_tokens') applyNames(body, completionTokens, undefined)
  for (const name of rules.refused) refuse(draft, name)
  if (rules.accepted) refuseAllBut(draft, knownParameters.chat, rules.accepted)
  if (rules.tools !== 'any_effort' && hasFunctionTools(body['tools'])) settleEffort(draft, rules.tools)
  if ((stringOf(body['reasoning_effort']) ?? rules.defaultEffort) !== 'none') {
    for (const name of rules.refusedWhileReasoning) refuse(draft, name)
  }
  return rules
}

const hasFunctionTools = (tools: unknown): boolean =>
  Array.isArray(tools) && tools.some((tool: unknown) => isObject(tool) && tool['type'] === 'function')

/** These models take function tools on this endpoint only while they do not reason. */
function settleEffort(draft: Draft, tools: 'no_effort' | 'explicit_none'): void {
  const { body } = draft
  if ('reasoning_effort' in body && body['reasoning_effort'] !== 'none') refuse(draft, 'reasoning_effort')
  if (tools === 'explicit_none' && !('reasoning_effort' in body)) body['reasoning_effort'] = 'none'
}

/** Refuses what OpenAI's own image model does not take. `b64_json` is what the newer ones always give, so it only leaves the body. */
export function applyImageModelRules(draft: Draft, model: string): void {
  const accepted = openaiImageParameters(model)
  if (!accepted) return
  if (!accepted.includes('response_format') && draft.body['response_format'] === 'b64_json') {
    delete draft.body['response_format']
  }
  refuseAllBut(draft, knownParameters.images, accepted)
}

function refuseAllBut(draft: Draft, known: ReadonlySet<string>, accepted: readonly string[]): void {
  for (const name of Object.keys(draft.body)) {
    if (known.has(name) && !accepted.includes(name)) refuse(draft, name)
  }
}
