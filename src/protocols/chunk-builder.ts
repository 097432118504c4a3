import type { ChatChunk, ChatDelta, FinishReason, ThinkingBlock } from '../wire/chat.js'
import type { ChatUsage } from '../wire/usage.js'
import type { StreamPart } from './protocol.js'

/** What all chunks of one stream have in common. */
export interface ChunkIdentity {
  readonly id: string
  readonly created: number
  readonly model: string
}

/** Writes a stream's chunks in OpenAI's form: one identity, the role once per choice, id and name of a tool call once. */
export interface ChunkBuilder {
  /** Set as soon as the provider has told its own; later chunks carry it. */
  identify(identity: Partial<ChunkIdentity>): void
  /** A chunk that adds `delta` to a choice; the choice's first one also carries the role. */
  delta(index: number, delta: ChatDelta): StreamPart<ChatChunk>
  content(index: number, text: string): StreamPart<ChatChunk>
  reasoning(index: number, text: string): StreamPart<ChatChunk>
  /** A finished reasoning block with its signature, for clients that send it back. */
  thinkingBlock(index: number, block: ThinkingBlock): StreamPart<ChatChunk>
  /** The first piece of a tool call; `position` counts from 0 within the choice. */
  toolCall(index: number, position: number, id: string, name: string, extra?: object): StreamPart<ChatChunk>
  toolArguments(index: number, position: number, fragment: string): StreamPart<ChatChunk>
  finish(index: number, reason: FinishReason, nativeReason?: string): StreamPart<ChatChunk>
  usage(usage: ChatUsage): StreamPart<ChatChunk>
}

/** Starts the chunks of one stream. */
export function createChunkBuilder(initial: ChunkIdentity): ChunkBuilder {
  let identity = initial
  const started = new Set<number>()

  const chunk = (choices: ChatChunk['choices'], usage?: ChatUsage): StreamPart<ChatChunk> => ({
    chunk: {
      id: identity.id,
      object: 'chat.completion.chunk',
      created: identity.created,
      model: identity.model,
      choices,
      ...(usage && { usage }),
    },
    forward: undefined,
  })

  const withRole = (index: number, delta: ChatDelta): ChatDelta => {
    if (started.has(index)) return delta
    started.add(index)
    return { role: 'assistant', ...delta }
  }

  const addDelta = (index: number, delta: ChatDelta): StreamPart<ChatChunk> =>
    chunk([{ index, delta: withRole(index, delta), finish_reason: null }])

  return {
    identify(known) {
      identity = { ...identity, ...known }
    },
    delta: addDelta,
    content: (index, text) => addDelta(index, { content: text }),
    reasoning: (index, text) => addDelta(index, { reasoning_content: text }),
    thinkingBlock: (index, block) => addDelta(index, { thinking_blocks: [block] }),
    toolCall: (index, position, id, name, extra) =>
      addDelta(index, {
        tool_calls: [{ index: position, id, type: 'function', function: { name, arguments: '' }, ...extra }],
      }),
    toolArguments: (index, position, fragment) =>
      addDelta(index, { tool_calls: [{ index: position, function: { arguments: fragment } }] }),
    finish: (index, reason, nativeReason) =>
      chunk([
        {
          index,
          delta: withRole(
            index,
            nativeReason ? { provider_specific_fields: { native_finish_reason: nativeReason } } : {},
          ),
          finish_reason: reason,
        },
      ]),
    usage: (usage) => chunk([], usage),
  }
}
