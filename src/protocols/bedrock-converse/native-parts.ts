import { InvalidRequestError } from '../../errors.js'
import type { ChatMessage, ChatRequest } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, stringOf } from '../../wire/json.js'
import { parseDataUrl } from '../data-url.js'
import { createDocumentNames, type DocumentNames, type Media, mediaBlock } from './media.js'

/** The type of a part that holds a block of Converse as it is to be sent. */
export const nativeType = 'bedrock_block'

/** Members of Converse's content blocks that a caller may send as they are: `{ type: 'document', document: { … } }`. */
const nativeMembers = [
  'audio',
  'cachePoint',
  'citationsContent',
  'document',
  'guardContent',
  'image',
  'json',
  'searchResult',
  'video',
]

type Convert = (part: JsonObject, place: string, names: DocumentNames) => JsonObject

/** Reads a `data:` or `s3://` URL; Bedrock fetches nothing from the web, and nothing is fetched here on a caller's word. */
function fromUrl(url: string, format: string | undefined, filename: string | undefined, place: string): Media {
  const data = parseDataUrl(url)
  if (data) return { mediaType: format ?? data.mediaType, source: { base64: data.base64 }, filename }
  if (url.startsWith('s3://')) return { mediaType: format, source: { s3: url }, filename }
  throw new InvalidRequestError(
    `${place} must be a base64 data URL or an s3:// address: Bedrock fetches no others.`,
    place,
  )
}

function fromLink(member: string): Convert {
  return (part, place, names) => {
    const value = part[member]
    const url = isObject(value) ? stringOf(value['url']) : stringOf(value)
    if (url === undefined) throw new InvalidRequestError(`${place}.${member} must hold a URL.`, place)
    const format = isObject(value) ? stringOf(value['format']) : undefined
    return mediaBlock(fromUrl(url, format, undefined, place), part, place, names)
  }
}

const fromFile: Convert = (part, place, names) => {
  const file = isObject(part['file']) ? part['file'] : {}
  const [filename, format] = [stringOf(file['filename']), stringOf(file['format'])]
  const content = stringOf(file['file_data']) ?? stringOf(file['file_id'])
  if (content === undefined) throw new InvalidRequestError(`${place}.file needs file_data or file_id.`, place)
  if (/^[a-z][a-z0-9+.-]*:/i.test(content)) {
    const media = fromUrl(content, format, filename, place)
    const isUntyped = media.mediaType === 'application/octet-stream'
    return mediaBlock(isUntyped ? { ...media, mediaType: undefined } : media, part, place, names)
  }
  const mediaType = format ?? (filename === undefined ? 'application/pdf' : undefined)
  return mediaBlock({ mediaType, source: { base64: content }, filename }, part, place, names)
}

const fromAudio: Convert = (part, place, names) => {
  const audio = isObject(part['input_audio']) ? part['input_audio'] : {}
  const media = { mediaType: `audio/${stringOf(audio['format']) ?? 'wav'}`, filename: undefined }
  return mediaBlock({ ...media, source: { base64: stringOf(audio['data']) ?? '' } }, part, place, names)
}

const converters: Readonly<Record<string, Convert>> = {
  image_url: fromLink('image_url'),
  video_url: fromLink('video_url'),
  file: fromFile,
  input_audio: fromAudio,
  guarded_text: ({ text, qualifiers }) => ({
    guardContent: { text: { text, ...(Array.isArray(qualifiers) && { qualifiers }) } },
  }),
}

function toNative(part: JsonObject, place: string, names: DocumentNames): JsonObject {
  const type = stringOf(part['type']) ?? ''
  const mark = isObject(part['cache_control']) ? { cache_control: part['cache_control'] } : {}
  if (nativeMembers.includes(type) && part[type] !== undefined && part[type] !== null) {
    return { type: nativeType, block: { [type]: part[type] }, ...mark }
  }
  const convert = Object.hasOwn(converters, type) ? converters[type] : undefined
  return convert ? { type: nativeType, block: convert(part, place, names), ...mark } : part
}

function convertMessage(message: ChatMessage, index: number, names: DocumentNames): ChatMessage {
  const { content } = message
  if (!Array.isArray(content) || content.every(({ type }) => type === 'text')) return message
  const parts = content.map((part, position) => toNative(part, `messages[${index}].content[${position}]`, names))
  return { ...message, content: parts } as ChatMessage
}

/**
 * The messages with every part that is not text written as the block that Converse takes; text stays as it is.
 * @throws InvalidRequestError naming the part that cannot be sent
 */
export function withNativeParts(messages: ChatRequest['messages']): ChatRequest['messages'] {
  const names = createDocumentNames()
  return messages.map((message, index) => convertMessage(message, index, names))
}
