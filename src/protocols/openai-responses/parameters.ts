import { openaiModelRules } from '../../catalog/openai-models.js'
import { encryptsReasoning } from '../../catalog/responses-models.js'
import type { Deployment } from '../../deployment.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { type Draft, refuse } from './draft.js'
import type { ResponsesOptions } from './options.js'
import { wantedEffort } from './reasoning.js'

// The API refuses less.
const leastOutputTokens = 16
const longestUser = 64

/** Refuses what OpenAI's own model does not take; nothing for names that are not OpenAI's. */
export function applyModelRules(draft: Draft, model: string, { capabilities }: Deployment): void {
  const rules = openaiModelRules(model, capabilities)
  if (!rules) return
  for (const name of rules.refused) refuse(draft, name)
  if ((wantedEffort(draft.fields) ?? rules.defaultEffort) === 'none') return
  for (const name of rules.refusedWhileReasoning) refuse(draft, name)
}

/** The limit of output tokens that the API takes for one that a caller sets. */
export function toOutputLimit(limit: number): number {
  return Math.max(limit, leastOutputTokens)
}

/** The members that are one parameter of chat each. */
export function parameterMembers({ fields }: Draft): JsonObject {
  const limit = numberOf(fields['max_completion_tokens']) ?? numberOf(fields['max_tokens'])
  const user = stringOf(fields['user'])
  const alternatives = fields['logprobs'] === true ? numberOf(fields['top_logprobs']) : undefined
  return {
    ...(limit !== undefined && { max_output_tokens: toOutputLimit(limit) }),
    ...(user !== undefined && { user: user.slice(0, longestUser) }),
    ...(alternatives !== undefined && { top_logprobs: alternatives }),
  }
}

/** The member `text`: format and verbosity, under what the caller sends there itself. */
export function textMember(fields: JsonObject, chatResponseFormat: boolean): JsonObject {
  const own = isObject(fields['text']) ? fields['text'] : {}
  const format = chatResponseFormat ? undefined : toFormat(fields['response_format'])
  const verbosity = stringOf(fields['verbosity'])
  const text = { ...(format && { format }), ...(verbosity !== undefined && { verbosity }), ...own }
  const asked = chatResponseFormat ? fields['response_format'] : undefined
  return {
    ...(Object.keys(text).length > 0 && { text }),
    ...(asked !== undefined && { response_format: asked }),
  }
}

function toFormat(format: unknown): JsonObject | undefined {
  if (!isObject(format)) return undefined
  const { json_schema: asked, ...rest } = format
  if (format['type'] !== 'json_schema' || !isObject(asked)) return rest
  const { name, schema, strict, description } = asked
  return {
    type: 'json_schema',
    name: stringOf(name) ?? 'response',
    schema: isObject(schema) ? schema : { type: 'object' },
    ...(typeof strict === 'boolean' && { strict }),
    ...(typeof description === 'string' && { description }),
  }
}

/**
 * Whether the provider keeps the answer, and what it gives beside the text. Its own default is to store for 30 days,
 * which nobody asked for who calls chat; without that, reasoning comes back only where it is asked for encrypted.
 */
export function storageMembers(
  { fields }: Draft,
  model: string,
  { capabilities }: Deployment,
  options: ResponsesOptions,
): JsonObject {
  const own = Array.isArray(fields['include']) ? fields['include'] : []
  const stored = fields['store'] === true || stringOf(fields['previous_response_id']) !== undefined
  const reasons = encryptsReasoning(model, capabilities)
  const encrypted = !stored && reasons && options.encryptedReasoning !== false ? ['reasoning.encrypted_content'] : []
  const logprobs = fields['logprobs'] === true ? ['message.output_text.logprobs'] : []
  const include = [...new Set<unknown>([...own, ...encrypted, ...logprobs])]
  return {
    ...(fields['previous_response_id'] === undefined && { store: fields['store'] ?? false }),
    ...(include.length > 0 && { include }),
  }
}
