import { isObject, stringOf } from '../../wire/json.js'
import type { Answer } from './row-protocol.js'

/** Mistral's fill-in-the-middle answers in the shape of a chat; this makes it that of a text completion. */
export const chatAsCompletion: Answer = (body) => {
  const { choices } = body
  if (!Array.isArray(choices)) return body
  return { ...body, object: 'text_completion', choices: choices.map((choice: unknown) => toTextChoice(choice)) }
}

function toTextChoice(choice: unknown): unknown {
  if (!isObject(choice) || typeof choice['text'] === 'string') return choice
  const { message, delta, ...rest } = choice
  const said = isObject(message) ? message : isObject(delta) ? delta : {}
  return { ...rest, text: stringOf(said['content']) ?? '' }
}
