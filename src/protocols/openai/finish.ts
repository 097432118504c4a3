import type { FinishReason } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { isForeignFinishReason, toFinishReason } from '../finish-reason.js'

/** What a choice holds besides text, as far as it decides its finish reason. */
export interface Called {
  readonly tools: boolean
  readonly functionCall: boolean
}

/** The provider's own word for why a choice ended; undefined where it says none. */
export function nativeFinish(choice: JsonObject): string | undefined {
  const reason = choice['finish_reason']
  if (typeof reason === 'string') return reason
  const details = choice['finish_details']
  return isObject(details) ? stringOf(details['type']) : undefined
}

/** OpenAI's reason: `tool_calls` exactly where a plain end goes with tool calls. */
export function toChatFinish(native: string | undefined, called: Called): FinishReason {
  const reason = toFinishReason(native, called.tools)
  if (reason === 'tool_calls' && !called.tools) return called.functionCall ? 'function_call' : 'stop'
  return reason
}

/** The native word where it says more than OpenAI's does; undefined otherwise. */
export function foreignFinish(native: string | undefined): string | undefined {
  return native !== undefined && native !== '' && isForeignFinishReason(native) ? native : undefined
}
