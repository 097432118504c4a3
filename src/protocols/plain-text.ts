import type { ChatMessage } from '../wire/chat.js'
import { InvalidRequestError } from '../errors.js'

/** One turn of a conversation as nothing but text. */
export interface PlainTurn {
  readonly role: 'system' | 'user' | 'assistant'
  readonly text: string
}

/**
 * A conversation as text, for APIs that take nothing else; what a tool answered becomes a turn of the user.
 * @throws InvalidRequestError for a part that is no text
 */
export function toPlainTurns(messages: readonly ChatMessage[], provider: string): readonly PlainTurn[] {
  return messages.map((message, position) => {
    const text = plainText(message.content, `messages[${position}].content`, provider)
    if (message.role === 'developer' || message.role === 'system') return { role: 'system', text }
    if (message.role !== 'assistant') return { role: 'user', text }
    const calls = (message.tool_calls ?? []).map((call) => JSON.stringify(call.function ?? call.custom ?? {}))
    return { role: 'assistant', text: [text, ...calls].filter(Boolean).join('\n') }
  })
}

/** A message's content as text. @throws InvalidRequestError for a part that is no text */
export function plainText(content: ChatMessage['content'], param: string, provider: string): string {
  if (content === undefined || content === null) return ''
  if (typeof content === 'string') return content
  return content
    .map((part) => {
      const text = part.type === 'refusal' ? part['refusal'] : part['text']
      if (typeof text === 'string') return text
      throw new InvalidRequestError(`${provider} takes text only, no content of type ${part.type}.`, param)
    })
    .join('')
}

/** The only text of a prompt. @throws InvalidRequestError for several prompts, and for tokens */
export function onlyPrompt(prompt: unknown, provider: string): string {
  const only: unknown = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
  if (typeof only === 'string') return only
  throw new InvalidRequestError(`${provider} answers one prompt at a time, as a string.`, 'prompt')
}
