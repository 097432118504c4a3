import type { JsonObject } from '../../wire/json.js'
import { isObject, stringOf } from '../../wire/json.js'
import { toCitation, toExtraBlocks, toMessagesUsage, toServerResult, toToolUse } from './answer.js'

type Events = readonly JsonObject[]

const none: Events = []

/** Content that is told whole when its block ends. */
interface HeldBlock {
  /** Pieces of base64, each of whole bytes. */
  readonly redacted: Buffer[]
  readonly result: JsonObject | undefined
  readonly resultContent: unknown[]
}

type DeltaHandler = (events: ConverseEvents, index: number, value: unknown) => Events

const deltas: Readonly<Record<string, DeltaHandler>> = {
  text: (events, index, value) => events.add(index, 'text', { type: 'text_delta', text: value }),
  toolUse: (events, index, value) => {
    const input = isObject(value) ? stringOf(value['input']) : undefined
    return input === undefined ? none : events.add(index, 'tool_use', { type: 'input_json_delta', partial_json: input })
  },
  reasoningContent: (events, index, value) => (isObject(value) ? events.addReasoning(index, value) : none),
  citation: (events, index, value) =>
    isObject(value) ? events.add(index, 'text', { type: 'citations_delta', citation: toCitation(value) }) : none,
  toolResult: (events, index, value) => events.hold(index, value),
}

const starts: Readonly<Record<string, JsonObject>> = {
  text: { type: 'text', text: '' },
  thinking: { type: 'thinking', thinking: '', signature: '' },
}

/**
 * Turns the events of ConverseStream into those of the Messages API: texts get the start that Converse leaves out, and
 * the usage, which comes after the stop, ends the message.
 */
export class ConverseEvents {
  readonly #model: string
  readonly #open = new Map<number, string>()
  readonly #held = new Map<number, HeldBlock>()
  #extra: Events = none
  #hasToolCall = false

  constructor(model: string) {
    this.#model = model
  }

  /** True once the model has begun to call a tool. */
  get hasToolCall(): boolean {
    return this.#hasToolCall
  }

  /** The events that one event of the stream means; unknown ones mean nothing. */
  push(name: string, payload: JsonObject): Events {
    const index = Number(payload['contentBlockIndex'] ?? 0)
    switch (name) {
      case 'messageStart':
        return [{ type: 'message_start', message: { model: this.#model } }]
      case 'contentBlockStart':
        return this.#start(index, isObject(payload['start']) ? payload['start'] : {})
      case 'contentBlockDelta':
        return this.#delta(index, isObject(payload['delta']) ? payload['delta'] : {})
      case 'contentBlockStop':
        return this.#stop(index)
      case 'messageStop':
        this.#extra = toExtraBlocks(payload)
        return [{ type: 'message_delta', delta: { stop_reason: payload['stopReason'] } }]
      case 'metadata':
        return this.#end(payload)
      default:
        return none
    }
  }

  /** A delta of a block that may not have been opened yet. */
  add(index: number, type: string, delta: JsonObject): Events {
    const event = { type: 'content_block_delta', index, delta }
    if (this.#open.has(index)) return [event]
    const start = starts[type]
    return start ? [this.#opened(index, start), event] : none
  }

  addReasoning(index: number, value: JsonObject): Events {
    const { text, signature, redactedContent } = value
    if (typeof text === 'string') return this.add(index, 'thinking', { type: 'thinking_delta', thinking: text })
    if (typeof signature === 'string') return this.add(index, 'thinking', { type: 'signature_delta', signature })
    if (typeof redactedContent !== 'string') return none
    this.#heldAt(index).redacted.push(Buffer.from(redactedContent, 'base64'))
    return none
  }

  hold(index: number, content: unknown): Events {
    this.#heldAt(index).resultContent.push(...(Array.isArray(content) ? content : []))
    return none
  }

  #heldAt(index: number): HeldBlock {
    const known = this.#held.get(index)
    if (known) return known
    const block: HeldBlock = { redacted: [], result: undefined, resultContent: [] }
    this.#held.set(index, block)
    return block
  }

  #opened(index: number, block: JsonObject): JsonObject {
    this.#open.set(index, String(block['type']))
    return { type: 'content_block_start', index, content_block: block }
  }

  #start(index: number, start: JsonObject): Events {
    if (isObject(start['toolUse'])) {
      this.#hasToolCall = true
      return [this.#opened(index, toToolUse(start['toolUse']))]
    }
    if (isObject(start['toolResult'])) {
      this.#held.set(index, { redacted: [], result: start['toolResult'], resultContent: [] })
    }
    return none
  }

  #delta(index: number, delta: JsonObject): Events {
    for (const [name, value] of Object.entries(delta)) {
      const handle = Object.hasOwn(deltas, name) ? deltas[name] : undefined
      if (handle) return handle(this, index, value)
    }
    return none
  }

  #stop(index: number): Events {
    const held = this.#held.get(index)
    this.#held.delete(index)
    const isOpen = this.#open.delete(index)
    const closed = isOpen ? [{ type: 'content_block_stop', index }] : none
    if (!held) return closed
    const block = held.result
      ? toServerResult({ ...held.result, content: held.resultContent })
      : { type: 'redacted_thinking', data: Buffer.concat(held.redacted).toString('base64') }
    return [...closed, ...wholeBlock(index, block)]
  }

  #end(payload: JsonObject): Events {
    const extra = [...this.#extra, ...toExtraBlocks(payload)]
    const usage = toMessagesUsage(payload['usage'], payload['serviceTier'])
    return [
      ...extra.flatMap((block, position) => wholeBlock(1_000_000 + position, block)),
      { type: 'message_delta', delta: {}, usage },
      { type: 'message_stop' },
    ]
  }
}

function wholeBlock(index: number, block: JsonObject): Events {
  return [
    { type: 'content_block_start', index, content_block: block },
    { type: 'content_block_stop', index },
  ]
}
