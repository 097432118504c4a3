import { GatewayError } from '../../errors.js'
import type { ChatChunk } from '../../wire/chat.js'
import { isObject, type JsonObject, parseJson, stringOf } from '../../wire/json.js'
import { createChunkBuilder } from '../chunk-builder.js'
import { MalformedEvents } from '../malformed-events.js'
import type { Exchange, StreamDecoder } from '../protocol.js'
import { errorInside } from './failure.js'
import { finishOf, identityOf, responseFields } from './finish.js'
import {
  closeItem,
  onAnnotation,
  onArguments,
  onItemAdded,
  onItemDone,
  onReasoning,
  onRefusal,
  onText,
} from './item-stream.js'
import { hostedFields, markedCitations, objectsOf } from './output.js'
import { type Handle, none, type Part, type State } from './stream-state.js'
import { toUsage } from './usage.js'

const responseOf = (event: JsonObject): JsonObject => (isObject(event['response']) ? event['response'] : {})

const onStart: Handle = (state, event) => {
  state.build.identify(identityOf(responseOf(event)))
  return none
}

/** The terminal event holds the whole response: whatever of it was not streamed is given now. */
const onEnd: Handle = (state, event) => {
  const { build, exchange } = state
  const response: JsonObject = {
    ...responseOf(event),
    ...(event['type'] === 'response.incomplete' && { status: 'incomplete' }),
  }
  build.identify(identityOf(response))
  const reason = finishOf(response, false, exchange.deployment.provider)
  const owed = objectsOf(response['output']).flatMap((item, index) => closeLate(state, String(index), item))
  const usage = toUsage(response['usage'], response['output'])
  state.finished = true
  return [
    ...owed,
    ...finalFields(state, response),
    build.finish(0, reason === 'stop' && state.toolCalls > 0 ? 'tool_calls' : reason),
    ...(usage ? [build.usage(usage)] : []),
  ]
}

/** Items of servers that number none are known by their ids. */
function closeLate(state: State, index: string, item: JsonObject): readonly Part[] {
  const id = stringOf(item['id'])
  const known = state.items.has(index) || id === undefined || !state.items.has(id)
  return closeItem(state, known ? index : id, item)
}

function finalFields(state: State, response: JsonObject): readonly Part[] {
  const fields = { ...responseFields(response), ...hostedFields(state.hosted) }
  const annotations = state.annotated ? [] : [...markedCitations(state.text, state.hosted)]
  if (Object.keys(fields).length + annotations.length === 0) return none
  const marked = annotations.length > 0 ? { annotations } : {}
  return [state.build.delta(0, { ...marked, provider_specific_fields: fields })]
}

const onError: Handle = (state, event) => {
  const failed = isObject(event['response']) ? event['response'] : event
  throw errorInside(isObject(event['error']) ? event : failed, state.exchange.deployment.provider)
}

// Everything else repeats what these told, or tells how far a hosted tool is.
const handlers: Readonly<Record<string, Handle>> = {
  'response.created': onStart,
  'response.in_progress': onStart,
  'response.queued': onStart,
  'response.output_item.added': onItemAdded,
  'response.output_item.done': onItemDone,
  'response.output_text.delta': onText,
  'response.output_text.annotation.added': onAnnotation,
  'response.refusal.delta': onRefusal,
  'response.reasoning_summary_text.delta': onReasoning,
  'response.reasoning_text.delta': onReasoning,
  'response.function_call_arguments.delta': onArguments,
  'response.custom_tool_call_input.delta': onArguments,
  'response.completed': onEnd,
  'response.incomplete': onEnd,
  'response.failed': onError,
  'response.cancelled': onError,
  error: onError,
}

/** Perplexity's `response.reasoning.*` tell what its agent thinks and does. */
function onThought(state: State, event: JsonObject): readonly Part[] {
  const thought = stringOf(event['thought'])
  if (thought === undefined) return none
  const gap = state.reasoned ? '\n\n' : ''
  state.reasoned = true
  return [state.build.reasoning(0, gap + thought)]
}

function handle(state: State, event: JsonObject): readonly Part[] {
  const type = stringOf(event['type']) ?? ''
  const known = Object.hasOwn(handlers, type) ? handlers[type] : undefined
  if (known) return known(state, event)
  if (type.startsWith('response.reasoning.')) return onThought(state, event)
  return type === '' && isObject(event['error']) ? onError(state, event) : none
}

/** Decodes a stream of the Responses API: `response.*` events, the last of which is the terminator. */
export function createChatStream(exchange: Exchange<'chat'>): StreamDecoder<ChatChunk> {
  const { deployment, id, created } = exchange
  const state: State = {
    exchange,
    build: createChunkBuilder({ id: `chatcmpl-${id}`, created, model: deployment.model }),
    items: new Map(),
    hosted: [],
    text: '',
    reasoned: false,
    annotated: false,
    toolCalls: 0,
    images: 0,
    finished: false,
  }
  const malformed = new MalformedEvents(deployment.provider)
  return {
    get progress() {
      return state.finished ? 'terminated' : 'open'
    },
    push({ data }) {
      if (state.finished || data === '' || data === '[DONE]') return none
      const event = parseJson(data)
      if (isObject(event)) return handle(state, event)
      malformed.skip(state.toolCalls > 0)
      return none
    },
    end() {
      if (state.finished) return none
      throw new GatewayError('stream_truncated', 'The provider ended the stream before the answer was complete.', {
        upstream: { provider: deployment.provider, status: 200 },
      })
    },
  }
}
