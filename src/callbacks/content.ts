import type { CallRecord } from '../ports/callback.js'
import { type JsonObject, isObject, stringOf } from '../wire/json.js'

/** Stands where a vendor needs a text and bodies are not recorded. */
export const noContent = 'redacted-by-sluice'

/** What went in: messages, prompt or input; undefined where bodies are not recorded. */
export function inputOf({ request }: CallRecord): unknown {
  if (!isObject(request)) return undefined
  return request['messages'] ?? request['prompt'] ?? request['input']
}

/** What came out: the one message or text, all choices where there are several, or the whole body. */
export function outputOf({ response }: CallRecord): unknown {
  if (!isObject(response)) return response
  const choices = choicesOf(response)
  if (choices.length === 0) return response
  const outputs = choices.map((choice) => choice['message'] ?? choice['text'] ?? choice)
  return outputs.length === 1 ? outputs[0] : outputs
}

/** The input as messages of the chat format. */
export function inputMessages(record: CallRecord): readonly JsonObject[] {
  const input = inputOf(record)
  if (input === undefined) return []
  if (Array.isArray(input) && input.some((part) => isObject(part) && 'role' in part)) return input.filter(isObject)
  return [{ role: 'user', content: typeof input === 'string' ? input : JSON.stringify(input) }]
}

/** The output as messages of the chat format. */
export function outputMessages(record: CallRecord): readonly JsonObject[] {
  const { response } = record
  if (!isObject(response)) return []
  return choicesOf(response).map((choice) =>
    isObject(choice['message']) ? choice['message'] : { role: 'assistant', content: choice['text'] ?? '' },
  )
}

/** A message's text: its content, or the texts of its parts. */
export function textOf({ content }: JsonObject): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .filter(isObject)
    .map((part) => stringOf(part['text']) ?? '')
    .join('')
}

/** Settings of the request besides its content: temperature, max_tokens ... */
export function parametersOf({ request }: CallRecord): JsonObject {
  if (!isObject(request)) return {}
  const entries = Object.entries(request).filter(
    ([name, value]) => !contentNames.has(name) && ['string', 'number', 'boolean'].includes(typeof value),
  )
  return Object.fromEntries(entries)
}

const contentNames: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'prompt',
  'input',
  'user',
  'metadata',
  'stream',
])

function choicesOf(response: JsonObject): readonly JsonObject[] {
  const choices = response['choices']
  return Array.isArray(choices) ? choices.filter(isObject) : []
}

/** Labels that make a call findable wherever it is shown, beside the client's own. */
export function labelsOf(record: CallRecord): JsonObject {
  const scopes = record.scopes.map(({ kind, id }) => [`scope_${kind}`, id])
  return {
    ...record.metadata,
    call_id: record.callId,
    outcome: record.outcome,
    model_group: record.modelName ?? record.requestedModel,
    deployment: record.deployment,
    provider: record.provider,
    caller: record.caller,
    ...Object.fromEntries(scopes),
    attempts: record.attempts.length,
    cached: record.cached,
    cost_is_known: record.priced,
    ...(record.guardrails.length > 0 && { guardrails: verdictsOf(record).join(' ') }),
  }
}

/** What guardrails found, such as `pii=masked`. */
export function verdictsOf({ guardrails }: CallRecord): string[] {
  return guardrails.map(({ guardrail, outcome }) => `${guardrail}=${outcome}`)
}

/** Whom a vendor shows as the user: the client's own customer, else the caller. */
export function userOf(record: CallRecord): string {
  return record.endUser ?? record.caller
}

/** The model as it is known to the public, as far as one was asked. */
export function modelOf(record: CallRecord): string {
  return record.model ?? record.modelName ?? record.requestedModel
}

/** ISO 8601 with milliseconds. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
