import type { ChatMessage } from '../wire/chat.js'
import { isObject, type JsonObject } from '../wire/json.js'

// Where a part may hold the address of its media, by the part's type; the member itself may also be the address.
const places: Readonly<Record<string, readonly string[]>> = {
  image_url: ['url'],
  video_url: ['url'],
  input_audio: ['data'],
  file: ['file_data', 'file_id'],
}

const isAddress = (value: unknown): value is string => typeof value === 'string' && /^https?:\/\//i.test(value)

/** Every http(s) address of media in a conversation, each once. */
export function mediaUrlsIn(messages: readonly ChatMessage[]): readonly string[] {
  const urls = new Set<string>()
  for (const message of messages) {
    for (const part of partsOf(message)) for (const url of urlsOf(part)) urls.add(url)
  }
  return [...urls]
}

/** The conversation with other addresses for some media, such as `data:` URLs; messages without them stay as they are. */
export function replaceMediaUrls(
  messages: readonly ChatMessage[],
  replacements: ReadonlyMap<string, string>,
): ChatMessage[] {
  const replace = (part: JsonObject): JsonObject => replacePart(part, replacements)
  return messages.map((message) => {
    if (!partsOf(message).some((part) => urlsOf(part).some((url) => replacements.has(url)))) return message
    const changed: JsonObject = {
      ...message,
      ...(Array.isArray(message.content) && { content: message.content.map(replace) }),
      ...(Array.isArray(message['images']) && { images: message['images'].filter(isObject).map(replace) }),
    }
    return changed as ChatMessage
  })
}

/** The parts of a message's content, and the images that an earlier answer gave. */
function partsOf(message: ChatMessage): readonly JsonObject[] {
  const images: unknown = 'images' in message ? message['images'] : undefined
  if (!Array.isArray(message.content) && !Array.isArray(images)) return []
  const content: readonly unknown[] = Array.isArray(message.content) ? message.content : []
  return [...content, ...(Array.isArray(images) ? images : [])].filter(isObject)
}

function placesOf(part: JsonObject): readonly string[] {
  const type = String(part['type'])
  return (Object.hasOwn(places, type) ? places[type] : undefined) ?? []
}

function urlsOf(part: JsonObject): readonly string[] {
  const media = part[String(part['type'])]
  const candidates = isObject(media)
    ? placesOf(part).map((name) => media[name])
    : placesOf(part).length > 0
      ? [media]
      : []
  return candidates.filter(isAddress)
}

function replacePart(part: JsonObject, replacements: ReadonlyMap<string, string>): JsonObject {
  const type = String(part['type'])
  const media = part[type]
  const other = (value: unknown): unknown => (isAddress(value) ? (replacements.get(value) ?? value) : value)
  if (!isObject(media)) return placesOf(part).length > 0 ? { ...part, [type]: other(media) } : part
  const entries = placesOf(part)
    .filter((name) => name in media)
    .map((name) => [name, other(media[name])])
  return { ...part, [type]: { ...media, ...Object.fromEntries(entries) } }
}
