import type { Price } from '../catalog/prices/index.js'
import { estimateTextTokens } from '../catalog/text-tokens.js'
import { estimateInputTokens, type InputEstimate } from '../catalog/token-estimate.js'
import { isObject, type JsonObject } from '../wire/json.js'
import type { Operation, Operations } from '../wire/operations.js'
import { countOf, mostCounted, type NativeMembers, readNativeMembers } from './native-members.js'
import { type SearchOptions, searchBound } from './search-bound.js'

/** A request and what it asks for. */
export type PlannedCall = {
  [K in Operation]: { readonly operation: K; readonly request: Operations[K]['request'] }
}[Operation]

/** What bounds a call beside its request. */
export interface BoundOptions extends SearchOptions {
  /** The model's name at the provider. @default the one in the request */
  readonly model?: string | undefined
  /** The tokens the model writes at most; counts where the request sets no limit. @default 16,384, as no bound */
  readonly maxOutputTokens?: number | undefined
  /** A prompt never counts more than this, nor one of several inputs. @default no limit */
  readonly contextWindow?: number | undefined
  /** The call's deadline: no request of it is sent later, and none computes longer. @default none, and no bound for prices per second */
  readonly deadlineMs?: number | undefined
  /** Tokens that come to the prompt before it is sent: of an answer that is continued. @default 0 */
  readonly addedTokens?: number | undefined
  /** Reads the prompt. @default `estimateInputTokens` */
  readonly estimateInput?: typeof estimateInputTokens | undefined
}

/** What a call uses at most. */
export interface Bounds {
  readonly input: InputEstimate
  readonly inputTokens: number
  /** Of the answer itself. */
  readonly outputTokens: number
  /** What is thought beside the answer, and not as a part of it. */
  readonly reasoningTokens: number
  readonly citationTokens: number
  readonly writesSound: boolean
  readonly webSearches: number
  readonly images: number
  readonly milliseconds: number
  /** False where something had to be assumed. */
  readonly isBounded: boolean
}

/** What a call uses at most of what a price charges for. */
export function toBounds(call: PlannedCall, price: Price, options: BoundOptions): Bounds {
  const { request } = call
  const { estimateInput = estimateInputTokens, contextWindow = Infinity, addedTokens = 0 } = options
  const estimated = estimateInput(request, options.model)
  const input = addedTokens === 0 ? estimated : withText(estimated, addedTokens)
  const { text, image, audio, file } = input.atMost
  const native = readNativeMembers(request)
  const output = outputBound(call, options, native)
  const found = searchBound(request, price, options, native)
  return {
    input,
    inputTokens: Math.min(text + image + audio + file, contextWindow * inputsIn(request)),
    outputTokens: output.tokens,
    reasoningTokens: found.reasoningTokens,
    citationTokens: found.citationTokens,
    writesSound: writesSound(request, native),
    webSearches: found.webSearches,
    images: call.operation === 'images' ? imagesIn(request, native) : 0,
    milliseconds: options.deadlineMs ?? 0,
    isBounded: input.isBounded && output.isBounded && found.isBounded && !isReadAgain(request),
  }
}

function withText(input: InputEstimate, tokens: number): InputEstimate {
  return { ...input, atMost: { ...input.atMost, text: input.atMost.text + tokens } }
}

function writesSound({ audio, modalities }: JsonObject, native: NativeMembers): boolean {
  return isObject(audio) || (Array.isArray(modalities) && modalities.includes('audio')) || native.speaks
}

/** Claude summarizes a long conversation in passes of their own, each of which reads it. */
function isReadAgain(request: JsonObject): boolean {
  return isObject(request['context_management'])
}

/** The tokens of what a model may write beyond its limit: OpenAI charges for a predicted answer that it did not give. */
function predictedTokens({ prediction }: JsonObject): number {
  return isObject(prediction) ? estimateTextTokens(JSON.stringify(prediction)).atMost : 0
}

/** The tokens of an answer at most. */
export interface OutputBound {
  readonly tokens: number
  /** False where neither the request nor the model is known to have a limit. */
  readonly isBounded: boolean
}

const defaultOutputTokens = 16_384

/** How much a call writes at most. */
export function outputBound(
  call: PlannedCall,
  { maxOutputTokens }: Pick<BoundOptions, 'maxOutputTokens'>,
  native: NativeMembers = readNativeMembers(call.request),
): OutputBound {
  if (call.operation === 'embeddings' || call.operation === 'moderations') return { tokens: 0, isBounded: true }
  if (call.operation === 'images') return imageOutputBound(call.request, native)
  const { request } = call
  const limit = countOf(request['max_tokens'])
  const ofChat = call.operation === 'chat' ? countOf(request['max_completion_tokens']) : undefined
  const asked = limit === undefined || ofChat === undefined ? (limit ?? ofChat) : Math.max(limit, ofChat)
  const each = asked ?? maxOutputTokens
  const answers = Math.max(countOf(request['n']) ?? 1, countOf(request['best_of']) ?? 1, native.answers)
  return {
    // A limit by another name may be the one that counts.
    tokens:
      (Math.max(each ?? defaultOutputTokens, native.outputTokens) + predictedTokens(request)) *
      answers *
      inputsIn(request),
    isBounded: each !== undefined,
  }
}

/** How many images a request asks for, in whatever words, at least one: what comes in `extra_body` was not checked. */
export function imagesIn(request: JsonObject, native: NativeMembers = readNativeMembers(request)): number {
  return Math.max(1, countOf(request['n']) ?? 1, native.answers)
}

/** Of a list, of texts or of lists of tokens, each is answered, and read, by itself. */
function inputsIn({ prompt, input = prompt }: JsonObject): number {
  return Array.isArray(input) && typeof input[0] !== 'number' ? Math.max(1, input.length) : 1
}

// Tokens of an image of 1024x1536; they grow with its pixels: https://developers.openai.com/api/docs/guides/image-generation#cost-and-latency
const imageTokens: Readonly<Record<string, number>> = { low: 408, medium: 1584, high: 6240 }
const mostImageTokens = 6240
const pixelsOfThose = 1024 * 1536

function imageOutputBound(request: Operations['images']['request'], native: NativeMembers): OutputBound {
  const quality = request.quality ?? 'auto'
  const each = Object.hasOwn(imageTokens, quality) ? imageTokens[quality] : undefined
  const tokens = Math.ceil((each ?? mostImageTokens) * timesThose(request.size))
  return { tokens: Math.min(mostCounted, tokens * imagesIn(request, native)), isBounded: true }
}

/** How many times as large as those an image is, at least once. */
function timesThose(size: string | null | undefined): number {
  const [, width = 0, height = 0] = /^(\d+)x(\d+)$/.exec(size ?? '') ?? []
  return Math.max(1, (Number(width) * Number(height)) / pixelsOfThose)
}
