import type { Completion } from '../../wire/completions.js'
import { isObject, type JsonObject } from '../../wire/json.js'
import { toFinishReason } from '../finish-reason.js'
import { readContent } from './content.js'

/** A text completion's finish reason; what cannot end a text (tool calls) is a plain stop. */
export function toTextFinish(native: string | undefined): Completion['choices'][number]['finish_reason'] {
  const reason = toFinishReason(native)
  return reason === 'length' || reason === 'content_filter' ? reason : 'stop'
}

/** The text of a choice, also of servers that answer this endpoint as if it were chat. */
export function textOfChoice(choice: JsonObject): string {
  if (typeof choice['text'] === 'string') return choice['text']
  const message = choice['message'] ?? choice['delta']
  return isObject(message) ? readContent(message['content']).text : ''
}

/** Logprobs of text completions are an object or null. */
export function toTextLogprobs(logprobs: unknown): JsonObject | null {
  return isObject(logprobs) ? logprobs : null
}
