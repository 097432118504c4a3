import type { ToolCall } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { toToolCallId } from './tool-call-ids.js'

/** Arguments as JSON text: objects are written out, nothing becomes `{}`. */
export function toArguments(value: unknown): string {
  if (typeof value === 'string') return value.trim() === '' ? '{}' : value
  return value === undefined || value === null ? '{}' : JSON.stringify(value)
}

/** Tool calls in OpenAI's shape; the same array where they already are, undefined where there is none. */
export function toToolCalls(calls: unknown, exchangeId: string, choice: number): readonly ToolCall[] | undefined {
  if (!Array.isArray(calls) || calls.length === 0) return undefined
  const after = calls
    .filter(isObject)
    .map((call, position) => toToolCall(call, toToolCallId(exchangeId, choice, position)))
  if (after.length === 0) return undefined
  const isSame = after.length === calls.length && after.every((call, position) => call === calls[position])
  return isSame ? (calls as ToolCall[]) : after
}

function toToolCall(call: JsonObject, fallbackId: string): ToolCall {
  const id = stringOf(call['id']) ?? fallbackId
  const type = stringOf(call['type']) ?? (isObject(call['custom']) ? 'custom' : 'function')
  const definition = call['function']
  if (!isObject(definition)) return { ...call, id, type }
  const given = definition['arguments'] ?? definition['parameters']
  const text = toArguments(given)
  if (id === call['id'] && type === call['type'] && text === definition['arguments']) return call as ToolCall
  const { parameters: _parameters, ...rest } = definition
  return { ...call, id, type, function: { ...rest, name: stringOf(rest['name']) ?? '', arguments: text } }
}
