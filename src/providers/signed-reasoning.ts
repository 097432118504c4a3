import { OuterDecoder } from '../protocols/outer-decoder.js'
import type { Codec, Exchange, StreamDecoder, StreamPart } from '../protocols/protocol.js'
import type { UpstreamEvent } from '../upstream/message.js'
import type { AssistantMessage, ChatChunk, ChatMessage, ThinkingBlock } from '../wire/chat.js'
import { isObject, type JsonObject, numberOf, parseJson, stringOf } from '../wire/json.js'

/** A piece of Claude's reasoning as a server of OpenAI's dialect gives it. */
export interface ReasoningPiece {
  readonly text: string
  /** Ends a block. */
  readonly signature: string | undefined
}

/** Where a server of OpenAI's dialect puts Claude's signed reasoning. */
export interface ReasoningShape {
  /** Part of the text of every event that holds some; others are not looked into. */
  readonly marker: string
  /** The pieces in a message or delta. */
  read(message: JsonObject): readonly ReasoningPiece[]
  /** The message with blocks that an earlier answer gave, in the server's own form. */
  write(message: AssistantMessage, blocks: readonly SignedBlock[]): AssistantMessage
  /** The text is in no field that the dialect knows, so that it has to be made `reasoning_content`. */
  readonly hidden?: boolean
}

/** A thinking block that can be sent back. */
export interface SignedBlock {
  readonly thinking: string
  readonly signature: string
}

/** The codec with signed reasoning as `thinking_blocks`, both ways: Claude wants it back during a tool loop. */
export function withSignedReasoning(base: Codec<'chat'>, shape: ReasoningShape): Codec<'chat'> {
  return {
    ...base,
    encode: (exchange) => base.encode(withWritten(exchange, shape)),
    decode(body, exchange) {
      const completion = base.decode(body, exchange)
      const choices = isObject(body) && Array.isArray(body['choices']) ? body['choices'] : []
      if (!choices.some((choice: unknown) => piecesOf(choice, shape).length > 0)) return completion
      return {
        ...completion,
        choices: completion.choices.map((choice, at) => {
          const added = toMembers(piecesOf(choices[at], shape), shape)
          return { ...choice, message: { ...choice.message, ...added } }
        }),
      }
    },
    decodeStream: (exchange) => createDecoder(base, shape, exchange),
  }
}

function withWritten(exchange: Exchange<'chat'>, shape: ReasoningShape): Exchange<'chat'> {
  const { messages } = exchange.request
  const written = messages.map((message): ChatMessage => {
    const blocks = message.role === 'assistant' ? signedBlocks(message) : []
    return message.role === 'assistant' && blocks.length > 0 ? shape.write(message, blocks) : message
  })
  if (written.every((message, at) => message === messages[at])) return exchange
  return { ...exchange, request: { ...exchange.request, messages: written } }
}

function signedBlocks(message: AssistantMessage): readonly SignedBlock[] {
  return (message.thinking_blocks ?? []).flatMap((block) => {
    const signature = block.type === 'thinking' ? stringOf(block.signature) : undefined
    return block.type === 'thinking' && signature !== undefined ? [{ thinking: block.thinking, signature }] : []
  })
}

function piecesOf(choice: unknown, shape: ReasoningShape): readonly ReasoningPiece[] {
  if (!isObject(choice)) return []
  const message = choice['delta'] ?? choice['message']
  return isObject(message) ? shape.read(message) : []
}

interface Members {
  readonly thinking_blocks?: ThinkingBlock[]
  readonly reasoning_content?: string
}

function toMembers(pieces: readonly ReasoningPiece[], { hidden }: ReasoningShape): Members {
  const blocks: ThinkingBlock[] = []
  let open = ''
  for (const { text, signature } of pieces) {
    open += text
    if (signature === undefined) continue
    blocks.push({ type: 'thinking', thinking: open, signature })
    open = ''
  }
  const text = pieces.map((piece) => piece.text).join('')
  return {
    ...(blocks.length > 0 && { thinking_blocks: blocks }),
    ...(hidden === true && text !== '' && { reasoning_content: text }),
  }
}

function createDecoder(
  base: Codec<'chat'>,
  shape: ReasoningShape,
  exchange: Exchange<'chat'>,
): StreamDecoder<ChatChunk> {
  const decoder = base.decodeStream?.(exchange)
  if (!decoder) throw new TypeError('a dialect that cannot stream was given signed reasoning')
  const open = new Map<number, string>()
  // The dialect's own first chunk carries the role, so nothing goes before it.
  let isStarted = false
  let waiting: StreamPart<ChatChunk>[] = []
  const identity = { id: `chatcmpl-${exchange.id}`, created: exchange.created, model: exchange.deployment.model }
  const release = (parts: readonly StreamPart<ChatChunk>[]): readonly StreamPart<ChatChunk>[] => {
    isStarted ||= parts.length > 0
    if (!isStarted || waiting.length === 0) return parts
    const added = waiting
    waiting = []
    const end = parts.findIndex(isFinish)
    return end < 0 ? [...parts, ...added] : [...parts.slice(0, end), ...added, ...parts.slice(end)]
  }
  return new OuterDecoder(decoder, {
    push(event) {
      const parts = decoder.push(event)
      if (event.data.includes(shape.marker)) {
        const { id, created, model } = parts.find((part) => part.chunk)?.chunk ?? identity
        waiting.push(...readEvent(event, shape, open).map((choice) => toPart({ id, created, model }, choice)))
      }
      return release(parts)
    },
    end: () => release(decoder.end()),
  })
}

const isFinish = ({ chunk }: StreamPart<ChatChunk>): boolean =>
  chunk?.choices.some((choice) => choice.finish_reason !== null) ?? false

type ChunkChoice = ChatChunk['choices'][number]

function toPart(identity: Pick<ChatChunk, 'id' | 'created' | 'model'>, choice: ChunkChoice): StreamPart<ChatChunk> {
  return { chunk: { ...identity, object: 'chat.completion.chunk', choices: [choice] }, forward: undefined }
}

/** What one event adds, by choice; a block is given once its signature has come. */
function readEvent(event: UpstreamEvent, shape: ReasoningShape, open: Map<number, string>): readonly ChunkChoice[] {
  const body = parseJson(event.data)
  const choices: readonly unknown[] = isObject(body) && Array.isArray(body['choices']) ? body['choices'] : []
  return choices.filter(isObject).flatMap((choice, at): readonly ChunkChoice[] => {
    const index = numberOf(choice['index']) ?? at
    const pieces = piecesOf(choice, shape)
    const before = open.get(index) ?? ''
    const members = toMembers([{ text: before, signature: undefined }, ...pieces], { ...shape, hidden: false })
    const last = pieces.findLastIndex((piece) => piece.signature !== undefined)
    const rest = pieces.slice(last + 1).map((piece) => piece.text)
    open.set(index, (last < 0 ? before : '') + rest.join(''))
    const text = shape.hidden === true ? pieces.map((piece) => piece.text).join('') : ''
    const delta = { ...members, ...(text !== '' && { reasoning_content: text }) }
    return Object.keys(delta).length === 0 ? [] : [{ index, delta, finish_reason: null }]
  })
}
