import { InvalidRequestError } from '../../errors.js'
import type { JsonObject } from '../../wire/json.js'

/** Data that a part holds or points to. */
export interface Media {
  /** Lower-case, without parameters; undefined where only a name or address may tell it. */
  readonly mediaType: string | undefined
  /** Base64, or an `s3://` address. */
  readonly source: { readonly base64: string } | { readonly s3: string }
  readonly filename: string | undefined
}

type Kind = 'image' | 'document' | 'video' | 'audio'

interface Format {
  readonly kind: Kind
  readonly format: string
}

const image = (format: string): Format => ({ kind: 'image', format })
const document = (format: string): Format => ({ kind: 'document', format })
const video = (format: string): Format => ({ kind: 'video', format })
const audio = (format: string): Format => ({ kind: 'audio', format })

// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html and its members.
const byExtension: Readonly<Record<string, Format>> = {
  png: image('png'),
  jpg: image('jpeg'),
  jpeg: image('jpeg'),
  gif: image('gif'),
  webp: image('webp'),
  pdf: document('pdf'),
  csv: document('csv'),
  doc: document('doc'),
  docx: document('docx'),
  xls: document('xls'),
  xlsx: document('xlsx'),
  html: document('html'),
  txt: document('txt'),
  md: document('md'),
  mp4: video('mp4'),
  mov: video('mov'),
  mkv: video('mkv'),
  webm: video('webm'),
  flv: video('flv'),
  mpeg: video('mpeg'),
  mpg: video('mpg'),
  wmv: video('wmv'),
  '3gp': video('three_gp'),
  mp3: audio('mp3'),
  wav: audio('wav'),
  flac: audio('flac'),
  ogg: audio('ogg'),
}

const extensionByType: Readonly<Record<string, string>> = {
  'application/msword': 'doc',
  'application/pdf': 'pdf',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/json': 'txt',
  'application/xml': 'txt',
  'audio/mpeg': 'mp3',
  'audio/x-wav': 'wav',
  'text/csv': 'csv',
  'text/html': 'html',
  'text/markdown': 'md',
  'text/plain': 'txt',
  'video/3gpp': '3gp',
  'video/quicktime': 'mov',
  'video/x-flv': 'flv',
  'video/x-matroska': 'mkv',
  'video/x-ms-wmv': 'wmv',
}

function lookUp(extension: string | undefined): Format | undefined {
  const name = extension?.toLowerCase()
  return name !== undefined && Object.hasOwn(byExtension, name) ? byExtension[name] : undefined
}

/** The block's kind and format of a media type; other texts are plain text to Bedrock. */
function ofMediaType(mediaType: string): Format | undefined {
  const extension = Object.hasOwn(extensionByType, mediaType) ? extensionByType[mediaType] : mediaType.split('/')[1]
  return lookUp(extension) ?? (mediaType.startsWith('text/') ? document('txt') : undefined)
}

function ofName(name: string | undefined): Format | undefined {
  return lookUp(/\.([a-z0-9]+)(?:[?#]|$)/i.exec(name ?? '')?.[1])
}

/** Gives documents the names that Bedrock demands: of few characters, and each only once in a conversation. */
export interface DocumentNames {
  take(filename: string | undefined): string
}

/** Starts the names of one conversation; they depend on its documents alone, so that prompt caches still match. */
export function createDocumentNames(): DocumentNames {
  const taken = new Set<string>()
  return {
    take(filename) {
      const plain = (filename ?? '')
        .replaceAll(/[^\p{ASCII}]|[^\w\s\-()[\]]|_/gu, ' ')
        .replaceAll(/\s+/g, ' ')
        .trim()
        .slice(0, 180)
      const wanted = plain === '' ? 'document' : plain
      let name = wanted
      for (let copy = 2; taken.has(name); copy += 1) name = `${wanted} (${copy})`
      taken.add(name)
      return name
    },
  }
}

/** The members of a part that only documents carry on. */
function documentExtras(part: JsonObject): JsonObject {
  const kept = ['context', 'citations'].filter((name) => typeof part[name] === 'object' || name === 'context')
  return Object.fromEntries(kept.flatMap((name) => (part[name] ? [[name, part[name]]] : [])))
}

/**
 * A block of Converse that holds the media.
 * @param place where the part stands, for errors: `messages[1].content[0]`
 * @throws InvalidRequestError for media of a type that Bedrock does not know
 */
export function mediaBlock(media: Media, part: JsonObject, place: string, names: DocumentNames): JsonObject {
  const address = 's3' in media.source ? media.source.s3 : undefined
  const typed = media.mediaType === undefined ? undefined : ofMediaType(media.mediaType)
  const found = typed ?? ofName(media.filename) ?? ofName(address)
  if (!found) {
    const type = media.mediaType ?? 'an unknown type'
    throw new InvalidRequestError(`${place} holds data of ${type}, which Bedrock does not take.`, place)
  }
  const source = 'base64' in media.source ? { bytes: media.source.base64 } : { s3Location: { uri: media.source.s3 } }
  if (found.kind !== 'document') return { [found.kind]: { format: found.format, source } }
  const name = names.take(media.filename?.replace(/\.[a-z0-9]{1,5}$/i, ''))
  return { document: { format: found.format, name, source, ...documentExtras(part) } }
}
