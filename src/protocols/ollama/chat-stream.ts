import { GatewayError } from '../../errors.js'
import type { ChatChunk } from '../../wire/chat.js'
import { isObject, type JsonObject, parseJson, stringOf } from '../../wire/json.js'
import { createChunkBuilder } from '../chunk-builder.js'
import { isForeignFinishReason, toFinishReason } from '../finish-reason.js'
import { MalformedEvents } from '../malformed-events.js'
import type { Exchange, StreamDecoder, StreamPart } from '../protocol.js'
import { createThinkSplitter, type Thought } from '../think-tags.js'
import { createdOf, toAnswerObject, toLogprobs, toToolCalls, toUsage } from './answer.js'

type Part = StreamPart<ChatChunk>

/** The error for a stream that closed before its last line, which says `done`. */
export function truncated(provider: string): GatewayError {
  return new GatewayError('stream_truncated', 'The stream ended before the answer was complete.', {
    upstream: { provider, status: 200 },
  })
}

/** Decodes a stream of `/api/chat`: one object a line, calls whole, counts and reason on the line that says `done`. */
export function createChatStream({ id, created, deployment }: Exchange<'chat'>): StreamDecoder<ChatChunk> {
  const { provider } = deployment
  const builder = createChunkBuilder({ id: `chatcmpl-${id}`, created, model: deployment.model })
  const malformed = new MalformedEvents(provider)
  const splitter = createThinkSplitter()
  let identified = false
  let calls = 0
  let last: JsonObject | undefined

  const identify = (answer: JsonObject): void => {
    if (identified) return
    identified = true
    const [at, model] = [createdOf(answer), stringOf(answer['model'])]
    builder.identify({ ...(at !== undefined && { created: at }), ...(model !== undefined && { model }) })
  }

  const say = ({ reasoning, text }: Thought): readonly Part[] => [
    ...(reasoning === '' ? [] : [builder.reasoning(0, reasoning)]),
    ...(text === '' ? [] : [builder.content(0, text)]),
  ]

  const call = (message: JsonObject): readonly Part[] => {
    const made = toToolCalls(message, id, calls)
    const start = calls
    calls += made.length
    return made.flatMap(({ id: callId, function: called }, position) => [
      builder.toolCall(0, start + position, callId, called?.name ?? ''),
      builder.toolArguments(0, start + position, called?.arguments ?? '{}'),
    ])
  }

  const read = (answer: JsonObject): readonly Part[] => {
    identify(answer)
    if (answer['done'] === true) last = answer
    const message = isObject(answer['message']) ? answer['message'] : {}
    const thinking = stringOf(message['thinking'])
    const content = stringOf(message['content'])
    const parts = [
      ...(thinking === undefined ? [] : [builder.reasoning(0, thinking)]),
      ...(content === undefined ? [] : say(splitter.push(content))),
      ...call(message),
    ]
    return withLogprobs(parts, answer['logprobs'])
  }

  const withLogprobs = (parts: readonly Part[], list: unknown): readonly Part[] => {
    const logprobs = toLogprobs(list)
    if (!logprobs) return parts
    const [{ chunk } = builder.delta(0, {}), ...others] = parts
    if (!chunk) return parts
    return [
      { chunk: { ...chunk, choices: chunk.choices.map((choice) => ({ ...choice, logprobs })) }, forward: undefined },
      ...others,
    ]
  }

  return {
    get progress() {
      return last === undefined ? 'open' : 'terminated'
    },
    push({ data }) {
      const value = parseJson(data)
      if (value !== undefined) return read(toAnswerObject(value, 'message', provider))
      malformed.skip(calls > 0)
      return []
    },
    end() {
      if (!last) throw truncated(provider)
      const native = stringOf(last['done_reason'])
      const foreign = native !== undefined && isForeignFinishReason(native) ? native : undefined
      const usage = toUsage(last)
      return [
        ...say(splitter.end()),
        builder.finish(0, toFinishReason(native, calls > 0), foreign),
        ...(usage ? [builder.usage(usage)] : []),
      ]
    },
  }
}
