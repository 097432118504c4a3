import { GatewayError, InvalidRequestError } from '../../errors.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, stringOf } from '../../wire/json.js'
import { parseDataUrl } from '../data-url.js'

/** A content block of the Messages API. */
export type Block = JsonObject

/** What the translation of content needs to know about its target. */
export interface ContentTarget {
  readonly provider: string
  readonly model: string
  readonly vision: boolean
}

type Convert = (part: JsonObject, place: string, target: ContentTarget) => Block | undefined

const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']
const typeByExtension: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  json: 'application/json',
  html: 'text/html',
  xml: 'application/xml',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
}
const textTypes = /^(?:text\/|application\/(?:json|xml|yaml|x-yaml|javascript|x-ndjson)$)/

function extensionType(name: string | undefined): string | undefined {
  const extension = /\.([a-z0-9]+)(?:[?#]|$)/i.exec(name ?? '')?.[1]
  return extension === undefined ? undefined : typeByExtension[extension.toLowerCase()]
}

/** The members that every kind of block may carry on. */
function extras(part: JsonObject): JsonObject {
  return isObject(part['cache_control']) ? { cache_control: part['cache_control'] } : {}
}

function refuse(kind: string, place: string, target: ContentTarget): never {
  throw new GatewayError(
    'unsupported_parameter',
    `${target.provider} does not support ${kind} in ${place} for model ${target.model}.`,
    { param: place },
  )
}

/** A text block; undefined for text of nothing but white space, which the API refuses. */
export function textBlock(text: string, part: JsonObject = {}): Block | undefined {
  if (text.trim() === '') return undefined
  // Sources that an earlier answer named belong to its text.
  const citations = Array.isArray(part['citations']) ? { citations: part['citations'] } : {}
  return { type: 'text', text, ...citations, ...extras(part) }
}

function image(source: JsonObject, part: JsonObject, place: string, target: ContentTarget): Block {
  if (!target.vision) refuse('images', place, target)
  return { type: 'image', source, ...extras(part) }
}

function documentExtras(part: JsonObject, filename: string | undefined): JsonObject {
  const citations = part['citations']
  return {
    ...(filename !== undefined && { title: filename }),
    ...(isObject(citations) && { citations }),
    ...extras(part),
  }
}

interface Payload {
  readonly mediaType: string
  readonly base64: string
  readonly filename?: string | undefined
}

function inlineData(payload: Payload, part: JsonObject, place: string, target: ContentTarget): Block {
  const mediaType = payload.mediaType === 'image/jpg' ? 'image/jpeg' : payload.mediaType
  if (imageTypes.includes(mediaType)) {
    return image({ type: 'base64', media_type: mediaType, data: payload.base64 }, part, place, target)
  }
  const more = documentExtras(part, payload.filename)
  if (mediaType === 'application/pdf') {
    return { type: 'document', source: { type: 'base64', media_type: mediaType, data: payload.base64 }, ...more }
  }
  if (!textTypes.test(mediaType)) return refuse(`data of type ${mediaType}`, place, target)
  const text = Buffer.from(payload.base64, 'base64').toString('utf8')
  return { type: 'document', source: { type: 'text', media_type: 'text/plain', data: text }, ...more }
}

interface Link {
  readonly url: string
  readonly mediaType: string | undefined
  readonly filename?: string | undefined
}

function linkedData(link: Link, part: JsonObject, place: string, target: ContentTarget): Block {
  // The API fetches https only; we fetch nothing on a caller's word.
  if (!/^https:\/\//i.test(link.url)) {
    throw new InvalidRequestError(`${place} must be an https or a base64 data URL for ${target.provider}.`, place)
  }
  const source = { type: 'url', url: link.url }
  const isDocument = (link.mediaType ?? extensionType(link.url)) === 'application/pdf'
  if (isDocument) return { type: 'document', source, ...documentExtras(part, link.filename) }
  return image(source, part, place, target)
}

const fromImage: Convert = (part, place, target) => {
  const value = part['image_url']
  const url = isObject(value) ? stringOf(value['url']) : stringOf(value)
  const format = isObject(value) ? stringOf(value['format']) : undefined
  if (url === undefined) throw new InvalidRequestError(`${place}.image_url must hold a URL.`, place)
  const data = parseDataUrl(url)
  if (data) return inlineData({ ...data, mediaType: format ?? data.mediaType }, part, place, target)
  return linkedData({ url, mediaType: format }, part, place, target)
}

function uploadedFile(id: string, mediaType: string | undefined, part: JsonObject, filename?: string): Block {
  if (mediaType !== undefined && imageTypes.includes(mediaType)) {
    return { type: 'image', source: { type: 'file', file_id: id }, ...extras(part) }
  }
  const readable = mediaType === undefined || mediaType === 'application/pdf' || textTypes.test(mediaType)
  if (!readable) return { type: 'container_upload', file_id: id, ...extras(part) }
  return { type: 'document', source: { type: 'file', file_id: id }, ...documentExtras(part, filename) }
}

const fromFile: Convert = (part, place, target) => {
  const file = isObject(part['file']) ? part['file'] : {}
  const filename = stringOf(file['filename'])
  const format = stringOf(file['format'])
  const id = stringOf(file['file_id'])
  if (id !== undefined) {
    if (!/^[a-z]+:\/\//i.test(id)) return uploadedFile(id, format, part, filename)
    return linkedData({ url: id, mediaType: format ?? 'application/pdf', filename }, part, place, target)
  }
  const content = stringOf(file['file_data'])
  if (content === undefined) throw new InvalidRequestError(`${place}.file needs file_data or file_id.`, place)
  if (/^https?:\/\//i.test(content)) {
    return linkedData({ url: content, mediaType: format ?? 'application/pdf', filename }, part, place, target)
  }
  const data = parseDataUrl(content)
  const named = format ?? extensionType(filename)
  const mediaType = data?.mediaType === 'application/octet-stream' ? named : (format ?? data?.mediaType ?? named)
  const payload = { mediaType: mediaType ?? 'application/pdf', base64: data?.base64 ?? content, filename }
  return inlineData(payload, part, place, target)
}

const converters: Readonly<Record<string, Convert>> = {
  text: (part) => textBlock(stringOf(part['text']) ?? '', part),
  refusal: (part) => textBlock(stringOf(part['refusal']) ?? '', part),
  image_url: fromImage,
  file: fromFile,
  input_audio: (_, place, target) => refuse('audio', place, target),
  video_url: (_, place, target) => refuse('video', place, target),
}

/**
 * OpenAI's content as blocks, empty texts left out. Parts in Claude's own form (`document`, `search_result` …) pass.
 * @param place where the content stands, for errors: `messages[3]`
 * @throws GatewayError unsupported_parameter naming `messages[i].content[j]`; InvalidRequestError
 */
export function toBlocks(content: unknown, place: string, target: ContentTarget): readonly Block[] {
  if (typeof content === 'string') return [textBlock(content)].filter((block) => block !== undefined)
  if (!Array.isArray(content)) return []
  return content.flatMap((part: unknown, index): readonly Block[] => {
    if (!isObject(part)) return []
    const type = stringOf(part['type']) ?? ''
    const convert = Object.hasOwn(converters, type) ? converters[type] : undefined
    if (convert === undefined) return [part]
    const block = convert(part, `${place}.content[${index}]`, target)
    return block === undefined ? [] : [block]
  })
}
