import { InvalidRequestError } from '../../errors.js'
import type { AssistantMessage, ToolCall } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, parseJson, stringOf } from '../../wire/json.js'
import type { Block, ContentTarget } from './content.js'
import { textBlock, toBlocks } from './content.js'
import { toWireName } from './tool-names.js'

/** A tool call of an assistant turn, before its id is made fit for the API. */
export interface PendingCall {
  readonly id: string
  readonly name: string
  readonly input: JsonObject
  readonly cacheControl: JsonObject | undefined
}

/** An assistant message in the order in which its parts are sent; the calls await an answer. */
export interface AssistantParts {
  readonly thinking: readonly Block[]
  readonly blocks: readonly Block[]
  readonly calls: readonly PendingCall[]
}

/** Reasoning that Claude signed, member by member as it came; blocks of other models have no signature and stay out. */
function thinkingBlocks(message: AssistantMessage): readonly Block[] {
  return (message.thinking_blocks ?? []).flatMap((block): readonly Block[] => {
    if (block.type === 'redacted_thinking') return [{ type: block.type, data: block.data }]
    const { type, thinking, signature } = block
    return stringOf(signature) === undefined ? [] : [{ type, thinking, signature }]
  })
}

/** Calls that Claude's servers ran, each followed by its result, as an earlier answer of ours told them. */
function serverBlocks(message: AssistantMessage): readonly Block[] {
  const fields = message['provider_specific_fields']
  if (!isObject(fields)) return []
  const list = (name: string): readonly JsonObject[] => {
    const value = fields[name]
    return Array.isArray(value) ? value.filter(isObject) : []
  }
  const results = [...list('web_search_results'), ...list('tool_results')]
  return list('server_tool_calls').flatMap((call) => {
    const own = results.filter((result) => result['tool_use_id'] === call['id'])
    // A call without its result is refused.
    return own.length === 0 ? [] : [call, ...own]
  })
}

function toInput(text: string, place: string): JsonObject {
  if (text.trim() === '') return {}
  const input = parseJson(text)
  if (isObject(input)) return input
  throw new InvalidRequestError(`${place} must be a JSON object written as text.`, place)
}

// Claude's servers ran these; their ids cannot be answered by the caller.
const serverCall = /^srvtoolu_/

function toPendingCalls(calls: readonly ToolCall[], place: string): readonly PendingCall[] {
  return calls.flatMap((call, index): readonly PendingCall[] => {
    if (serverCall.test(call.id)) return []
    const here = `${place}.tool_calls[${index}]`
    const name = call.function?.name ?? call.custom?.name ?? ''
    if (name === '') throw new InvalidRequestError(`${here} needs the name of a tool.`, here)
    const input = call.custom
      ? { input: call.custom.input }
      : toInput(call.function?.arguments ?? '', `${here}.function.arguments`)
    const cacheControl = isObject(call['cache_control']) ? call['cache_control'] : undefined
    return [{ id: call.id, name: toWireName(name), input, cacheControl }]
  })
}

/** The id of a legacy `function_call`, which has none: made from its place, so that its result finds it. */
export function functionCallId(messageIndex: number): string {
  return `function_call_${messageIndex}`
}

function legacyCall(message: AssistantMessage, messageIndex: number): readonly PendingCall[] {
  const call = message.function_call
  if (!call) return []
  const input = toInput(call.arguments, `messages[${messageIndex}].function_call.arguments`)
  return [{ id: functionCallId(messageIndex), name: toWireName(call.name), input, cacheControl: undefined }]
}

/**
 * Takes an assistant message apart.
 * @throws InvalidRequestError for arguments that are not a JSON object, naming the message
 */
export function assistantParts(message: AssistantMessage, index: number, target: ContentTarget): AssistantParts {
  const refusal = textBlock(message.refusal ?? '')
  return {
    thinking: thinkingBlocks(message),
    blocks: [
      ...serverBlocks(message),
      ...toBlocks(message.content, `messages[${index}]`, target),
      ...(refusal ? [refusal] : []),
    ],
    calls: [...toPendingCalls(message.tool_calls ?? [], `messages[${index}]`), ...legacyCall(message, index)],
  }
}
