import { isObject, numberOf, stringOf, type JsonObject } from '../../wire/json.js'

interface Citation {
  readonly start: number
  readonly end: number
  readonly url: string
  readonly title: string
}

/** OpenAI's annotation of a passage with its source; offsets count characters. */
export type UrlCitation = {
  readonly type: 'url_citation'
  readonly url_citation: {
    readonly start_index: number
    readonly end_index: number
    readonly url: string
    readonly title: string
  }
}

const toAnnotation = ({ start, end, url, title }: Citation): UrlCitation => ({
  type: 'url_citation',
  url_citation: { start_index: start, end_index: end, url, title },
})

const objectsIn = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** Google counts bytes of UTF-8, OpenAI counts characters. */
function toCharacters(bytes: Buffer, offset: number): number {
  return bytes.subarray(0, offset).toString('utf8').length
}

interface Span {
  readonly start: number
  readonly end: number
}

/** Where a cited segment stands in the content: by its offsets where they fit its text, else by searching the text. */
function spanOf(segment: JsonObject, content: string, bytes: Buffer): Span {
  const start = toCharacters(bytes, Math.max(0, numberOf(segment['startIndex']) ?? 0))
  const end = toCharacters(bytes, Math.max(0, numberOf(segment['endIndex']) ?? 0))
  const text = stringOf(segment['text'])
  if (text === undefined || content.slice(start, end) === text) return { start, end }
  const found = content.indexOf(text)
  return found === -1 ? { start, end } : { start: found, end: found + text.length }
}

/** The address as a valid URI: Google leaves spaces in some. Undefined where it is none. */
function toUri(address: unknown): string | undefined {
  const text = stringOf(address)
  if (text === undefined || !URL.canParse(text)) return undefined
  return /^[!-~]+$/.test(text) ? text : new URL(text).href
}

/** A source that was used: a web page, a document of a store, a place. */
function sourceOf(chunk: JsonObject | undefined): { url: string; title: string } | undefined {
  const source = chunk?.['web'] ?? chunk?.['retrievedContext'] ?? chunk?.['maps']
  if (!isObject(source)) return undefined
  const url = toUri(source['uri'])
  return url === undefined ? undefined : { url, title: stringOf(source['title']) ?? url }
}

function fromGrounding(grounding: JsonObject, content: string): readonly Citation[] {
  const chunks = Array.isArray(grounding['groundingChunks']) ? grounding['groundingChunks'] : []
  const bytes = Buffer.from(content)
  return objectsIn(grounding['groundingSupports']).flatMap((support) => {
    const segment = isObject(support['segment']) ? support['segment'] : {}
    const indices = Array.isArray(support['groundingChunkIndices']) ? support['groundingChunkIndices'] : []
    const span = spanOf(segment, content, bytes)
    return indices.flatMap((index: unknown) => {
      const chunk: unknown = chunks[Number(index)]
      const source = sourceOf(isObject(chunk) ? chunk : undefined)
      return source ? [{ ...span, ...source }] : []
    })
  })
}

function fromCitations(sources: readonly JsonObject[], content: string): readonly Citation[] {
  const bytes = Buffer.from(content)
  return sources.flatMap((source) => {
    const url = toUri(source['uri'])
    return url === undefined
      ? []
      : [{ ...spanOf(source, content, bytes), url, title: stringOf(source['title']) ?? url }]
  })
}

/** The sources in a citationMetadata; Gemini and Vertex name the list differently. */
export function citationsIn(metadata: unknown): readonly JsonObject[] {
  if (!isObject(metadata)) return []
  return [...objectsIn(metadata['citationSources']), ...objectsIn(metadata['citations'])]
}

/** OpenAI's url_citation annotations for the passages that grounding or citations give a source for. */
export function toAnnotations(
  grounding: JsonObject | undefined,
  citations: readonly JsonObject[],
  content: string,
): readonly UrlCitation[] {
  const grounded = grounding ? fromGrounding(grounding, content) : []
  return [...grounded, ...fromCitations(citations, content)].map(toAnnotation)
}
