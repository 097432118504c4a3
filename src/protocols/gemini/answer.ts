import { GatewayError } from '../../errors.js'
import type { ChatCompletion, ChatResponseMessage } from '../../wire/chat.js'
import { isObject, numberOf, stringOf, type JsonObject } from '../../wire/json.js'
import type { Exchange } from '../protocol.js'
import { createCandidateReader, type Ending, type Piece } from './candidate.js'
import { errorIn } from './failure.js'
import { toLogprobs } from './logprobs.js'
import { toServiceTier, toUsage } from './usage.js'

const signs = ['candidates', 'promptFeedback', 'usageMetadata', 'responseId', 'modelVersion']

/**
 * Makes sure that a value is a GenerateContentResponse, whole or a fragment of a stream.
 * @throws GatewayError for an error in its place, or anything else
 */
export function toResponseObject(body: unknown, provider: string): JsonObject {
  const error = errorIn(body, provider)
  if (error) throw error
  const candidates = isObject(body) ? (body['candidates'] ?? []) : undefined
  const isAnswer = isObject(body) && signs.some((name) => name in body)
  if (isAnswer && Array.isArray(candidates) && candidates.every(isObject)) return body
  throw new GatewayError('upstream_invalid', 'The provider sent something that is no answer.', {
    upstream: { provider, status: 200 },
  })
}

/** The candidates of a response with the choice each belongs to; an index of 0 is left out on the wire. */
export function candidatesIn(response: JsonObject): readonly { index: number; candidate: JsonObject }[] {
  const list: readonly unknown[] = Array.isArray(response['candidates']) ? response['candidates'] : []
  return list.filter(isObject).map((candidate, position) => {
    const index = numberOf(candidate['index'])
    return { index: index !== undefined && Number.isInteger(index) && index >= 0 ? index : position, candidate }
  })
}

/** Why the prompt was refused; undefined where it was not: an empty reason is none. */
export function blockReasonIn(response: JsonObject): string | undefined {
  const feedback = response['promptFeedback']
  if (!isObject(feedback)) return undefined
  const reason = feedback['blockReason']
  return typeof reason === 'number' && reason > 0 ? `BLOCK_REASON_${reason}` : stringOf(reason)
}

/** A whole answer as a chat completion; never without a choice. @throws GatewayError for what is no answer */
export function readAnswer(body: unknown, exchange: Exchange<'chat'>): ChatCompletion {
  const response = toResponseObject(body, exchange.deployment.provider)
  const usage = toUsage(response['usageMetadata'])
  const tier = toServiceTier(response['usageMetadata'])
  return {
    id: stringOf(response['responseId']) ?? `chatcmpl-${exchange.id}`,
    object: 'chat.completion',
    created: exchange.created,
    model: stringOf(response['modelVersion']) ?? exchange.deployment.model,
    choices: toChoices(response, exchange),
    ...(usage && { usage }),
    ...(tier !== undefined && { service_tier: tier }),
  }
}

function toChoices(response: JsonObject, exchange: Exchange<'chat'>): ChatCompletion['choices'] {
  const choices = candidatesIn(response).map(({ index, candidate }) => {
    const reader = createCandidateReader(index, exchange)
    const pieces = reader.read(candidate)
    const ending = reader.end()
    return {
      index,
      message: toMessage(pieces, ending, exchange),
      finish_reason: ending.reason,
      logprobs: toLogprobs(candidate['logprobsResult']),
    }
  })
  if (choices.length > 0) return choices.toSorted((left, right) => left.index - right.index)
  const blocked = blockReasonIn(response)
  const ending = toEmptyEnding(blocked, response['promptFeedback'])
  return [{ index: 0, message: toMessage([], ending, exchange), finish_reason: ending.reason, logprobs: null }]
}

/** The ending of an answer without candidates: refused, or simply empty. */
export function toEmptyEnding(blocked: string | undefined, feedback: unknown): Ending {
  const fields = blocked === undefined ? {} : { prompt_feedback: feedback }
  return { reason: blocked === undefined ? 'stop' : 'content_filter', native: blocked, annotations: [], fields }
}

function toMessage(pieces: readonly Piece[], ending: Ending, { id, created }: Exchange<'chat'>): ChatResponseMessage {
  const text = joined(pieces, 'text')
  const reasoning = joined(pieces, 'reasoning')
  const blocks = pieces.flatMap((piece) => (piece.kind === 'thinking' ? [piece.block] : []))
  const images = pieces.flatMap((piece) => (piece.kind === 'image' ? [piece.image] : []))
  const audio = pieces.flatMap((piece) => (piece.kind === 'audio' ? [Buffer.from(piece.base64, 'base64')] : []))
  const fields = toFields(pieces, ending)
  const calls = toToolCalls(pieces)
  return {
    role: 'assistant',
    content: text === '' ? null : text,
    refusal: null,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(blocks.length > 0 && { thinking_blocks: blocks }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(images.length > 0 && { images }),
    ...(audio.length > 0 && { audio: toAudio(Buffer.concat(audio), id, created) }),
    ...(ending.annotations.length > 0 && { annotations: [...ending.annotations] }),
    ...(Object.keys(fields).length > 0 && { provider_specific_fields: fields }),
  }
}

function joined(pieces: readonly Piece[], kind: 'text' | 'reasoning'): string {
  return pieces.map((piece) => (piece.kind === kind ? piece.text : '')).join('')
}

/** We keep no audio, so it expires at once: only `data` is of use. */
function toAudio(bytes: Buffer, id: string, created: number): { id: string } {
  const audio = { id: `audio_${id}`, data: bytes.toString('base64'), expires_at: created, transcript: '' }
  return audio
}

type ToolCalls = NonNullable<ChatResponseMessage['tool_calls']>

function toToolCalls(pieces: readonly Piece[]): ToolCalls {
  return pieces.flatMap((piece): ToolCalls => {
    if (piece.kind !== 'call') return []
    const { id, name, arguments: text, signature } = piece
    return [{ id, type: 'function', function: { name, arguments: text }, ...toSignatureField(signature) }]
  })
}

/** Where a call's signature stands beside the call itself. */
export function toSignatureField(signature: string | undefined): {
  provider_specific_fields?: { thought_signature: string }
} {
  return signature === undefined ? {} : { provider_specific_fields: { thought_signature: signature } }
}

function toFields(pieces: readonly Piece[], { native, fields }: Ending): JsonObject {
  const server = pieces.flatMap((piece) => (piece.kind === 'server' ? [piece.part] : []))
  return {
    ...fields,
    ...(native !== undefined && { native_finish_reason: native }),
    ...(server.length > 0 && { server_tool_parts: server }),
  }
}
