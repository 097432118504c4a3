import type { ChatChunk } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import type { ChunkBuilder } from '../chunk-builder.js'
import type { Exchange, StreamPart } from '../protocol.js'

/** A piece of the answer. */
export type Part = StreamPart<ChatChunk>

/** No piece. */
export const none: readonly Part[] = []

/** An output item whose events are under way. */
export interface OpenItem {
  /** As its first event told it. */
  readonly start: JsonObject
  /** Index among the answer's tool calls; -1 for items that are none. */
  readonly position: number
  /** True once its text, arguments or summary began to be sent. */
  sent: boolean
  /** The event type that its reasoning comes in; the other one, if it comes too, says the same. */
  reasoningFrom: string | undefined
  /** The part (content or summary index) that was written last. */
  part: unknown
  /** Where the text of that part begins in the answer. */
  offset: number
  closed: boolean
}

/** Everything about one stream. */
export interface State {
  readonly exchange: Exchange<'chat'>
  readonly build: ChunkBuilder
  readonly items: Map<string, OpenItem>
  /** What tools on the provider's side did. */
  readonly hosted: JsonObject[]
  text: string
  reasoned: boolean
  annotated: boolean
  toolCalls: number
  images: number
  finished: boolean
}

/** Reads one type of event. */
export type Handle = (state: State, event: JsonObject) => readonly Part[]
