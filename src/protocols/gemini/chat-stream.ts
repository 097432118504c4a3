import { GatewayError } from '../../errors.js'
import type { ChatChunk } from '../../wire/chat.js'
import { parseJson, stringOf, type JsonObject } from '../../wire/json.js'
import type { UpstreamEvent } from '../../upstream/message.js'
import { createChunkBuilder, type ChunkBuilder } from '../chunk-builder.js'
import { MalformedEvents } from '../malformed-events.js'
import { promisedChoices } from '../promised-choices.js'
import type { Exchange, StreamDecoder, StreamPart } from '../protocol.js'
import { blockReasonIn, candidatesIn, toEmptyEnding, toResponseObject, toSignatureField } from './answer.js'
import { createCandidateReader, type CandidateReader, type Ending, type Piece } from './candidate.js'
import { toLogprobs } from './logprobs.js'
import { toServiceTier, toUsage } from './usage.js'

type Part = StreamPart<ChatChunk>

/** The responses in one event: usually one; a JSON array stream comes with brackets and commas between them. */
function responsesIn(data: string, skip: () => void): readonly unknown[] {
  const text = data.trim()
  if (text === '' || text === '[DONE]' || /^[[\],]$/.test(text)) return []
  const value = parseJson(text) ?? parseJson(text.replace(/^[[,]\s*/, '').replace(/\s*[,\]]$/, ''))
  if (value === undefined) {
    skip()
    return []
  }
  return Array.isArray(value) ? value : [value]
}

function toParts(builder: ChunkBuilder, choice: number, piece: Piece, audioId: string): readonly Part[] {
  switch (piece.kind) {
    case 'text':
      return [builder.content(choice, piece.text)]
    case 'reasoning':
      return [builder.reasoning(choice, piece.text)]
    case 'thinking':
      return [builder.thinkingBlock(choice, piece.block)]
    case 'image':
      return [builder.delta(choice, { images: [piece.image] })]
    case 'audio':
      return [builder.delta(choice, { audio: { id: audioId, data: piece.base64 } })]
    case 'server':
      return [builder.delta(choice, { provider_specific_fields: { server_tool_parts: [piece.part] } })]
    case 'call': {
      const extra = toSignatureField(piece.signature)
      const start = builder.toolCall(choice, piece.position, piece.id, piece.name, extra)
      return [start, builder.toolArguments(choice, piece.position, piece.arguments)]
    }
  }
}

function withLogprobs(builder: ChunkBuilder, choice: number, candidate: JsonObject): readonly Part[] {
  const logprobs = toLogprobs(candidate['logprobsResult'])
  if (!logprobs) return []
  const part = builder.delta(choice, {})
  const choices = part.chunk?.choices.map((entry) => ({ ...entry, logprobs })) ?? []
  return part.chunk ? [{ ...part, chunk: { ...part.chunk, choices } }] : []
}

function finish(builder: ChunkBuilder, choice: number, ending: Ending): readonly Part[] {
  const { annotations, fields, reason, native } = ending
  const delta = {
    ...(annotations.length > 0 && { annotations: [...annotations] }),
    ...(Object.keys(fields).length > 0 && { provider_specific_fields: fields }),
  }
  // In the order of writing: the first chunk of a choice carries its role.
  const more = Object.keys(delta).length > 0 ? [builder.delta(choice, delta)] : []
  return [...more, builder.finish(choice, reason, native)]
}

/**
 * Decodes streamGenerateContent. Every event is a fragment of the whole answer; counts are totals so far, so the last
 * ones are true. A finish reason may come before the last fragment, so choices are finished when the stream ends.
 */
export function createChatDecoder(exchange: Exchange<'chat'>): StreamDecoder<ChatChunk> {
  const { id, created, deployment } = exchange
  const builder = createChunkBuilder({ id: `chatcmpl-${id}`, created, model: deployment.model })
  const readers = new Map<number, CandidateReader>()
  const malformed = new MalformedEvents(deployment.provider)
  const expected = promisedChoices(exchange)
  let called = false
  let identified = false
  let usage: unknown
  let blocked: string | undefined
  let feedback: unknown

  const identify = (response: JsonObject): void => {
    if (identified) return
    identified = true
    const [answerId, model] = [stringOf(response['responseId']), stringOf(response['modelVersion'])]
    builder.identify({ ...(answerId !== undefined && { id: answerId }), ...(model !== undefined && { model }) })
  }

  const readerOf = (choice: number): CandidateReader => {
    const known = readers.get(choice)
    if (known) return known
    const reader = createCandidateReader(choice, exchange)
    readers.set(choice, reader)
    return reader
  }

  const readResponse = (value: unknown): readonly Part[] => {
    const response = toResponseObject(value, deployment.provider)
    identify(response)
    usage = response['usageMetadata'] ?? usage
    blocked = blockReasonIn(response) ?? blocked
    feedback = response['promptFeedback'] ?? feedback
    return candidatesIn(response).flatMap(({ index, candidate }) => [
      ...readerOf(index)
        .read(candidate)
        .flatMap((piece) => {
          called ||= piece.kind === 'call'
          return toParts(builder, index, piece, `audio_${id}`)
        }),
      ...withLogprobs(builder, index, candidate),
    ])
  }

  const finishAll = (): readonly Part[] => {
    const open = [...readers.values()].some((reader) => !reader.isFinished())
    if (blocked === undefined && (open || readers.size < expected)) {
      throw new GatewayError('stream_truncated', 'The stream ended before the answer was complete.', {
        upstream: { provider: deployment.provider, status: 200 },
      })
    }
    if (readers.size === 0) return finish(builder, 0, toEmptyEnding(blocked, feedback))
    const ordered = [...readers].toSorted(([left], [right]) => left - right)
    return ordered.flatMap(([choice, reader]) => finish(builder, choice, endingOf(reader, blocked, feedback)))
  }

  return {
    get progress() {
      const done = readers.size >= expected && [...readers.values()].every((reader) => reader.isFinished())
      return done || (blocked !== undefined && readers.size === 0) ? 'finished' : 'open'
    },
    get usage() {
      return toUsage(usage)
    },
    push: ({ data }: UpstreamEvent) => responsesIn(data, () => malformed.skip(called)).flatMap(readResponse),
    end() {
      const parts = [...finishAll()]
      const total = toUsage(usage)
      if (total) parts.push(withTier(builder.usage(total), toServiceTier(usage)))
      return parts
    },
  }
}

/** A candidate that a block cut off ends with the block. */
function endingOf(reader: CandidateReader, blocked: string | undefined, feedback: unknown): Ending {
  const ending = reader.end()
  if (reader.isFinished() || blocked === undefined) return ending
  const empty = toEmptyEnding(blocked, feedback)
  return { ...ending, reason: empty.reason, native: empty.native, fields: { ...ending.fields, ...empty.fields } }
}

function withTier(part: Part, tier: string | undefined): Part {
  return tier !== undefined && part.chunk ? { ...part, chunk: { ...part.chunk, service_tier: tier } } : part
}
