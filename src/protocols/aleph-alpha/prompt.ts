import { InvalidRequestError } from '../../errors.js'
import type { ChatMessage, ContentPart } from '../../wire/chat.js'
import type { CompletionRequest } from '../../wire/completions.js'
import { isObject, type JsonObject } from '../../wire/json.js'
import { parseDataUrl } from '../data-url.js'
import { toPlainTurns } from '../plain-text.js'
import { toPrompt } from '../prompt-template.js'

/** One piece of a prompt: a text, an image as base64, or tokens (https://docs.aleph-alpha.com). */
export type PromptItem = JsonObject

/** A text completion's prompt. @throws InvalidRequestError for several prompts in one request */
export function completionItems(prompt: CompletionRequest['prompt']): readonly PromptItem[] {
  const only: unknown = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
  if (typeof only === 'string') return [{ type: 'text', data: only }]
  if (Array.isArray(only) && only.every((token) => typeof token === 'number'))
    return [{ type: 'token_ids', data: only }]
  if (typeof only === 'number') return [{ type: 'token_ids', data: [only] }]
  throw new InvalidRequestError('Aleph Alpha answers one prompt at a time.', 'prompt')
}

/**
 * A conversation as one prompt. A single message of the user may hold images; several become one text.
 * @throws InvalidRequestError for an image that is no data URL, and for images in longer conversations
 */
export function chatItems(messages: readonly ChatMessage[], model: string, provider: string): readonly PromptItem[] {
  const [only] = messages
  const isSingle = messages.length === 1 && only?.role === 'user'
  if (isSingle && Array.isArray(only.content)) return only.content.map(toItem)
  return [{ type: 'text', data: toPrompt(toPlainTurns(messages, provider), model) }]
}

/** Members that OpenAI's parts do not have (crop of an image, attention controls) are Aleph Alpha's own and stay. */
function toItem(part: ContentPart): PromptItem {
  const { type } = part
  if (type === 'text') {
    const { type: _type, text, cache_control: _control, ...rest } = part
    return { type: 'text', data: text, ...rest }
  }
  if (type !== 'image_url') return part
  const { type: _type, image_url: image, cache_control: _control, ...rest } = part
  const url: unknown = isObject(image) ? image['url'] : image
  const data = typeof url === 'string' ? parseDataUrl(url)?.base64 : undefined
  if (data === undefined) {
    throw new InvalidRequestError('Aleph Alpha fetches no images: send them as data URLs.', 'messages[0].content')
  }
  return { type: 'image', data, ...rest }
}
