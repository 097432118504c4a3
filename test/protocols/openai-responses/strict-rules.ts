import { isObject, type JsonObject, parseJson } from '../../../src/wire/json.js'

// What OpenAI's Responses API refuses with a 400, as far as its reference and its error messages tell; written apart
// from the code under test, so that both would have to be wrong in the same way.

const topLevel = [
  'background',
  'conversation',
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'model',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt',
  'prompt_cache_key',
  'prompt_cache_retention',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
]
const inputParts = ['input_text', 'input_image', 'input_file']
const outputParts = ['output_text', 'refusal']
const isName = (name: unknown): boolean => typeof name === 'string' && /^[a-zA-Z0-9_-]{1,64}$/.test(name)
const reasoners = /^(?:o\d|gpt-5|gpt-6|codex)(?!.*chat)/

type Refuse = (reason: string) => void

const objects = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])

function checkMembers(body: JsonObject, refuse: Refuse): void {
  for (const name of Object.keys(body)) if (!topLevel.includes(name)) refuse(`Unknown parameter: '${name}'.`)
  for (const [name, value] of Object.entries(body)) if (value === null) refuse(`${name} is null`)
  const limit = body['max_output_tokens']
  if (limit !== undefined && (typeof limit !== 'number' || limit < 16)) refuse('max_output_tokens: below 16')
  if (typeof body['user'] === 'string' && body['user'].length > 64) refuse('user: string too long')
  if (body['instructions'] !== undefined && typeof body['instructions'] !== 'string') refuse('instructions: no text')
  if (body['stream_options'] !== undefined && body['stream'] !== true) refuse('stream_options only with stream')
}

function checkModel(body: JsonObject, refuse: Refuse): void {
  const include: readonly unknown[] = Array.isArray(body['include']) ? body['include'] : []
  const reasons = reasoners.test(String(body['model']))
  if (!reasons && include.includes('reasoning.encrypted_content')) {
    refuse('Encrypted content is not supported with this model.')
  }
  if (!reasons && isObject(body['reasoning'])) refuse("Unsupported parameter: 'reasoning.effort'")
  const effort = isObject(body['reasoning']) ? body['reasoning']['effort'] : undefined
  const isOff = effort === 'none' || (effort === undefined && /^gpt-5\.[1-6]/.test(String(body['model'])))
  if (!reasons || isOff) return
  for (const name of ['temperature', 'top_p', 'top_logprobs']) {
    if (name in body) refuse(`Unsupported parameter: '${name}' is not supported with this model.`)
  }
}

function checkMessage(item: JsonObject, place: string, refuse: Refuse): void {
  const { role, content } = item
  if (!['user', 'assistant', 'system', 'developer'].includes(String(role))) refuse(`${place}.role: Invalid value`)
  if (typeof content === 'string') return
  if (objects(content).length === 0) refuse(`${place}.content: empty`)
  const allowed = role === 'assistant' ? outputParts : inputParts
  objects(content).forEach((part, at) => {
    const here = `${place}.content[${at}]`
    if (!allowed.includes(String(part['type']))) refuse(`${here}.type: Invalid value: '${String(part['type'])}'`)
    if (part['type'] === 'input_image' && typeof part['image_url'] !== 'string') refuse(`${here}.image_url: no text`)
    if (part['type'] === 'input_file' && part['file_data'] !== undefined && !part['filename']) {
      refuse(`${here}: Missing required parameter: 'filename'`)
    }
    if ('cache_control' in part) refuse(`Unknown parameter: '${here}.cache_control'.`)
  })
}

const calls = ['function_call', 'custom_tool_call']
const outputs = ['function_call_output', 'custom_tool_call_output']

function checkCall(item: JsonObject, place: string, refuse: Refuse): void {
  const id = item['call_id']
  if (typeof id !== 'string' || id === '' || id.length > 64) refuse(`${place}.call_id: string too long or missing`)
  if (!calls.includes(String(item['type']))) return
  if (!isName(item['name'])) refuse(`${place}.name: does not match pattern`)
  if (item['type'] === 'function_call' && parseJson(String(item['arguments'])) === undefined) {
    refuse(`${place}.arguments: no JSON`)
  }
}

function checkPairs(items: readonly JsonObject[], remembered: boolean, refuse: Refuse): void {
  const idsOf = (types: readonly string[]) =>
    items.filter((item) => types.includes(String(item['type']))).map((item) => item['call_id'])
  const [called, answered] = [idsOf(calls), idsOf(outputs)]
  for (const id of called) if (!answered.includes(id)) refuse(`No tool output found for function call ${String(id)}.`)
  for (const id of answered) {
    if (!remembered && !called.includes(id)) refuse(`No tool call found for function call output ${String(id)}.`)
  }
}

function checkReasoning(items: readonly JsonObject[], store: boolean, refuse: Refuse): void {
  items.forEach((item, at) => {
    if (item['type'] !== 'reasoning') return
    if (!Array.isArray(item['summary'])) refuse(`input[${at}].summary: Missing required parameter`)
    if (!store && typeof item['encrypted_content'] !== 'string') refuse(`Item '${String(item['id'])}' not found.`)
    const next = items[at + 1]
    const follows = next?.['role'] === 'assistant' || calls.includes(String(next?.['type']))
    if (!follows && next?.['type'] !== 'reasoning') refuse('reasoning was provided without its required following item')
  })
}

function checkTools(body: JsonObject, refuse: Refuse): void {
  objects(body['tools']).forEach((tool, at) => {
    if (tool['type'] !== 'function') return
    if (!isName(tool['name'])) refuse(`Missing required parameter: 'tools[${at}].name'.`)
    if ('function' in tool) refuse(`Unknown parameter: 'tools[${at}].function'.`)
    if (tool['strict'] === true) checkStrict(tool['parameters'], `tools[${at}].parameters`, refuse)
    if (typeof tool['strict'] !== 'boolean') refuse(`tools[${at}].strict: left to the default`)
  })
  const choice = body['tool_choice']
  if (choice !== undefined && !Array.isArray(body['tools'])) refuse('tool_choice without tools')
  if (isObject(choice) && choice['type'] === 'function' && typeof choice['name'] !== 'string') {
    refuse("Missing required parameter: 'tool_choice.name'.")
  }
}

function checkStrict(schema: unknown, place: string, refuse: Refuse): void {
  if (!isObject(schema) || schema['type'] !== 'object') return
  if (schema['additionalProperties'] !== false) refuse(`${place}: 'additionalProperties' is required to be false`)
}

function checkText(body: JsonObject, refuse: Refuse): void {
  const format = isObject(body['text']) ? body['text']['format'] : undefined
  if (!isObject(format)) return
  if (!['text', 'json_object', 'json_schema'].includes(String(format['type']))) refuse('text.format.type')
  if (format['type'] !== 'json_schema') return
  if (!isName(format['name'])) refuse("Missing required parameter: 'text.format.name'.")
  if (!isObject(format['schema'])) refuse("Missing required parameter: 'text.format.schema'.")
  if (format['strict'] === true) checkStrict(format['schema'], 'text.format.schema', refuse)
}

/** Why the real API would refuse a body; empty where it would not. */
export function refusals(body: JsonObject): readonly string[] {
  const reasons: string[] = []
  const refuse: Refuse = (reason) => reasons.push(reason)
  const items = objects(body['input'])
  if (typeof body['model'] !== 'string') refuse('model: missing')
  if (items.length === 0) refuse('input: missing')
  checkMembers(body, refuse)
  checkModel(body, refuse)
  checkTools(body, refuse)
  checkText(body, refuse)
  items.forEach((item, at) => {
    const place = `input[${at}]`
    const type = typeof item['type'] === 'string' ? item['type'] : 'message'
    if (type === 'message') checkMessage(item, place, refuse)
    else if ([...calls, ...outputs].includes(type)) checkCall(item, place, refuse)
    else if (type !== 'reasoning') refuse(`${place}: Invalid value: '${type}'`)
  })
  checkPairs(items, body['previous_response_id'] !== undefined, refuse)
  checkReasoning(items, body['store'] !== false, refuse)
  return reasons
}
