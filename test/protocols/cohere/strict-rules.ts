import { isObject, numberOf, type JsonObject } from '../../../src/wire/json.js'

// What `/v2/chat` refuses: https://docs.cohere.com/reference/chat, and the words of its own refusals.
const members = [
  'citation_options',
  'documents',
  'frequency_penalty',
  'k',
  'logprobs',
  'max_tokens',
  'messages',
  'model',
  'p',
  'presence_penalty',
  'priority',
  'response_format',
  'safety_mode',
  'seed',
  'stop_sequences',
  'stream',
  'strict_tools',
  'temperature',
  'thinking',
  'tool_choice',
  'tools',
]
const partTypes: Readonly<Record<string, readonly string[]>> = {
  system: ['text'],
  user: ['text', 'image_url'],
  assistant: ['text', 'thinking'],
  tool: ['text', 'document'],
}

/** Every rule that a body of `/v2/chat` breaks; empty where the API would take it. */
export function brokenRules(body: JsonObject): readonly string[] {
  const problems = Object.keys(body)
    .filter((name) => !members.includes(name))
    .map((name) => `unknown field: parameter ${name} is not a valid field`)
  for (const name of ['frequency_penalty', 'presence_penalty']) {
    const value = numberOf(body[name]) ?? 0
    if (value < 0 || value > 1) problems.push(`${name} must be between 0 and 1`)
  }
  const choice = body['tool_choice']
  if (choice !== undefined && choice !== 'REQUIRED' && choice !== 'NONE') problems.push('tool_choice')
  if (choice !== undefined && body['tools'] === undefined) problems.push('tool_choice without tools')
  if (body['response_format'] !== undefined && body['tools'] !== undefined) problems.push('response_format with tools')
  const tools = Array.isArray(body['tools']) ? body['tools'].filter(isObject) : []
  problems.push(...tools.flatMap((tool) => brokenInTool(tool, body['strict_tools'] === true)))
  const messages = Array.isArray(body['messages']) ? body['messages'] : []
  return [...problems, ...messages.flatMap(brokenInMessage), ...unanswered(messages.filter(isObject))]
}

function brokenInTool({ type, function: declared }: JsonObject, strict: boolean): readonly string[] {
  if (type !== 'function' || !isObject(declared)) return ['a tool that is no function']
  const { name, description: _description, parameters, ...others } = declared
  const problems = Object.keys(others).map((other) => `unknown field in function ${String(name)}: ${other}`)
  if (!isObject(parameters)) return [...problems, `function ${String(name)} has no parameters`]
  const required = parameters['required']
  const hasRequired = Array.isArray(required) && required.length > 0
  return strict && !hasRequired ? [...problems, 'all tools must have at least one required parameter'] : problems
}

function brokenInMessage(message: unknown, at: number): readonly string[] {
  if (!isObject(message)) return [`message ${at} is no object`]
  const { role, content, tool_calls, tool_call_id, tool_plan: _plan, ...others } = message
  const problems = Object.keys(others).map((name) => `message ${at}: unknown field ${name}`)
  const types = partTypes[String(role)]
  if (!types) return [...problems, `message ${at}: role ${String(role)}`]
  if (content === undefined && tool_calls === undefined) problems.push(`message ${at} is empty`)
  if (content === null) problems.push(`message ${at}: content is null`)
  if (role === 'tool' && typeof tool_call_id !== 'string') problems.push(`message ${at}: no tool_call_id`)
  for (const part of Array.isArray(content) ? content : []) {
    const type = isObject(part) ? String(part['type']) : ''
    if (!types.includes(type)) problems.push(`message ${at}: a part of type ${type}`)
  }
  const calls: readonly unknown[] = Array.isArray(tool_calls) ? tool_calls : []
  for (const call of calls) {
    const called = isObject(call) ? call['function'] : undefined
    if (!isObject(called) || typeof called['arguments'] !== 'string') problems.push(`message ${at}: arguments`)
  }
  return problems
}

function unanswered(messages: readonly JsonObject[]): readonly string[] {
  const made = messages.flatMap(({ tool_calls: calls }) => (Array.isArray(calls) ? calls.filter(isObject) : []))
  const ids = made.map(({ id }) => id)
  return messages.flatMap(({ role, tool_call_id: id }) =>
    role === 'tool' && !ids.includes(id) ? [`no tool call found for ${String(id)}`] : [],
  )
}
