import { isObject, stringOf } from '../../wire/json.js'
import type { ReasoningShape } from '../signed-reasoning.js'

/** Snowflake gives Claude's reasoning in `reasoning_details`, as OpenRouter does. */
export const reasoningDetails: ReasoningShape = {
  marker: '"reasoning_details"',
  hidden: true,
  read({ reasoning_details: details }) {
    if (!Array.isArray(details)) return []
    return details.filter(isObject).map((detail) => ({
      text: stringOf(detail['text']) ?? stringOf(detail['summary']) ?? '',
      signature: stringOf(detail['signature']),
    }))
  },
  write: (message, blocks) => ({
    ...message,
    reasoning_details: blocks.map(({ thinking, signature }, index) => ({
      type: 'reasoning.text',
      format: 'anthropic-claude-v1',
      index,
      text: thinking,
      signature,
    })),
  }),
}
