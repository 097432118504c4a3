import { isObject, numberOf, parseJson, stringOf, type JsonObject } from '../../src/wire/json.js'
import { finishReasonOf, type Answer, type AnsweredUsage, type CalledTool } from './answer.js'
import { at, objectsIn, textOf } from './exchange.js'

/** Reads a whole message or the events of a streamed one: https://platform.claude.com/docs/en/api/messages */
export function readAnthropicAnswer(payloads: readonly unknown[], streamed: boolean): Answer {
  const message = streamed ? messageFromEvents(payloads) : payloads[0]
  const blocks = objectsIn(at(message, 'content'))
  const toolCalls = blocks.filter((block) => block['type'] === 'tool_use').map(toCall)
  const stop = stringOf(at(message, 'stop_reason'))
  const choice = {
    text: join(blocks, 'text', 'text'),
    reasoning: join(blocks, 'thinking', 'thinking'),
    images: 0,
    toolCalls,
    finish: stop === undefined ? undefined : finishReasonOf(stop, toolCalls.length),
  }
  return { choices: new Map([[0, choice]]), usage: readUsage(at(message, 'usage')) }
}

function join(blocks: readonly JsonObject[], type: string, member: string): string {
  return blocks
    .filter((block) => block['type'] === type)
    .map((block) => textOf(block[member]))
    .join('')
}

function toCall(block: JsonObject): CalledTool {
  const { input } = block
  const args = typeof input === 'string' ? input : JSON.stringify(input ?? {})
  return { id: stringOf(block['id']), name: textOf(block['name']), arguments: args === '' ? '{}' : args }
}

/** Puts a message together again from its events, block by block. */
function messageFromEvents(events: readonly unknown[]): JsonObject {
  const blocks: Record<string, unknown>[] = []
  let usage: JsonObject = {}
  let stop: unknown
  for (const event of events.filter(isObject)) {
    const { type, index, delta } = event
    if (type === 'message_start') usage = { ...usage, ...object(at(event, 'message', 'usage')) }
    if (type === 'content_block_start') blocks[Number(index)] = { ...object(event['content_block']) }
    if (type === 'content_block_delta' && isObject(delta)) addDelta(blocks[Number(index)] ?? {}, delta)
    if (type === 'message_delta') {
      usage = { ...usage, ...object(event['usage']) }
      stop = at(delta, 'stop_reason') ?? stop
    }
  }
  return { content: blocks.map(closeBlock), usage, stop_reason: stop }
}

function object(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

function addDelta(block: Record<string, unknown>, delta: JsonObject): void {
  const members: Readonly<Record<string, readonly [string, string]>> = {
    text_delta: ['text', 'text'],
    thinking_delta: ['thinking', 'thinking'],
    input_json_delta: ['partial_json', 'json'],
  }
  const [from, to] = members[textOf(delta['type'])] ?? []
  if (from !== undefined && to !== undefined) block[to] = textOf(block[to]) + textOf(delta[from])
}

function closeBlock(block: JsonObject): JsonObject {
  const { json } = block
  if (typeof json !== 'string' || json === '') return block
  // A call that the token limit cut is no JSON; its fragments are the arguments then.
  return { ...block, input: parseJson(json) ?? json }
}

function readUsage(usage: unknown): AnsweredUsage | undefined {
  if (!isObject(usage)) return undefined
  const input = numberOf(usage['input_tokens'])
  const output = numberOf(usage['output_tokens'])
  if (input === undefined || output === undefined) return undefined
  // Anthropic counts cached and cache-written tokens apart from `input_tokens`.
  const cached =
    (numberOf(usage['cache_creation_input_tokens']) ?? 0) + (numberOf(usage['cache_read_input_tokens']) ?? 0)
  return { prompt: input + cached, completion: output, total: input + cached + output }
}
