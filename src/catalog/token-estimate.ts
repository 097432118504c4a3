import type { ChatRequest } from '../wire/chat.js'
import type { CompletionRequest } from '../wire/completions.js'
import type { EmbeddingRequest } from '../wire/embeddings.js'
import type { ImageRequest } from '../wire/images.js'
import { isGatewayField } from '../wire/gateway-fields.js'
import { isObject, type JsonObject } from '../wire/json.js'
import { documentedMembers } from '../wire/known-members.js'
import { estimateTextTokens } from './text-tokens.js'

/** Tokens by the kinds that a provider may charge apart. */
export interface TokensByKind {
  readonly text: number
  readonly image: number
  readonly audio: number
  /** Documents and videos, which are read as text and images. */
  readonly file: number
}

/** How many tokens a request will be read as. */
export interface InputEstimate {
  /** The best guess of the whole prompt; what to compare with a context window. */
  readonly tokens: number
  /** What of that is in members that OpenAI does not document: a provider may read them, or be set by them. */
  readonly maybeRead: number
  /** What it is at most. */
  readonly atMost: TokensByKind
  /** False where a part has no size that we can see: a file or a video by its address. */
  readonly isBounded: boolean
  /** True where some content asks for a cache that lives for an hour, which Claude charges more for. */
  readonly cachesForAnHour: boolean
}

/** Any request that is charged by its input. */
export type EstimatedRequest = ChatRequest | CompletionRequest | EmbeddingRequest | ImageRequest

interface Tally {
  readonly model: string
  tokens: number
  text: number
  image: number
  audio: number
  file: number
  isBounded: boolean
  cachesForAnHour: boolean
}

/**
 * Estimates the prompt of a chat, completion, embedding or image request without a tokenizer; linear in its size. Text,
 * tools, schemas and members that OpenAI does not document are counted by their characters, images by what providers make
 * of one, sound by its bytes. `model` is the model's name at the provider, where that is not the one in the request.
 */
export function estimateInputTokens(request: EstimatedRequest, model: string = request.model): InputEstimate {
  const tally: Tally = {
    model,
    tokens: 0,
    text: 0,
    image: 0,
    audio: 0,
    file: 0,
    isBounded: true,
    cachesForAnHour: false,
  }
  addText(tally, requestOverhead)
  let maybeRead = 0
  for (const field of Object.keys(request)) {
    const value = request[field]
    if (value === undefined || value === null) continue
    const { tokens: before } = tally
    adderOf(field)?.(tally, value)
    if (!Object.hasOwn(readFields, field)) maybeRead += tally.tokens - before
  }
  const { tokens, text, image, audio, file, isBounded, cachesForAnHour } = tally
  return { tokens: Math.ceil(tokens), maybeRead, atMost: { text, image, audio, file }, isBounded, cachesForAnHour }
}

/**
 * `estimateInputTokens` that remembers its latest answer: a request that goes to several models is most often the same
 * prompt to all of them.
 */
export function createInputEstimator(): (request: EstimatedRequest, model?: string) => InputEstimate {
  let last: { readonly request: EstimatedRequest; readonly model: string; readonly estimate: InputEstimate } | undefined
  return (request, model = request.model) => {
    if (last && isReadAlike(request, last.request) && imageTokensOf(model) === imageTokensOf(last.model)) {
      return last.estimate
    }
    const estimate = estimateInputTokens(request, model)
    last = { request, model, estimate }
    return estimate
  }
}

function isReadAlike(a: EstimatedRequest, b: EstimatedRequest): boolean {
  if (a === b) return true
  const fields = Object.keys(a).filter(adderOf)
  return fields.length === Object.keys(b).filter(adderOf).length && fields.every((field) => a[field] === b[field])
}

interface Range {
  readonly tokens: number
  readonly atMost: number
}

// What stands around the caller's own words, at most what any provider was seen to add.
const requestOverhead: Range = { tokens: 3, atMost: 16 }
const messageOverhead: Range = { tokens: 4, atMost: 10 }
// Claude and Gemini explain to the model how tools are called: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview#pricing
const toolsOverhead: Range = { tokens: 60, atMost: 900 }
const toolOverhead: Range = { tokens: 8, atMost: 24 }

/** What one image is read as, in full and with `detail: low`. */
interface ImageTokens {
  readonly full: Range
  readonly low: Range
}

// 85 to 1,600 tokens at most models, 4,800 at the largest sizes of the newest; GPT-4o mini counts 33 times as many, and GPT
// from 5.4 on sees a large image in full: https://developers.openai.com/api/docs/guides/images-vision
const usualImage: ImageTokens = { full: { tokens: 1000, atMost: 5000 }, low: { tokens: 85, atMost: 5000 } }
const miniImage: ImageTokens = { full: { tokens: 25_501, atMost: 48_169 }, low: { tokens: 2833, atMost: 2833 } }
const wholeImage: ImageTokens = { ...usualImage, full: { tokens: 1000, atMost: 15_000 } }
const imageModels: readonly (readonly [RegExp, ImageTokens])[] = [
  [/gpt-4o-mini/, miniImage],
  [/gpt-(?:5\.[4-9]|[6-9])/, wholeImage],
]
const imageTokensOf = (model: string): ImageTokens =>
  imageModels.find(([pattern]) => pattern.test(model))?.[1] ?? usualImage
// Something whose size cannot be seen.
const unseenFile: Range = { tokens: 3000, atMost: 50_000 }

type Add = (tally: Tally, value: unknown) => void

/** The fields of requests that become part of the prompt. */
const readFields: Readonly<Record<string, Add>> = {
  messages: (tally, messages) => each(messages, (message) => addMessage(tally, message)),
  tools: (tally, tools) => addTools(tally, tools),
  functions: (tally, tools) => addTools(tally, tools),
  response_format: addJson,
  prediction: addJson,
  prompt: addInputs,
  suffix: addInputs,
  input: addInputs,
  instruction: addInputs,
  cache_control: noteCaching,
}

/** What counts a field; undefined for one that is no part of the prompt. Of a provider's own (`documents`) nobody knows that. */
function adderOf(field: string): Add | undefined {
  if (Object.hasOwn(readFields, field)) return readFields[field]
  return documentedMembers.has(field) || isGatewayField(field) ? undefined : addJson
}

function each(list: unknown, visit: (item: unknown) => void): void {
  if (Array.isArray(list)) for (const item of list) visit(item)
}

function addText(tally: Tally, { tokens, atMost }: Range): void {
  tally.tokens += tokens
  tally.text += atMost
}

function addKind(tally: Tally, kind: 'image' | 'audio' | 'file', { tokens, atMost }: Range): void {
  tally.tokens += tokens
  tally[kind] += atMost
}

function addMessage(tally: Tally, message: unknown): void {
  if (!isObject(message)) return
  addText(tally, messageOverhead)
  const { content } = message
  if (typeof content === 'string') addText(tally, estimateTextTokens(content))
  else each(content, (part) => addPart(tally, part))
  for (const name of Object.keys(message)) {
    if (name !== 'content' && name !== 'role') addMember(tally, name, message[name], 0)
  }
}

function addTools(tally: Tally, tools: unknown): void {
  if (!Array.isArray(tools) || tools.length === 0) return
  addText(tally, toolsOverhead)
  for (const tool of tools) {
    addText(tally, toolOverhead)
    addJson(tally, tool)
  }
}

const readParts: Readonly<Record<string, Add>> = {
  image_url: addImage,
  input_image: addImage,
  image: addImage,
  input_audio: addAudio,
  file: addFile,
  document: addDocument,
  video_url: addFile,
}

function addPart(tally: Tally, part: unknown): void {
  if (!isObject(part)) return addJson(tally, part)
  noteCaching(tally, part['cache_control'])
  const { type, text } = part
  const read = typeof type === 'string' && Object.hasOwn(readParts, type) ? readParts[type] : undefined
  // What a part is, its type says: a file with a text beside it is a file still.
  if (typeof text === 'string' && (read || type === undefined || textTypes.has(type))) {
    addText(tally, estimateTextTokens(text))
    read?.(tally, part)
  } else if (read) read(tally, part)
  else addJson(tally, part)
}

const textTypes: ReadonlySet<unknown> = new Set(['text', 'input_text', 'output_text'])

function addImage(tally: Tally, part: unknown): void {
  const place = isObject(part) ? part['image_url'] : undefined
  const isSmall = isObject(place) && place['detail'] === 'low'
  const { full, low } = imageTokensOf(tally.model)
  addKind(tally, 'image', isSmall ? low : full)
}

// Sound: Gemini reads 32 tokens a second, others 10 to 25. A second is 8,000 bytes at least where it is not compressed.
const audioTokensPerSecond: Range = { tokens: 20, atMost: 32 }
const bytesPerSecond = { plain: { tokens: 48_000, atMost: 8000 }, compressed: { tokens: 16_000, atMost: 1000 } }

function addAudio(tally: Tally, part: unknown): void {
  const sound = isObject(part) ? part['input_audio'] : undefined
  const { data, format }: JsonObject = isObject(sound) ? sound : {}
  const bytes = base64Bytes(data)
  const rate = format === 'wav' || format === 'pcm16' ? bytesPerSecond.plain : bytesPerSecond.compressed
  addKind(tally, 'audio', {
    tokens: Math.ceil(bytes / rate.tokens) * audioTokensPerSecond.tokens,
    atMost: Math.ceil(bytes / rate.atMost) * audioTokensPerSecond.atMost,
  })
}

// A page of a document is read as its text and as an image: some 2,500 tokens, 7,000 at most; 2,500 bytes at least.
const page = { tokens: 2500, atMost: 7000, bytes: 50_000, fewestBytes: 2500 }

// Of base64.
const bytesPerCharacter = 0.75

function addFile(tally: Tally, part: unknown): void {
  const file = isObject(part) ? part['file'] : undefined
  const data = isObject(file) ? file['file_data'] : undefined
  if (typeof data !== 'string' || /^https?:/.test(data)) {
    tally.isBounded = false
    return addKind(tally, 'file', unseenFile)
  }
  addKind(tally, 'file', pagesOf(base64Bytes(data)))
}

/** A provider's own document: what is written in it, and 50,000 tokens where that is less, as it may only point at one. */
function addDocument(tally: Tally, part: unknown): void {
  if (isObject(part) && isObject(part['file'])) return addFile(tally, part)
  tally.isBounded = false
  const { tokens, atMost } = pagesOf(Math.ceil(JSON.stringify(part).length * bytesPerCharacter))
  addKind(tally, 'file', {
    tokens: Math.max(unseenFile.tokens, tokens),
    atMost: Math.max(unseenFile.atMost, atMost),
  })
}

function pagesOf(bytes: number): Range {
  return {
    tokens: Math.ceil(bytes / page.bytes) * page.tokens,
    atMost: Math.ceil(bytes / page.fewestBytes) * page.atMost,
  }
}

function base64Bytes(data: unknown): number {
  return typeof data === 'string'
    ? Math.ceil((data.length - Math.max(0, data.indexOf(',') + 1)) * bytesPerCharacter)
    : 0
}

/** Texts, lists of them, tokens that were counted already, or content parts. */
function addInputs(tally: Tally, input: unknown): void {
  if (typeof input === 'string') return addText(tally, estimateTextTokens(input))
  if (typeof input === 'number') return addText(tally, { tokens: 1, atMost: 1 })
  if (Array.isArray(input)) return input.forEach((item: unknown) => addInput(tally, item))
  addPart(tally, input)
}

// What a model puts around each of several texts: where one begins and ends.
const inputOverhead: Range = { tokens: 0, atMost: 3 }

/** One of a list. */
function addInput(tally: Tally, input: unknown): void {
  if (typeof input !== 'number') addText(tally, inputOverhead)
  addInputs(tally, input)
}

// A member's quotes, colon and comma; what is not text is a token or two.
const member: Range = { tokens: 2, atMost: 5 }

/** Anything else goes to the model as JSON, or as something shorter. Deeper than any schema, it is not read on. */
function addJson(tally: Tally, value: unknown, depth = 0): void {
  if (typeof value === 'string') return addText(tally, estimateTextTokens(value))
  if (typeof value === 'number') return addText(tally, estimateTextTokens(String(value)))
  if (typeof value !== 'object' || value === null) return addText(tally, { tokens: 1, atMost: 1 })
  if (depth > deepest) {
    tally.isBounded = false
    return
  }
  if (Array.isArray(value)) {
    addText(tally, { tokens: 1, atMost: 2 + value.length })
    return value.forEach((item: unknown) => addJson(tally, item, depth + 1))
  }
  for (const [name, inner] of Object.entries(value)) addMember(tally, name, inner, depth)
}

function addMember(tally: Tally, name: string, value: unknown, depth: number): void {
  addText(tally, member)
  addText(tally, estimateTextTokens(name))
  if (name === 'cache_control') noteCaching(tally, value)
  addJson(tally, value, depth + 1)
}

const deepest = 200

function noteCaching(tally: Tally, control: unknown): void {
  if (isObject(control) && control['ttl'] === '1h') tally.cachesForAnHour = true
}
