import { GatewayError } from '../../errors.js'
import type { ChatChunk } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf, parseJson, stringOf } from '../../wire/json.js'
import { createChunkBuilder } from '../chunk-builder.js'
import { errorInside, readErrorText } from '../failure.js'
import { MalformedEvents } from '../malformed-events.js'
import { settleRequest } from '../parameter-table.js'
import type { Exchange, StreamDecoder, StreamPart } from '../protocol.js'
import { isJsonTool } from '../structured-output.js'
import { madeCallId } from '../tool-calls.js'
import { toAnnotations, toEnding, toLogprobs, toUsage } from './answer.js'
import { usesJsonTool } from './tools.js'

type Part = StreamPart<ChatChunk>

/** A call that is being made. */
interface OpenCall {
  readonly position: number
  /** The synthetic tool's call: its arguments are the content. */
  readonly isJson: boolean
  length: number
}

const textOf = (value: unknown): string => stringOf(value) ?? ''

/** Decodes the typed events of `/v2/chat`: https://docs.cohere.com/v2/docs/streaming */
export function createChatStream(exchange: Exchange<'chat'>): StreamDecoder<ChatChunk> {
  const { id, created, deployment } = exchange
  const { provider } = deployment
  const builder = createChunkBuilder({ id: `chatcmpl-${id}`, created, model: deployment.model })
  const malformed = new MalformedEvents(provider)
  const unwraps = usesJsonTool(settleRequest(exchange.request, deployment).request)
  const open = new Map<number, OpenCall>()
  const citations: JsonObject[] = []
  const offsets = new Map<number, number>()
  let calls = 0
  let json = 0
  let length = 0
  let end: JsonObject | undefined
  let done = false

  const say = (content: unknown, index: number | undefined): readonly Part[] => {
    const item = isObject(content) ? content : {}
    const [text, thinking] = [textOf(item['text']), textOf(item['thinking'])]
    if (index !== undefined && !offsets.has(index)) offsets.set(index, length)
    length += text.length
    return [
      ...(thinking === '' ? [] : [builder.reasoning(0, thinking)]),
      ...(text === '' ? [] : [builder.content(0, text)]),
    ]
  }

  const addArguments = (call: OpenCall | undefined, value: unknown): readonly Part[] => {
    const fragment = textOf(value)
    // An empty call's arguments may come as the word null.
    if (!call || fragment === '' || (call.length === 0 && fragment === 'null')) return []
    call.length += fragment.length
    return [call.isJson ? builder.content(0, fragment) : builder.toolArguments(0, call.position, fragment)]
  }

  const startCall = (value: unknown, index: number): readonly Part[] => {
    const made = isObject(value) ? value : {}
    const called = isObject(made['function']) ? made['function'] : {}
    const name = textOf(called['name'])
    const isJson = unwraps && isJsonTool(name)
    const call: OpenCall = { position: isJson ? 0 : calls, isJson, length: 0 }
    if (isJson) json += 1
    else calls += 1
    open.set(index, call)
    const start = builder.toolCall(0, call.position, stringOf(made['id']) ?? madeCallId(id, 0, call.position), name)
    return [...(isJson ? [] : [start]), ...addArguments(call, called['arguments'])]
  }

  const endCall = (index: number): readonly Part[] => {
    const call = open.get(index)
    open.delete(index)
    return call && call.length === 0 ? addArguments(call, '{}') : []
  }

  const cite = (value: unknown): readonly Part[] => {
    citations.push(...(Array.isArray(value) ? value : [value]).filter(isObject))
    return []
  }

  const readMessage = (event: JsonObject, delta: JsonObject): readonly Part[] => {
    const index = numberOf(event['index'])
    const message = isObject(delta['message']) ? delta['message'] : {}
    switch (event['type']) {
      case 'message-start':
        builder.identify({ ...(stringOf(event['id']) !== undefined && { id: textOf(event['id']) }) })
        return []
      case 'content-start':
      case 'content-delta':
        return withLogprobs(say(message['content'], index), event['logprobs'] ?? delta['logprobs'])
      case 'tool-plan-delta':
        return [builder.reasoning(0, textOf(message['tool_plan']))]
      case 'tool-call-start':
        return startCall(message['tool_calls'], index ?? 0)
      case 'tool-call-delta': {
        const piece = message['tool_calls']
        const called = isObject(piece) && isObject(piece['function']) ? piece['function'] : {}
        return addArguments(open.get(index ?? 0), called['arguments'])
      }
      case 'tool-call-end':
        return endCall(index ?? 0)
      case 'citation-start':
        return cite(message['citations'])
      default:
        return []
    }
  }

  const withLogprobs = (parts: readonly Part[], value: unknown): readonly Part[] => {
    const logprobs = toLogprobs(isObject(value) ? [value] : value)
    const [first, ...others] = parts
    if (!logprobs || !first?.chunk) return parts
    const choices = first.chunk.choices.map((choice) => ({ ...choice, logprobs }))
    return [{ ...first, chunk: { ...first.chunk, choices } }, ...others]
  }

  const finish = (delta: JsonObject): readonly Part[] => {
    const ending = toEnding(delta, calls > 0, provider)
    end = delta
    const annotations = toAnnotations(citations, offsets)
    const more =
      citations.length === 0
        ? []
        : [
            builder.delta(0, {
              ...(annotations.length > 0 && { annotations: annotations.map((annotation) => ({ ...annotation })) }),
              provider_specific_fields: { citations },
            }),
          ]
    const reason = json > 0 && calls === 0 ? 'stop' : ending.reason
    const usage = toUsage(delta['usage'])
    return [
      ...[...open.keys()].flatMap(endCall),
      ...more,
      builder.finish(0, reason, ending.native),
      ...(usage ? [builder.usage(usage)] : []),
    ]
  }

  return {
    get progress() {
      if (done) return 'terminated'
      return end === undefined ? 'open' : 'finished'
    },
    push({ data }) {
      if (data.trim() === '[DONE]') {
        done = end !== undefined
        return []
      }
      const event = parseJson(data)
      if (!isObject(event)) {
        malformed.skip(calls + json > 0)
        return []
      }
      const delta = isObject(event['delta']) ? event['delta'] : {}
      if (event['type'] === 'message-end') return finish(delta)
      if (!('type' in event) && readErrorText(event)) throw errorInside(event, 500, provider)
      return readMessage(event, delta)
    },
    end() {
      if (end) return []
      throw new GatewayError('stream_truncated', 'The stream ended before the answer was complete.', {
        upstream: { provider, status: 200 },
      })
    },
  }
}
