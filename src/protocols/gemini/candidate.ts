import { GatewayError } from '../../errors.js'
import type { FinishReason, ThinkingBlock } from '../../wire/chat.js'
import { isObject, numberOf, stringOf, type JsonObject } from '../../wire/json.js'
import { isForeignFinishReason, toFinishReason } from '../finish-reason.js'
import type { Exchange } from '../protocol.js'
import { isJsonTool } from '../structured-output.js'
import { citationsIn, toAnnotations, type UrlCitation } from './annotations.js'
import { modelOf } from './model.js'
import { PartialCall } from './partial-arguments.js'
import { toSignedId, toThinkingBlock } from './thought-signature.js'
import { usesJsonTool } from './tools.js'

/** What one part of an answer adds to its message. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'thinking'; readonly block: ThinkingBlock }
  | {
      readonly kind: 'call'
      readonly position: number
      readonly id: string
      readonly name: string
      readonly arguments: string
      readonly signature: string | undefined
    }
  | { readonly kind: 'image'; readonly image: { readonly type: string } }
  | { readonly kind: 'audio'; readonly base64: string }
  | { readonly kind: 'server'; readonly part: JsonObject }

/** How a candidate ended, in OpenAI's words and in Gemini's. */
export interface Ending {
  readonly reason: FinishReason
  readonly native: string | undefined
  readonly annotations: readonly UrlCitation[]
  /** What has no place in OpenAI's message: grounding, safety ratings, the finish message. */
  readonly fields: JsonObject
}

/** Reads one candidate, whole or piece by piece; two candidates share nothing. */
export interface CandidateReader {
  /** @throws GatewayError for content of no known form */
  read(candidate: JsonObject): readonly Piece[]
  /** True once a finish reason was seen. */
  isFinished(): boolean
  end(): Ending
}

const pieceCarriers = ['toolCall', 'toolResponse', 'executableCode', 'codeExecutionResult']

/** Derives an id for a call that came without one: `call_` and 24 characters, the same for the same attempt and place. */
function toCallId(exchangeId: string, choice: number, position: number): string {
  const place = `${choice.toString(36).padStart(2, '0')}${position.toString(36).padStart(2, '0')}`
  return `call_${exchangeId.slice(0, 24 - place.length)}${place}`
}

/** The parts of a candidate; none where it has no content, which is legal. @throws GatewayError for another form */
export function partsIn(candidate: JsonObject, provider: string): readonly JsonObject[] {
  const { content } = candidate
  if (content === undefined || content === null) return []
  const parts: unknown = isObject(content) ? content['parts'] : content
  if (isObject(content) && (parts === undefined || parts === null)) return []
  if (Array.isArray(parts) && parts.every(isObject)) return parts
  throw new GatewayError('upstream_invalid', 'The provider sent content that is no list of parts.', {
    upstream: { provider, status: 200 },
  })
}

/** Starts reading one candidate. */
export function createCandidateReader(choice: number, { id, request, deployment }: Exchange<'chat'>): CandidateReader {
  const unwraps = usesJsonTool(request, modelOf(deployment))
  let content = ''
  let thought = ''
  let calls = 0
  let native: string | undefined
  let grounding: JsonObject | undefined
  const citations = new Map<string, JsonObject>()
  let fields: JsonObject = {}

  const readText = (text: string, part: JsonObject): readonly Piece[] => {
    const isThought = part['thought'] === true
    if (isThought) thought += text
    else content += text
    const signature = stringOf(part['thoughtSignature'])
    const pieces: Piece[] = text === '' ? [] : [{ kind: isThought ? 'reasoning' : 'text', text }]
    if (signature === undefined) return pieces
    pieces.push({ kind: 'thinking', block: toThinkingBlock(isThought ? thought : '', signature) })
    if (isThought) thought = ''
    return pieces
  }

  const readCall = (call: JsonObject, part: JsonObject): readonly Piece[] => {
    const name = stringOf(call['name']) ?? ''
    const text = JSON.stringify(call['args'] ?? {})
    if (unwraps && isJsonTool(name)) return readText(text, {})
    const position = calls++
    const signature = stringOf(part['thoughtSignature'])
    const bare = stringOf(call['id']) ?? toCallId(id, choice, position)
    return [{ kind: 'call', position, id: toSignedId(bare, signature), name, arguments: text, signature }]
  }

  let images = 0
  const readMedia = (media: JsonObject, part: JsonObject): readonly Piece[] => {
    const base64 = stringOf(media['data'])
    // Drafts of an image that the model made while thinking are no part of the answer.
    if (base64 === undefined || part['thought'] === true) return []
    const type = stringOf(media['mimeType']) ?? 'application/octet-stream'
    if (type.startsWith('audio/')) return [{ kind: 'audio', base64 }]
    const signature = stringOf(part['thoughtSignature'])
    const image = {
      type: 'image_url',
      index: images++,
      image_url: { url: `data:${type};base64,${base64}` },
      ...(signature !== undefined && { thought_signature: signature }),
    }
    return [{ kind: 'image', image }]
  }

  // Vertex may stream a call's arguments; it is told once it is whole.
  let partial: PartialCall | undefined
  const readCallPart = (call: JsonObject, part: JsonObject): readonly Piece[] => {
    const isPiece = partial !== undefined && stringOf(call['name']) === undefined
    const goesOn = call['willContinue'] === true
    if (!isPiece) {
      const whole = closePartial()
      if (!goesOn && !Array.isArray(call['partialArgs'])) return [...whole, ...readCall(call, part)]
      partial = new PartialCall(call, stringOf(part['thoughtSignature']))
      return goesOn ? whole : [...whole, ...closePartial()]
    }
    partial?.add(call)
    return goesOn ? [] : closePartial()
  }

  const closePartial = (): readonly Piece[] => {
    if (!partial) return []
    const { signature } = partial
    const call = partial.toCall()
    partial = undefined
    return readCall(call, signature === undefined ? {} : { thoughtSignature: signature })
  }

  const readPart = (part: JsonObject): readonly Piece[] => {
    if (isObject(part['functionCall'])) return readCallPart(part['functionCall'], part)
    if (typeof part['text'] === 'string') return readText(part['text'], part)
    if (isObject(part['inlineData'])) return readMedia(part['inlineData'], part)
    if (pieceCarriers.some((name) => name in part)) return [{ kind: 'server', part }]
    return typeof part['thoughtSignature'] === 'string' ? readText('', part) : []
  }

  return {
    read(candidate) {
      native = nativeReason(candidate['finishReason']) ?? native
      if (isObject(candidate['groundingMetadata'])) grounding = { ...grounding, ...candidate['groundingMetadata'] }
      for (const source of citationsIn(candidate['citationMetadata'])) citations.set(JSON.stringify(source), source)
      fields = { ...fields, ...extraFields(candidate) }
      const pieces = partsIn(candidate, deployment.provider).flatMap(readPart)
      return native === undefined ? pieces : [...pieces, ...closePartial()]
    },
    isFinished: () => native !== undefined,
    end() {
      return {
        reason: toFinishReason(native, calls > 0),
        native: native !== undefined && isForeignFinishReason(native) ? native : undefined,
        annotations: toAnnotations(grounding, [...citations.values()], content),
        fields: { ...fields, ...(grounding && { grounding_metadata: grounding }) },
      }
    },
  }
}

// Some proxies write enums as numbers: https://ai.google.dev/api/generate-content#FinishReason, in its order.
const numberedReasons = [
  'FINISH_REASON_UNSPECIFIED',
  'STOP',
  'MAX_TOKENS',
  'SAFETY',
  'RECITATION',
  'OTHER',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MALFORMED_FUNCTION_CALL',
  'LANGUAGE',
  'IMAGE_SAFETY',
]

function nativeReason(reason: unknown): string | undefined {
  const number = numberOf(reason)
  return number === undefined ? stringOf(reason) : (numberedReasons[number] ?? `FINISH_REASON_${number}`)
}

const fieldNames: Readonly<Record<string, string>> = {
  safetyRatings: 'safety_ratings',
  urlContextMetadata: 'url_context_metadata',
  finishMessage: 'finish_message',
  avgLogprobs: 'avg_logprobs',
}

function extraFields(candidate: JsonObject): JsonObject {
  const present = Object.entries(fieldNames).filter(
    ([name]) => candidate[name] !== undefined && candidate[name] !== null,
  )
  return Object.fromEntries(present.map(([name, ours]) => [ours, candidate[name]]))
}
