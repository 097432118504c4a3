import type { JsonObject } from '../../../src/wire/json.js'
import { isObject } from '../../../src/wire/json.js'

// What the real API refuses with a 400, as far as its documentation and its error messages tell; written apart from
// the code under test, so that both would have to be wrong in the same way.

const namePattern = /^[a-zA-Z0-9_-]{1,64}$/
const topLevel = [
  'model',
  'max_tokens',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'metadata',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'stream',
  'service_tier',
  'container',
  'mcp_servers',
  'context_management',
  'cache_control',
  'speed',
  'inference_geo',
  'diagnostics',
]

interface ModelRules {
  readonly thinking: readonly string[]
  readonly sampling: 'all' | 'one' | 'none'
  readonly prefill: boolean
  readonly format: boolean
  readonly efforts: readonly string[]
  readonly forced: boolean
  readonly maxTokens: number
}

const oldest = {
  thinking: ['disabled'],
  sampling: 'all',
  prefill: true,
  format: false,
  efforts: [],
  forced: true,
} as const
const budget = { ...oldest, thinking: ['disabled', 'enabled'] } as const
const later = ['low', 'medium', 'high', 'xhigh', 'max']

/** The models that the tests speak to. */
export const modelRules: Readonly<Record<string, ModelRules>> = {
  'claude-3-haiku-20240307': { ...oldest, maxTokens: 4096 },
  'claude-3-7-sonnet-20250219': { ...budget, maxTokens: 64_000 },
  'claude-sonnet-4-20250514': { ...budget, maxTokens: 64_000 },
  'claude-opus-4-1': { ...budget, sampling: 'one', format: true, maxTokens: 32_000 },
  'claude-sonnet-4-5': { ...budget, sampling: 'one', format: true, maxTokens: 64_000 },
  'claude-sonnet-4-6': {
    thinking: ['disabled', 'enabled', 'adaptive'],
    sampling: 'one',
    prefill: false,
    format: true,
    efforts: ['low', 'medium', 'high', 'max'],
    forced: true,
    maxTokens: 128_000,
  },
  'claude-opus-4-7': {
    thinking: ['disabled', 'adaptive'],
    sampling: 'none',
    prefill: false,
    format: true,
    efforts: later,
    forced: true,
    maxTokens: 128_000,
  },
  'claude-sonnet-5': {
    thinking: ['disabled', 'adaptive', 'default'],
    sampling: 'none',
    prefill: false,
    format: true,
    efforts: later,
    forced: true,
    maxTokens: 128_000,
  },
  'claude-opus-5-5': {
    thinking: ['adaptive', 'default'],
    sampling: 'none',
    prefill: false,
    format: true,
    efforts: later,
    forced: false,
    maxTokens: 128_000,
  },
}

type Refuse = (reason: string) => void
type Blocks = readonly JsonObject[]
interface Message {
  readonly role: string
  readonly content: Blocks
}

const objects = (value: unknown): Blocks => (Array.isArray(value) ? value.filter(isObject) : [])
const ofType = (blocks: Blocks, type: string): Blocks => blocks.filter((block) => block['type'] === type)
const isThinking = (block: JsonObject | undefined): boolean =>
  block?.['type'] === 'thinking' || block?.['type'] === 'redacted_thinking'

function checkMembers(body: JsonObject, rules: ModelRules, refuse: Refuse): void {
  for (const name of Object.keys(body)) if (!topLevel.includes(name)) refuse(`${name}: Extra inputs are not permitted`)
  const maxTokens = body['max_tokens']
  if (typeof maxTokens !== 'number' || !Number.isInteger(maxTokens) || maxTokens < 1)
    refuse('max_tokens: Field required')
  else if (maxTokens > rules.maxTokens) refuse('max_tokens: above the maximum of the model')
  for (const name of Object.keys(isObject(body['metadata']) ? body['metadata'] : {})) {
    if (name !== 'user_id') refuse(`metadata.${name}: Extra inputs are not permitted`)
  }
  const stops = body['stop_sequences']
  if (Array.isArray(stops) && stops.some((stop) => String(stop).trim() === '')) {
    refuse('stop_sequences: each stop sequence must contain non-whitespace')
  }
}

function checkBlock(block: JsonObject, place: string, refuse: Refuse): void {
  const source = isObject(block['source']) ? block['source'] : {}
  if (block['type'] === 'text' && String(block['text']).trim() === '') {
    refuse(`${place}: text content blocks must contain non-whitespace text`)
  }
  if (block['type'] === 'thinking' && (typeof block['signature'] !== 'string' || block['signature'] === '')) {
    refuse(`${place}.signature: Field required`)
  }
  if (source['type'] === 'url' && !String(source['url']).startsWith('https://')) refuse(`${place}: Only HTTPS URLs`)
  if (block['type'] === 'image' && source['type'] === 'base64') {
    if (!/^image\/(jpeg|png|gif|webp)$/.test(String(source['media_type']))) refuse(`${place}.source.media_type`)
  }
  if (block['type'] === 'tool_use') {
    if (!namePattern.test(String(block['id']))) refuse(`${place}.id: String should match pattern`)
    if (!namePattern.test(String(block['name']))) refuse(`${place}.name: String should match pattern`)
    if (!isObject(block['input'])) refuse(`${place}.input: Input should be a valid dictionary`)
  }
  if (block['type'] === 'tool_result') {
    objects(block['content']).forEach((inner, index) => checkBlock(inner, `${place}.content.${index}`, refuse))
  }
}

function checkAnswers(messages: readonly Message[], refuse: Refuse): void {
  const seen = new Set<unknown>()
  messages.forEach((message, index) => {
    const calls = message.role === 'assistant' ? ofType(message.content, 'tool_use').map((call) => call['id']) : []
    for (const id of calls) {
      if (seen.has(id)) refuse(`messages.${index}: tool_use ids must be unique`)
      seen.add(id)
    }
    const next = messages[index + 1]
    const answered = next ? ofType(next.content, 'tool_result').map((result) => result['tool_use_id']) : []
    for (const id of calls) {
      if (answered.filter((other) => other === id).length !== 1) {
        refuse(`messages.${index}: tool_use ids were found without tool_result blocks immediately after: ${String(id)}`)
      }
    }
    const first = next?.content.findIndex((block) => block['type'] !== 'tool_result') ?? -1
    const last = next?.content.findLastIndex((block) => block['type'] === 'tool_result') ?? -1
    if (first !== -1 && first < last) refuse(`messages.${index + 1}: tool_result blocks must come first`)
  })
}

/** Results may stand only in the message right after their calls. */
function checkOrphans(messages: readonly Message[], refuse: Refuse): void {
  messages.forEach((message, index) => {
    const calls = ofType(messages[index - 1]?.content ?? [], 'tool_use').map((call) => call['id'])
    for (const result of ofType(message.content, 'tool_result')) {
      if (!calls.includes(result['tool_use_id'])) refuse(`messages.${index}: unexpected tool_use_id in tool_result`)
    }
  })
}

function checkMessages(messages: readonly Message[], rules: ModelRules, refuse: Refuse): void {
  if (messages.length === 0) refuse('messages: at least one message is required')
  if (messages[0]?.role !== 'user') refuse('messages: first message must use the "user" role')
  messages.forEach((message, index) => {
    if (message.role !== 'user' && message.role !== 'assistant') refuse(`messages.${index}.role: Unexpected role`)
    if (message.role === messages[index - 1]?.role) refuse('messages: roles must alternate')
    if (message.content.length === 0) refuse(`messages.${index}: must have non-empty content`)
    message.content.forEach((block, at) => checkBlock(block, `messages.${index}.content.${at}`, refuse))
    // Thinking may follow a tool of the server, with which it is interleaved, but not what was said.
    const late = message.content.some((block, at) => isThinking(block) && message.content[at - 1]?.['type'] === 'text')
    if (late) refuse(`messages.${index}: thinking must come first`)
  })
  checkAnswers(messages, refuse)
  checkOrphans(messages, refuse)
  const last = messages.at(-1)
  if (last?.role !== 'assistant') return
  if (!rules.prefill) refuse('This model does not support assistant message prefill.')
  const text = last.content.at(-1)?.['text']
  if (typeof text === 'string' && /\s$/.test(text))
    refuse('final assistant content cannot end with trailing whitespace')
}

/** Manual thinking wants the last tool loop, or a prefill, to start with the thinking that began it. */
function checkThinkingHistory(messages: readonly Message[], refuse: Refuse): void {
  let at = messages.findLastIndex((message) => message.role === 'assistant')
  const last = messages[at]
  if (!last || isThinking(last.content[0])) return
  if (at < messages.length - 1 && ofType(last.content, 'tool_use').length === 0) return
  while (at >= 2 && messages[at - 1]?.content.every((block) => block['type'] === 'tool_result')) at -= 2
  if (!isThinking(messages[at]?.content[0]))
    refuse('Expected `thinking` or `redacted_thinking`, but found another block')
}

function checkThinking(body: JsonObject, messages: readonly Message[], rules: ModelRules, refuse: Refuse): boolean {
  const thinking = isObject(body['thinking']) ? body['thinking'] : undefined
  const type = thinking ? String(thinking['type']) : 'default'
  if (thinking && !rules.thinking.includes(type)) refuse(`"thinking.type.${type}" is not supported for this model`)
  if (type === 'enabled') {
    const tokens = Number(thinking?.['budget_tokens'])
    if (!(tokens >= 1024)) refuse('thinking.enabled.budget_tokens: Input should be greater than or equal to 1024')
    if (!(tokens < Number(body['max_tokens']))) refuse('max_tokens must be greater than thinking.budget_tokens')
    checkThinkingHistory(messages, refuse)
  }
  return type === 'enabled' || type === 'adaptive' || (type === 'default' && rules.thinking.includes('default'))
}

function checkSampling(body: JsonObject, rules: ModelRules, thinks: boolean, refuse: Refuse): void {
  const { temperature, top_p: topP, top_k: topK } = body
  if (temperature !== undefined && !(Number(temperature) >= 0 && Number(temperature) <= 1))
    refuse('temperature: range: 0..1')
  if (temperature !== undefined && topP !== undefined && rules.sampling !== 'all') {
    refuse('temperature and top_p cannot both be specified for this model')
  }
  const asks = (temperature ?? 1) !== 1 || topK !== undefined
  if (rules.sampling === 'none' && (asks || (topP ?? 1) !== 1))
    refuse('sampling parameters are not supported for this model')
  if (thinks && (asks || Number(topP ?? 1) < 0.95))
    refuse('`temperature` may only be set to 1 when thinking is enabled')
}

function checkTools(
  body: JsonObject,
  messages: readonly Message[],
  rules: ModelRules,
  thinks: boolean,
  refuse: Refuse,
): void {
  const tools = objects(body['tools'])
  const names = tools.map((tool) => String(tool['name']))
  tools.forEach((tool, index) => {
    if (!namePattern.test(String(tool['name']))) refuse(`tools.${index}.custom.name: String should match pattern`)
    if (tool['type'] !== undefined && tool['type'] !== 'custom') return
    const schema = isObject(tool['input_schema']) ? tool['input_schema'] : {}
    if (schema['type'] !== 'object') refuse(`tools.${index}.custom.input_schema.type: Field required`)
    if (tool['strict'] !== undefined && !rules.format)
      refuse(`tools.${index}.custom.strict: Extra inputs are not permitted`)
    if (tool['strict'] === true) checkSchema(schema, `tools.${index}.custom.input_schema`, refuse)
  })
  if (new Set(names).size !== names.length) refuse('tools: Tool names must be unique.')
  const blocks = messages.flatMap((message) => message.content)
  if (tools.length === 0 && blocks.some((block) => /^tool_(use|result)$/.test(String(block['type'])))) {
    refuse('Requests which include `tool_use` or `tool_result` blocks must define tools')
  }
  const choice = isObject(body['tool_choice']) ? body['tool_choice'] : undefined
  if (!choice) return
  if (tools.length === 0) refuse('tool_choice may only be specified while providing tools')
  if (choice['type'] === 'none' && 'disable_parallel_tool_use' in choice) refuse('tool_choice.none: Extra inputs')
  if (choice['type'] === 'tool' && !names.includes(String(choice['name']))) refuse('tool_choice: tool not found')
  if (choice['type'] !== 'any' && choice['type'] !== 'tool') return
  if (thinks) refuse('Thinking may not be enabled when tool_choice forces tool use.')
  if (!rules.forced) refuse('tool_choice: forced tool use is not supported for this model')
}

const schemaKeys = [
  'type',
  'enum',
  'const',
  'anyOf',
  'allOf',
  '$ref',
  '$defs',
  'definitions',
  'properties',
  'required',
  'items',
  'description',
  'title',
  'default',
  'format',
  'additionalProperties',
  'minItems',
]

function checkSchema(schema: JsonObject, place: string, refuse: Refuse): void {
  for (const key of Object.keys(schema)) if (!schemaKeys.includes(key)) refuse(`${place}: '${key}' is not supported`)
  if (schema['type'] === 'object' && schema['additionalProperties'] !== false) {
    refuse(`${place}: 'additionalProperties' must be explicitly set to false`)
  }
  const maps = [schema['properties'], schema['$defs'], schema['definitions']].filter(isObject)
  const inner = [
    ...maps.flatMap(Object.values),
    ...objects(schema['anyOf']),
    ...objects(schema['allOf']),
    schema['items'],
  ]
  for (const value of inner) if (isObject(value)) checkSchema(value, place, refuse)
}

function checkOutput(body: JsonObject, rules: ModelRules, refuse: Refuse): void {
  const config = isObject(body['output_config']) ? body['output_config'] : {}
  const effort = typeof config['effort'] === 'string' ? config['effort'] : undefined
  if (effort !== undefined && !rules.efforts.includes(effort)) refuse(`output_config.effort: ${effort}`)
  if (!isObject(config['format'])) return
  if (!rules.format) refuse('output_config.format: not supported for this model')
  checkSchema(
    isObject(config['format']['schema']) ? config['format']['schema'] : {},
    'output_config.format.schema',
    refuse,
  )
}

function checkCache(body: JsonObject, messages: readonly Message[], refuse: Refuse): void {
  const blocks = [
    ...objects(body['tools']),
    ...objects(body['system']),
    ...messages.flatMap((message) => message.content),
  ]
  const all = [...blocks, ...blocks.flatMap((block) => objects(block['content'])), body]
  const marks = all.filter((block) => block['cache_control'] !== undefined).length
  if (marks > 4) refuse(`A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`)
}

function checkBetas(body: JsonObject, messages: readonly Message[], betas: readonly string[], refuse: Refuse): void {
  if (body['mcp_servers'] !== undefined && !betas.includes('mcp-client-2025-04-04')) refuse('mcp_servers: Extra inputs')
  const sources = messages.flatMap((message) => message.content).map((block) => block['source'])
  const files = sources.some((source) => isObject(source) && source['type'] === 'file')
  if (files && !betas.includes('files-api-2025-04-14')) refuse('source.file: needs the files beta')
}

/** Every reason for which the API would refuse this body; empty for a good one. */
export function refusals(body: JsonObject, betaHeader = ''): readonly string[] {
  const reasons: string[] = []
  const refuse: Refuse = (reason) => reasons.push(reason)
  const rules = modelRules[String(body['model'])]
  if (!rules) return [`model: ${String(body['model'])}`]
  const messages = objects(body['messages']).map((message) => ({
    role: String(message['role']),
    content: objects(message['content']),
  }))
  checkMembers(body, rules, refuse)
  checkMessages(messages, rules, refuse)
  objects(body['system']).forEach((block, index) => checkBlock(block, `system.${index}`, refuse))
  const thinks = checkThinking(body, messages, rules, refuse)
  checkSampling(body, rules, thinks, refuse)
  checkTools(body, messages, rules, thinks, refuse)
  checkOutput(body, rules, refuse)
  checkCache(body, messages, refuse)
  checkBetas(body, messages, betaHeader.split(','), refuse)
  return reasons
}
