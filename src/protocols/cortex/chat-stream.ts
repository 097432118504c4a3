import type { ChatChunk } from '../../wire/chat.js'
import { isObject, type JsonObject, parseJson, stringOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import { createChunkBuilder } from '../chunk-builder.js'
import { toFinishReason } from '../finish-reason.js'
import { invalidAnswer, truncated } from '../invalid-answer.js'
import { MalformedEvents } from '../malformed-events.js'
import type { Exchange, StreamDecoder, StreamPart } from '../protocol.js'
import { madeCallId } from '../tool-calls.js'
import { toUsage } from './answer.js'

type Part = StreamPart<ChatChunk>

/**
 * Reads a streamed answer: pieces of text, and of the input of calls. Nothing says that it is over but its end, and
 * nothing why, unless a piece brings a finish reason.
 */
export function createCortexStream(exchange: Exchange<'chat'>): StreamDecoder<ChatChunk> {
  const { id, created, deployment } = exchange
  const builder = createChunkBuilder({ id: `chatcmpl-${id}`, created, model: deployment.model })
  const malformed = new MalformedEvents(deployment.provider)
  let usage: ChatUsage | undefined
  let reason: string | undefined
  let answered = false
  let calls = 0
  // Whether the call that is open has got any input.
  let isFilled = true

  const closeCall = (): readonly Part[] => {
    if (isFilled) return []
    isFilled = true
    return [builder.toolArguments(0, calls - 1, '{}')]
  }
  const openCall = (call: JsonObject): readonly Part[] => {
    const closed = closeCall()
    const callId = stringOf(call['tool_use_id']) || madeCallId(id, 0, calls)
    const opened = builder.toolCall(0, calls, callId, stringOf(call['name']) ?? '')
    calls += 1
    isFilled = false
    return [...closed, opened]
  }
  const addInput = (input: unknown): readonly Part[] => {
    const fragment = isObject(input) ? JSON.stringify(input) : stringOf(input)
    if (fragment === undefined || fragment === '' || calls === 0) return []
    isFilled = true
    return [builder.toolArguments(0, calls - 1, fragment)]
  }
  const read = (delta: JsonObject): readonly Part[] => {
    const piece = pieceOf(delta)
    if (piece['type'] !== 'tool_use') {
      const text = stringOf(delta['content']) || stringOf(delta['text']) || stringOf(piece['text'])
      return text ? [builder.content(0, text)] : []
    }
    return [...(stringOf(piece['name']) ? openCall(piece) : []), ...addInput(piece['input'])]
  }

  return {
    get progress() {
      return reason === undefined ? 'open' : 'finished'
    },
    get usage() {
      return usage
    },
    push({ data }) {
      if (data.trim() === '[DONE]') return []
      const event = parseJson(data)
      if (!isObject(event)) {
        malformed.skip(calls > 0)
        return []
      }
      const choices = Array.isArray(event['choices']) ? event['choices'].filter(isObject) : undefined
      if (!choices) throw invalidAnswer(event, deployment.provider, 'an event without choices')
      const known = { id: stringOf(event['id']), model: stringOf(event['model']) }
      builder.identify({ ...(known.id && { id: known.id }), ...(known.model && { model: known.model }) })
      usage = toUsage(event['usage']) ?? usage
      const [choice] = choices
      if (!choice) return []
      answered = true
      reason = stringOf(choice['finish_reason']) || reason
      return isObject(choice['delta']) ? read(choice['delta']) : []
    },
    end() {
      if (!answered) throw truncated(deployment.provider)
      const finish = builder.finish(0, toFinishReason(reason, calls > 0))
      return [...closeCall(), finish, ...(usage ? [builder.usage(usage)] : [])]
    },
  }
}

/** What a delta adds, wherever in it that stands: beside `type`, in its list, or in a member `tool_use` there. */
function pieceOf(delta: JsonObject): JsonObject {
  const [first]: readonly unknown[] = Array.isArray(delta['content_list']) ? delta['content_list'] : []
  const item = isObject(first) ? first : {}
  const inner = isObject(item['tool_use']) ? item['tool_use'] : {}
  return { ...inner, ...item, ...delta }
}
