import { isObject, stringOf, type JsonObject } from '../../src/wire/json.js'
import { at, objectsIn, textOf } from './exchange.js'

type Fields = Record<string, unknown>

// Items that no message of chat can say: what tools on the provider's side did, and a context that it packed.
const sayable = new Set([
  'message',
  'reasoning',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
])
const roles = new Set(['user', 'assistant', 'system', 'developer'])

/** Whether a recorded request of the Responses API can be said in chat at all. */
export function isSayable(body: JsonObject): boolean {
  const items = inputItems(body)
  if (items.some((item) => !sayable.has(typeOf(item)))) return false
  if (items.some((item) => typeOf(item) === 'message' && !roles.has(textOf(item['role'])))) return false
  // An earlier answer by its id alone, and results without their calls, which the provider remembers.
  return items.length > 0
}

/**
 * The request in OpenAI's chat format that means what a recorded Responses request means
 * (https://platform.openai.com/docs/api-reference/responses/create). Members that chat has no word for stay as they are.
 */
export function fromResponsesRequest(body: JsonObject): JsonObject {
  const {
    input: _input,
    instructions,
    tools,
    tool_choice,
    text,
    reasoning,
    max_output_tokens,
    top_logprobs,
    ...rest
  } = body
  const system = stringOf(instructions) === undefined ? [] : [{ role: 'system', content: instructions }]
  const { include, ...others } = rest
  const logprobs = Array.isArray(include) && include.includes('message.output_text.logprobs')
  return {
    ...others,
    ...(include !== undefined && { include }),
    messages: [...system, ...toMessages(inputItems(body))],
    ...(Array.isArray(tools) && { tools: tools.map(toTool) }),
    ...(tool_choice !== undefined && { tool_choice: toChoice(tool_choice) }),
    ...fromText(text),
    ...fromReasoning(reasoning),
    ...(max_output_tokens !== undefined && { max_completion_tokens: max_output_tokens }),
    ...(logprobs && { logprobs: true }),
    ...(top_logprobs !== undefined && { top_logprobs, logprobs: true }),
  }
}

/** The input as items, a text being one message of the user. */
export function inputItems(body: JsonObject): readonly JsonObject[] {
  const { input } = body
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : objectsIn(input)
}

function typeOf(item: JsonObject): string {
  return stringOf(item['type']) ?? 'message'
}

/** Reasoning, text and calls that follow one another are one turn of the assistant. */
function toMessages(items: readonly JsonObject[]): readonly JsonObject[] {
  const messages: Fields[] = []
  const turn = (isNext: (last: Fields) => boolean): Fields => {
    const last = messages.at(-1)
    if (last && last['role'] === 'assistant' && isNext(last)) return last
    const next: Fields = { role: 'assistant', content: null }
    messages.push(next)
    return next
  }
  for (const item of items) {
    const type = typeOf(item)
    if (type === 'reasoning')
      add(
        turn((last) => last['content'] === null && !last['tool_calls']),
        'thinking_blocks',
        toBlock(item),
      )
    else if (type === 'function_call' || type === 'custom_tool_call')
      add(
        turn(() => true),
        'tool_calls',
        toCall(item),
      )
    else if (item['role'] === 'assistant') {
      turn((last) => last['content'] === null && !last['tool_calls'])['content'] = toContent(item['content'])
    } else if (type === 'message') messages.push({ role: item['role'], content: toContent(item['content']) })
    else messages.push({ role: 'tool', tool_call_id: item['call_id'], content: toContent(item['output']) })
  }
  return messages
}

function add(message: Fields, name: string, value: unknown): void {
  const known = message[name]
  message[name] = [...(Array.isArray(known) ? known : []), value]
}

function toBlock({ id, summary, encrypted_content }: JsonObject): JsonObject {
  const texts = objectsIn(summary).map((part) => textOf(part['text']))
  return {
    type: 'thinking',
    thinking: texts.join('\n\n'),
    ...(id !== undefined && { id }),
    ...(encrypted_content !== undefined && { encrypted_content }),
    ...(texts.length > 1 && { summary: texts }),
  }
}

function toCall({ type, call_id, name, arguments: args, input }: JsonObject): JsonObject {
  if (type === 'custom_tool_call') return { id: call_id, type: 'custom', custom: { name, input } }
  return { id: call_id, type: 'function', function: { name, arguments: args } }
}

function toContent(content: unknown): unknown {
  return Array.isArray(content) ? objectsIn(content).map(toPart) : content
}

function toPart(part: JsonObject): JsonObject {
  const { type, text, image_url, detail, file_id, file_data, file_url, filename } = part
  if (type === 'input_text' || type === 'output_text') return { type: 'text', text }
  if (type === 'input_image' && typeof image_url === 'string') {
    return { type: 'image_url', image_url: { url: image_url, ...(detail !== undefined && { detail }) } }
  }
  if (type === 'input_file') {
    const data = file_data ?? file_url
    const file = { ...(file_id !== undefined && { file_id }), ...(data !== undefined && { file_data: data }) }
    return { type: 'file', file: { ...file, ...(filename !== undefined && { filename }) } }
  }
  if (type !== 'input_audio') return part
  return { type, input_audio: part['input_audio'] ?? { data: part['data'], format: part['format'] } }
}

/** Chat is lax where nothing is said, and this API strict. */
function toTool(tool: unknown): unknown {
  if (!isObject(tool)) return tool
  const { type, name, description, parameters, strict, ...rest } = tool
  if (type === 'custom') return { type, custom: { name, description, ...rest } }
  if (type !== 'function') return tool
  const named = { name, ...(description !== undefined && { description }), parameters, strict: strict ?? true }
  return { type, function: named, ...rest }
}

function toChoice(choice: unknown): unknown {
  if (!isObject(choice)) return choice
  const { type, name } = choice
  return type === 'function' || type === 'custom' ? { type, [type]: { name } } : choice
}

function fromText(text: unknown): JsonObject {
  if (!isObject(text)) return {}
  const { format, verbosity } = text
  return {
    ...(isObject(format) && { response_format: toFormat(format) }),
    ...(verbosity !== undefined && { verbosity }),
  }
}

function toFormat({ type, ...schema }: JsonObject): JsonObject {
  return type === 'json_schema' ? { type, json_schema: schema } : { type }
}

function fromReasoning(reasoning: unknown): JsonObject {
  if (!isObject(reasoning)) return {}
  const { effort, ...rest } = reasoning
  return {
    ...(effort !== undefined && { reasoning_effort: effort }),
    ...(Object.keys(rest).length > 0 && { reasoning: rest }),
  }
}

/**
 * A request of the Responses API in one spelling: instructions in one place, messages with lists of parts, without the
 * ids and states that say nothing to the model.
 */
export function canonicalResponses(body: JsonObject): JsonObject {
  const { input: _input, instructions: given, ...rest } = body
  const items = inputItems(body)
  const first = items.findIndex((item) => instructionText(item) === undefined)
  const leading = items.slice(0, first < 0 ? items.length : first)
  const texts = [stringOf(given), ...leading.map(instructionText)].filter(Boolean)
  return {
    ...rest,
    ...(texts.length > 0 && { instructions: texts.join('\n\n') }),
    input: items.slice(leading.length).flatMap(canonicalItem),
  }
}

function instructionText(item: JsonObject): string | undefined {
  if (item['role'] !== 'system' && item['role'] !== 'developer') return undefined
  const { content } = item
  if (typeof content === 'string') return content
  const texts = objectsIn(content).map((part) => (part['type'] === 'input_text' ? textOf(part['text']) : undefined))
  return texts.includes(undefined) ? undefined : texts.join('\n')
}

function canonicalItem(item: JsonObject): readonly JsonObject[] {
  const { id: _id, status: _status, phase: _phase, ...rest } = item
  const type = typeOf(item)
  if (type === 'reasoning') {
    // Reasoning that nobody can verify is not sent: without encryption only an API that stores knows it.
    if (stringOf(item['encrypted_content']) === undefined) return []
    const { content: _content, ...others } = rest
    return [{ ...others, summary: item['summary'] ?? [] }]
  }
  if (type !== 'message')
    return [{ ...rest, ...('output' in rest && { output: canonicalParts(rest['output'], 'input_text') }) }]
  const role = item['role'] === 'system' ? 'developer' : item['role']
  const parts = canonicalParts(item['content'], role === 'assistant' ? 'output_text' : 'input_text')
  const said = objectsIn(parts).filter((part) => role !== 'assistant' || part['text'] !== '')
  return role === 'assistant' && said.length === 0 ? [] : [{ role, content: said }]
}

function canonicalParts(content: unknown, type: string): readonly JsonObject[] {
  if (typeof content === 'string') return [{ type, text: content }]
  return objectsIn(content).map((part) => {
    const { annotations: _annotations, logprobs: _logprobs, ...rest } = part
    return part['type'] === 'input_image' && at(part, 'detail') === 'auto' ? without(rest, 'detail') : rest
  })
}

function without(object: JsonObject, name: string): JsonObject {
  const { [name]: _removed, ...rest } = object
  return rest
}
