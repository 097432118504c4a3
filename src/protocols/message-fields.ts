import { isObject } from '../wire/json.js'

/**
 * Members of messages that a dialect has no place for and leaves out, by path: the name of a speaker, and where
 * `detail` is false, how closely an image is looked at (`auto` asks for nothing). A tool's name says no more than the
 * call that its result answers.
 */
export function lostInMessages(messages: unknown, keeps: { readonly detail: boolean }): readonly string[] {
  if (!Array.isArray(messages)) return []
  const objects = messages.filter(isObject)
  const lost: string[] = []
  if (objects.some(({ role, name }) => name && role !== 'tool' && role !== 'function')) lost.push('messages[].name')
  if (!keeps.detail && objects.some(({ content }) => Array.isArray(content) && content.some(asksDetail))) {
    lost.push('messages[].image_url.detail')
  }
  return lost
}

function asksDetail(part: unknown): boolean {
  if (!isObject(part) || !isObject(part['image_url'])) return false
  const { detail } = part['image_url']
  return detail !== undefined && detail !== null && detail !== 'auto'
}
