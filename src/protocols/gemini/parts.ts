import type { GeminiModel } from '../../catalog/gemini-models.js'
import { InvalidRequestError } from '../../errors.js'
import type { ContentPart } from '../../wire/chat.js'
import { isObject, stringOf, type JsonObject } from '../../wire/json.js'
import { parseDataUrl } from '../data-url.js'
import type { GeminiOptions } from './options.js'

/** What turning content into parts depends on. */
export interface PartContext {
  readonly model: GeminiModel
  readonly options: GeminiOptions
}

/** What a piece of media is if nobody says: its type by file name ending, else by what it was sent as. */
interface Media {
  readonly url: string
  /** Media type that the caller declares. */
  readonly format: string | undefined
  readonly fallback: string
  /** Where the address stands in the request, for errors. */
  readonly param: string
}

const typeByExtension: Readonly<Record<string, string>> = {
  aac: 'audio/aac',
  aiff: 'audio/aiff',
  avi: 'video/avi',
  csv: 'text/csv',
  flac: 'audio/flac',
  flv: 'video/x-flv',
  gif: 'image/gif',
  heic: 'image/heic',
  heif: 'image/heif',
  htm: 'text/html',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  m4a: 'audio/mp4',
  md: 'text/markdown',
  mov: 'video/mov',
  mp3: 'audio/mp3',
  mp4: 'video/mp4',
  mpeg: 'video/mpeg',
  mpg: 'video/mpg',
  ogg: 'audio/ogg',
  opus: 'audio/opus',
  pcm16: 'audio/pcm',
  pdf: 'application/pdf',
  png: 'image/png',
  txt: 'text/plain',
  wav: 'audio/wav',
  webm: 'video/webm',
  webp: 'image/webp',
  wmv: 'video/wmv',
  xml: 'text/xml',
  '3gp': 'video/3gpp',
}

const typeOfName = (name: string | undefined): string | undefined =>
  typeByExtension[/\.([a-z0-9]+)(?:[?#].*)?$/i.exec(name ?? '')?.[1]?.toLowerCase() ?? '']

const isYouTube = (url: string): boolean => /^https?:\/\/(?:(?:www|m)\.youtube\.com|youtu\.be)\//i.test(url)
const isUpload = (url: string): boolean => /^https:\/\/generativelanguage\.googleapis\.com\/\w+\/files\//i.test(url)

/** True for an http(s) address that Gemini reads by itself, whatever the model: videos on YouTube, and its own files. */
export const isGoogles = (url: string): boolean => isYouTube(url) || isUpload(url)

function fileData(uri: string, mimeType: string | undefined): JsonObject {
  return { fileData: { ...(mimeType !== undefined && { mimeType }), fileUri: uri } }
}

/** A part for an address of any kind that Gemini reads by itself; nothing is ever fetched here. */
function toMediaPart({ url, format, fallback, param }: Media, { model, options }: PartContext): JsonObject {
  if (url.startsWith('data:')) {
    const data = parseDataUrl(url)
    if (!data) throw new InvalidRequestError('A data: URL must hold base64 (data:<type>;base64,…).', param)
    return { inlineData: { mimeType: format ?? data.mediaType, data: data.base64 } }
  }
  if (url.startsWith('gs://')) return fileData(url, format ?? typeOfName(url) ?? fallback)
  if (isUpload(url)) return fileData(url, format)
  if (options.filesRoot !== undefined && /^files\/[\w-]+$/.test(url)) return fileData(options.filesRoot + url, format)
  if (isYouTube(url)) return fileData(url, format ?? 'video/mp4')
  if (!/^https?:\/\//i.test(url)) {
    throw new InvalidRequestError(
      'Media must be a base64 data: URL, an https or gs:// URL, or an uploaded file.',
      param,
    )
  }
  if (options.urlFiles || model.fetchesUrls) return fileData(url, format ?? typeOfName(url) ?? fallback)
  throw new InvalidRequestError('This model cannot fetch URLs: send the media as a base64 data: URL.', param)
}

const partLevels: Readonly<Record<string, string>> = {
  low: 'MEDIA_RESOLUTION_LOW',
  medium: 'MEDIA_RESOLUTION_MEDIUM',
  high: 'MEDIA_RESOLUTION_HIGH',
  ultra_high: 'MEDIA_RESOLUTION_ULTRA_HIGH',
}
const requestLevels = ['low', 'medium', 'high']

type Converter = (part: JsonObject, param: string, context: PartContext) => JsonObject

/** Either the bare string that some clients send, or the member of the object. */
function addressOf(value: unknown, member: string): { url: string; fields: JsonObject } {
  if (typeof value === 'string') return { url: value, fields: {} }
  const fields = isObject(value) ? value : {}
  return { url: stringOf(fields[member]) ?? '', fields }
}

const convertImage: Converter = (part, param, context) => {
  const { url, fields } = addressOf(part['image_url'], 'url')
  const format = stringOf(fields['format'])
  const media = toMediaPart({ url, format, fallback: 'image/jpeg', param: `${param}.image_url.url` }, context)
  const level = context.model.mediaResolution === 'part' ? partLevels[stringOf(fields['detail']) ?? ''] : undefined
  return level === undefined ? media : { ...media, mediaResolution: { level } }
}

/** Frame rate and cuts of a video, which only Gemini knows. */
function toVideoMetadata(part: JsonObject, fields: JsonObject): JsonObject {
  const metadata = part['videoMetadata'] ?? part['video_metadata'] ?? fields['video_metadata']
  return isObject(metadata) ? { videoMetadata: metadata } : {}
}

const convertVideo: Converter = (part, param, context) => {
  const { url, fields } = addressOf(part['video_url'], 'url')
  const format = stringOf(fields['format'])
  const media = toMediaPart({ url, format, fallback: 'video/mp4', param: `${param}.video_url.url` }, context)
  return { ...media, ...toVideoMetadata(part, fields) }
}

const convertAudio: Converter = (part, param, context) => {
  const { url: data, fields } = addressOf(part['input_audio'], 'data')
  const name = stringOf(fields['format']) ?? 'wav'
  const format = name.includes('/') ? name : (typeByExtension[name.toLowerCase()] ?? `audio/${name}`)
  if (!/^(?:data:|gs:\/\/|https?:\/\/|files\/)/.test(data)) return { inlineData: { mimeType: format, data } }
  return toMediaPart({ url: data, format, fallback: format, param: `${param}.input_audio.data` }, context)
}

const convertFile: Converter = (part, param, context) => {
  const { url: data, fields } = addressOf(part['file'], 'file_data')
  const format = stringOf(fields['format'])
  const fallback = typeOfName(stringOf(fields['filename'])) ?? 'application/pdf'
  const extra = toVideoMetadata(part, fields)
  if (data === '') {
    const id = stringOf(fields['file_id']) ?? ''
    return { ...toMediaPart({ url: id, format, fallback, param: `${param}.file.file_id` }, context), ...extra }
  }
  const isAddress = /^(?:data:|gs:\/\/|https?:\/\/)/.test(data)
  if (!isAddress) return { inlineData: { mimeType: format ?? fallback, data }, ...extra }
  return { ...toMediaPart({ url: data, format, fallback, param: `${param}.file.file_data` }, context), ...extra }
}

/** A part that only Gemini has, under its own name, as an earlier answer gave it. */
const keepNative: Converter = (part) => ({ [String(part['type'])]: part[String(part['type'])] })

const converters: Readonly<Record<string, Converter>> = {
  text: (part) => ({ text: part['text'] }),
  refusal: (part) => ({ text: part['refusal'] }),
  image_url: convertImage,
  video_url: convertVideo,
  input_audio: convertAudio,
  file: convertFile,
  toolCall: keepNative,
  toolResponse: keepNative,
  executableCode: keepNative,
  codeExecutionResult: keepNative,
}

/**
 * Content as Gemini's parts; empty texts are left out, because Gemini refuses them.
 * @throws InvalidRequestError naming the part that cannot be sent
 */
export function toParts(
  content: string | readonly ContentPart[] | null | undefined,
  param: string,
  context: PartContext,
): readonly JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ text: content }]
  return (content ?? []).flatMap((part, position) => {
    const where = `${param}[${position}]`
    const converter = Object.hasOwn(converters, part.type) ? converters[part.type] : undefined
    if (!converter) throw new InvalidRequestError(`Gemini has no content part of type ${part.type}.`, where)
    const converted = converter(part, where, context)
    return converted['text'] === '' ? [] : [converted]
  })
}

/** The text of content that may hold nothing else. @throws InvalidRequestError naming the first other part */
export function toText(content: string | readonly ContentPart[] | null | undefined, param: string): readonly string[] {
  if (typeof content === 'string') return content === '' ? [] : [content]
  return (content ?? []).flatMap((part, position) => {
    if (part.type !== 'text' || typeof part['text'] !== 'string') {
      throw new InvalidRequestError('Only text can stand here.', `${param}[${position}]`)
    }
    return part['text'] === '' ? [] : [part['text']]
  })
}

/** The finest `detail` among all images, for models that take one resolution a request; undefined where none is given. */
export function toMediaResolution(contents: readonly unknown[], model: GeminiModel): string | undefined {
  if (model.mediaResolution === 'part') return undefined
  const details = contents
    .flatMap((content): readonly unknown[] => (Array.isArray(content) ? content : []))
    .map((part) => (isObject(part) && isObject(part['image_url']) ? part['image_url']['detail'] : undefined))
    .map((detail) => requestLevels.indexOf(detail === 'ultra_high' ? 'high' : String(detail)))
  return partLevels[requestLevels[Math.max(-1, ...details)] ?? '']
}
