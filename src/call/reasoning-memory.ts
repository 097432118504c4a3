import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { modelKey } from '../catalog/model-name.js'
import type { Deployment } from '../deployment.js'
import { splitSignedId } from '../protocols/signed-call-id.js'
import type { AssistantMessage, ChatChunk, ChatMessage, ChatRequest, ThinkingBlock } from '../wire/chat.js'
import { keepOwnReasoning } from './reasoning-origin.js'

/**
 * Reasoning that a provider wants back unchanged during a tool loop, kept for clients that send only OpenAI's
 * documented fields. Found again by tool call id, per caller and model; bounded and in this process only.
 */
export interface ReasoningMemory {
  /** What a deployment's model is called wherever it is served: reasoning is good for models of one such name. */
  originOf(deployment: Deployment): string
  /**
   * Leaves another model's reasoning out, and puts remembered reasoning back where a message lacks it; the same object
   * where there is nothing to change.
   */
  restore(request: ChatRequest, callerId: string, deployment: Deployment): ChatRequest
  /** Keeps the reasoning of an answer that calls tools, and whose reasoning it was. */
  remember(message: ReasoningMessage, callerId: string, deployment: Deployment): void
  /** How much is remembered; `bytes` counts characters. */
  readonly size: { readonly entries: number; readonly bytes: number }
}

/** The members of an answer's message that matter here. */
export interface ReasoningMessage {
  readonly tool_calls?: readonly { readonly id: string }[] | null | undefined
  readonly thinking_blocks?: readonly ThinkingBlock[] | null | undefined
  readonly reasoning_content?: string | null | undefined
}

interface Remembered {
  readonly thinkingBlocks: readonly ThinkingBlock[] | undefined
  readonly reasoningContent: string | undefined
}

const maxCharacters = 32 * 1024 * 1024
const lifetimeMs = 60 * 60 * 1_000
const mostOrigins = 50_000

/** A memory of at most 32 million characters; entries live for an hour after their last use. */
export function createReasoningMemory(): ReasoningMemory {
  const memory = new LRUCache<string, Remembered>({
    maxSize: maxCharacters,
    ttl: lifetimeMs,
    updateAgeOnGet: true,
    sizeCalculation: (entry, key) => key.length + sizeOf(entry),
  })
  const origins = new LRUCache<string, string>({ max: mostOrigins, ttl: lifetimeMs, updateAgeOnGet: true })
  const recall = (message: AssistantMessage, callerId: string): string | undefined => {
    const keys = originKeys(message, callerId)
    return keys.map((key) => origins.get(key)).find((origin) => origin !== undefined)
  }
  const known = new WeakMap<Deployment, string>()
  const originOf = (deployment: Deployment): string => {
    const origin = known.get(deployment) ?? modelKey(deployment.model)
    known.set(deployment, origin)
    return origin
  }
  return {
    get size() {
      return { entries: memory.size, bytes: memory.calculatedSize }
    },
    originOf,
    restore(asked, callerId, deployment) {
      const request = keepOwnReasoning(asked, originOf(deployment), (message) => recall(message, callerId))
      if (memory.size === 0 || !request.messages.some(lacksReasoning)) return request
      const messages = request.messages.map((message) => {
        if (!lacksReasoning(message)) return message
        const id = message.tool_calls?.[0]?.id ?? ''
        const found = memory.get(keyOf(callerId, deployment, id))
        return found ? { ...message, ...toFields(found) } : message
      })
      return { ...request, messages }
    },
    remember(message, callerId, deployment) {
      for (const key of originKeys(message, callerId)) origins.set(key, originOf(deployment))
      const entry: Remembered = {
        thinkingBlocks: message.thinking_blocks?.length ? message.thinking_blocks : undefined,
        reasoningContent: message.reasoning_content || undefined,
      }
      if (!entry.thinkingBlocks && !entry.reasoningContent) return
      for (const call of message.tool_calls ?? []) memory.set(keyOf(callerId, deployment, call.id), entry)
    },
  }
}

function lacksReasoning(message: ChatMessage): message is AssistantMessage {
  return (
    message.role === 'assistant' &&
    Boolean(message.tool_calls?.length) &&
    !message.thinking_blocks?.length &&
    !message.reasoning_content
  )
}

function toFields(entry: Remembered): { thinking_blocks?: ThinkingBlock[]; reasoning_content?: string } {
  return {
    ...(entry.thinkingBlocks && { thinking_blocks: [...entry.thinkingBlocks] }),
    ...(entry.reasoningContent !== undefined && { reasoning_content: entry.reasoningContent }),
  }
}

function sizeOf(entry: Remembered): number {
  const blocks = entry.thinkingBlocks ?? []
  return blocks.reduce((sum, block) => sum + lengthOf(block), 1 + (entry.reasoningContent?.length ?? 0))
}

function lengthOf(block: ThinkingBlock): number {
  return Object.values(block).reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0)
}

const none: readonly never[] = []

/**
 * What a message is recognised by when it comes back: its calls, else its reasoning text. Only where it holds
 * reasoning: nothing else has an origin.
 */
function originKeys(message: ReasoningMessage, callerId: string): readonly string[] {
  const { tool_calls: calls, reasoning_content: reasoning } = message
  if (!calls && !reasoning) return none
  const ids = (calls ?? []).map(({ id }) => id)
  const reasons = Boolean(reasoning) || Boolean(message.thinking_blocks?.length)
  const known = reasons ? ids : ids.filter((id) => splitSignedId(id).signature !== undefined)
  if (known.length > 0) return known.map((id) => JSON.stringify([callerId, id]))
  return reasoning ? [JSON.stringify([callerId, 'text', createHash('sha256').update(reasoning).digest('base64')])] : []
}

// JSON keeps the parts apart whatever they contain.
function keyOf(callerId: string, deployment: Deployment, toolCallId: string): string {
  return JSON.stringify([callerId, deployment.provider, deployment.model, toolCallId])
}

// Characters and calls of one stream.
const maxCollected = 4 * 1024 * 1024
const maxCalls = 10_000

/** Gathers from a stream what `remember` needs; cheap for chunks without reasoning or tool calls. */
export class ReasoningCollector {
  #toolCalls: { id: string }[] = []
  #blocks: ThinkingBlock[] = []
  #reasoning = ''
  #blockLength = 0
  #overflowed = false

  add(chunk: ChatChunk): void {
    const delta = chunk.choices[0]?.delta
    if (!delta || this.#overflowed) return
    if (delta.reasoning_content) this.#reasoning += delta.reasoning_content
    for (const block of delta.thinking_blocks ?? []) {
      this.#blocks.push(block)
      this.#blockLength += lengthOf(block)
    }
    for (const call of delta.tool_calls ?? []) if (call.id) this.#toolCalls.push({ id: call.id })
    if (this.#reasoning.length + this.#blockLength > maxCollected || this.#toolCalls.length > maxCalls) this.#forget()
  }

  /** A stream that reasons without end is not worth its memory. */
  #forget(): void {
    this.#overflowed = true
    this.#toolCalls = []
    this.#blocks = []
    this.#reasoning = ''
  }

  /** The message so far, with only the members that matter for reasoning. */
  get message(): ReasoningMessage {
    return { tool_calls: this.#toolCalls, thinking_blocks: this.#blocks, reasoning_content: this.#reasoning }
  }
}
