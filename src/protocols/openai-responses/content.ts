import { InvalidRequestError } from '../../errors.js'
import type { ChatMessage, ContentPart } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'

type Content = ChatMessage['content']

/**
 * Content of a user, instruction or tool message: a string as it is, else the API's input parts.
 * @throws InvalidRequestError for sound, and for a file without data, naming the place
 */
export function toInputContent(content: Content, place: string): string | readonly JsonObject[] {
  if (content === undefined || content === null) return ''
  if (typeof content === 'string') return content
  return content.map((part, index) => toInputPart(part, `${place}.content[${index}]`))
}

function toInputPart(part: ContentPart, place: string): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part['text'] }
    case 'refusal':
      return { type: 'input_text', text: part['refusal'] }
    case 'image_url':
      return toInputImage(part['image_url'], place)
    case 'file':
      return toInputFile(part['file'], place)
    case 'input_audio':
      throw new InvalidRequestError(`${place}: this model takes no sound.`, place)
    default:
      return part
  }
}

function toInputImage(image: unknown, place: string): JsonObject {
  const { url, detail } = isObject(image) ? image : { url: image, detail: undefined }
  if (typeof url !== 'string') throw new InvalidRequestError(`${place} needs the address of an image.`, place)
  return { type: 'input_image', image_url: url, ...(typeof detail === 'string' && { detail }) }
}

function toInputFile(file: unknown, place: string): JsonObject {
  const { file_id: id, file_data: data, filename } = isObject(file) ? file : {}
  if (stringOf(id) !== undefined) return { type: 'input_file', file_id: id }
  const text = stringOf(data)
  if (text === undefined) throw new InvalidRequestError(`${place} needs file_data or file_id.`, place)
  if (/^https?:\/\//.test(text)) return { type: 'input_file', file_url: text }
  // Data without a name is refused.
  return { type: 'input_file', filename: stringOf(filename) ?? 'file.pdf', file_data: text }
}

/** What an assistant said, as output parts or one string; undefined where it said nothing. */
export function toOutputContent(content: Content, refusal: unknown): string | readonly JsonObject[] | undefined {
  const refused = stringOf(refusal) === undefined ? [] : [{ type: 'refusal', refusal }]
  if (typeof content === 'string' && refused.length === 0) return content === '' ? undefined : content
  const said = typeof content === 'string' ? [{ type: 'text', text: content } as const] : (content ?? [])
  const parts = [...said.flatMap(toOutputPart), ...refused]
  return parts.length === 0 ? undefined : parts
}

function toOutputPart(part: ContentPart): readonly JsonObject[] {
  if (part.type === 'text') return part['text'] === '' ? [] : [{ type: 'output_text', text: part['text'] }]
  if (part.type === 'refusal') return [{ type: 'refusal', refusal: part['refusal'] }]
  return part.type === 'output_text' ? [part] : []
}

/** Text of a content without anything but text, parts joined by line feeds; undefined where another part is in it. */
export function textOfContent(content: Content): string | undefined {
  if (content === undefined || content === null || typeof content === 'string') return content ?? ''
  const texts = content.map((part) => (part.type === 'text' ? stringOf(part['text']) : undefined) ?? '')
  return content.every((part) => part.type === 'text') ? texts.filter(Boolean).join('\n') : undefined
}
