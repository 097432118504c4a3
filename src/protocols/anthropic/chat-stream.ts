import { GatewayError } from '../../errors.js'
import type { ChatChunk, ChatDelta } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, parseJson, stringOf } from '../../wire/json.js'
import type { ChunkBuilder } from '../chunk-builder.js'
import { createChunkBuilder } from '../chunk-builder.js'
import { isForeignFinishReason, toFinishReason } from '../finish-reason.js'
import { MalformedEvents } from '../malformed-events.js'
import type { Exchange, StreamDecoder, StreamPart } from '../protocol.js'
import { answerFormat } from './answer.js'
import { endFields, readCitations, specificField } from './answer-fields.js'
import { errorInside } from './failure.js'
import { withDefaults } from './parameters.js'
import type { AnswerStream, FormatPlan } from './response-format.js'
import { createAnswerStream } from './response-format.js'
import { fromWireName } from './tool-names.js'
import { mergeUsage, toUsage } from './usage.js'

type Part = StreamPart<ChatChunk>

/** A content block whose end has not come yet. */
interface OpenBlock {
  /** As `content_block_start` told it. */
  readonly start: JsonObject
  readonly type: string
  /** Text, thinking or JSON, whichever the block consists of. */
  text: string
  signature: string
  readonly citations: unknown[]
  /** Where the text of the block begins in the answer. */
  readonly offset: number
  /** Index among the answer's tool calls; -1 for blocks that are none. */
  readonly position: number
  /** Set for the synthetic tool. */
  readonly answer: AnswerStream | undefined
}

interface State {
  readonly exchange: Exchange<'chat'>
  readonly format: FormatPlan
  readonly build: ChunkBuilder
  readonly open: Map<number, OpenBlock>
  usage: JsonObject
  /** Length of the text sent so far. */
  textLength: number
  /** Text that waits: with a synthetic tool it is the answer only if the tool is not called. */
  heldText: string
  toolCalls: number
  jsonSeen: boolean
  stopReason: string | undefined
  ending: JsonObject
  finished: boolean
}

type Handle = (state: State, event: JsonObject) => readonly Part[]

const none: readonly Part[] = []

function emitText(state: State, text: string): readonly Part[] {
  if (text === '') return none
  state.textLength += text.length
  if (state.format.kind === 'tool') {
    state.heldText += text
    return none
  }
  return [state.build.content(0, text)]
}

function emitFields(state: State, fields: JsonObject, delta: ChatDelta = {}): readonly Part[] {
  return [state.build.delta(0, { ...delta, provider_specific_fields: fields })]
}

const onMessageStart: Handle = (state, event) => {
  const message = isObject(event['message']) ? event['message'] : {}
  const id = stringOf(message['id'])
  const model = stringOf(message['model'])
  state.build.identify({ ...(id !== undefined && { id }), ...(model !== undefined && { model }) })
  state.usage = mergeUsage(state.usage, message['usage'])
  return none
}

function openBlock(state: State, start: JsonObject): OpenBlock {
  const type = stringOf(start['type']) ?? ''
  const { format } = state
  const isAnswer = type === 'tool_use' && format.kind === 'tool' && start['name'] === format.name
  const isCall = type === 'tool_use' && !isAnswer
  const block = {
    start,
    type,
    text: '',
    signature: stringOf(start['signature']) ?? '',
    citations: Array.isArray(start['citations']) ? [...start['citations']] : [],
    offset: state.textLength,
    position: isCall ? state.toolCalls : -1,
    answer: isAnswer && !state.jsonSeen ? createAnswerStream(format.schema) : undefined,
  }
  if (isCall) state.toolCalls += 1
  if (isAnswer) state.jsonSeen = true
  return block
}

const onBlockStart: Handle = (state, event) => {
  const start = isObject(event['content_block']) ? event['content_block'] : {}
  const block = openBlock(state, start)
  state.open.set(Number(event['index']), block)
  if (block.position >= 0) {
    const { exchange, build } = state
    const id = stringOf(start['id']) ?? `call_${exchange.id}_${block.position}`
    const name = fromWireName(stringOf(start['name']) ?? '', withDefaults(exchange))
    return [build.toolCall(0, block.position, id, name)]
  }
  if (block.type === 'text') return addText(state, block, stringOf(start['text']))
  if (block.type === 'thinking') return addThinking(state, block, stringOf(start['thinking']))
  return none
}

function addText(state: State, block: OpenBlock, text = ''): readonly Part[] {
  block.text += text
  return emitText(state, text)
}

function addThinking(state: State, block: OpenBlock, text = ''): readonly Part[] {
  block.text += text
  return text === '' ? none : [state.build.reasoning(0, text)]
}

function addJson(state: State, block: OpenBlock, fragment = ''): readonly Part[] {
  if (fragment === '') return none
  block.text += fragment
  if (block.position >= 0) return [state.build.toolArguments(0, block.position, fragment)]
  const text = block.answer?.push(fragment) ?? ''
  return text === '' ? none : [state.build.content(0, text)]
}

const deltas: Readonly<Record<string, (state: State, block: OpenBlock, delta: JsonObject) => readonly Part[]>> = {
  text_delta: (state, block, delta) => addText(state, block, stringOf(delta['text'])),
  thinking_delta: (state, block, delta) => addThinking(state, block, stringOf(delta['thinking'])),
  input_json_delta: (state, block, delta) => addJson(state, block, stringOf(delta['partial_json'])),
  signature_delta: (_, block, delta) => {
    block.signature += stringOf(delta['signature']) ?? ''
    return none
  },
  citations_delta: (_, block, delta) => {
    block.citations.push(delta['citation'])
    return none
  },
}

const onBlockDelta: Handle = (state, event) => {
  const block = state.open.get(Number(event['index']))
  const delta = isObject(event['delta']) ? event['delta'] : {}
  const type = stringOf(delta['type']) ?? ''
  const handle = Object.hasOwn(deltas, type) ? deltas[type] : undefined
  return block && handle ? handle(state, block, delta) : none
}

function closeText(state: State, block: OpenBlock): readonly Part[] {
  if (block.citations.length === 0) return none
  const { annotations, citations } = readCitations(block.citations, block.text, block.offset)
  return emitFields(state, { citations }, annotations.length === 0 ? {} : { annotations: [...annotations] })
}

function closeToolUse(state: State, block: OpenBlock): readonly Part[] {
  // A call without arguments streams none; some servers tell them all at the start.
  const input = isObject(block.start['input']) ? block.start['input'] : {}
  const rest = block.text === '' ? addJson(state, block, JSON.stringify(input)) : none
  const tail = block.answer?.end() ?? ''
  return tail === '' ? rest : [...rest, state.build.content(0, tail)]
}

/** The block as the non-streamed answer would hold it. */
function wholeBlock(block: OpenBlock): JsonObject {
  if (block.text === '') return block.start
  return { ...block.start, input: parseJson(block.text) ?? block.start['input'] ?? {} }
}

function closeBlock(state: State, block: OpenBlock): readonly Part[] {
  switch (block.type) {
    case 'text':
      return closeText(state, block)
    case 'tool_use':
      return closeToolUse(state, block)
    case 'thinking':
      return [state.build.thinkingBlock(0, { type: 'thinking', thinking: block.text, signature: block.signature })]
    case 'redacted_thinking': {
      const data = stringOf(block.start['data']) ?? ''
      return [state.build.thinkingBlock(0, { type: 'redacted_thinking', data })]
    }
    default:
      return emitFields(state, { [specificField(block.type)]: [wholeBlock(block)] })
  }
}

const onBlockStop: Handle = (state, event) => {
  const index = Number(event['index'])
  const block = state.open.get(index)
  if (!block) return none
  state.open.delete(index)
  return closeBlock(state, block)
}

const onMessageDelta: Handle = (state, event) => {
  const delta = isObject(event['delta']) ? event['delta'] : {}
  state.stopReason = stringOf(delta['stop_reason']) ?? state.stopReason
  state.ending = { ...state.ending, ...endFields(delta), ...endFields(event) }
  state.usage = mergeUsage(state.usage, event['usage'])
  return none
}

/** Text that was held back: the answer after all, or a preamble to the JSON. */
function releaseText(state: State): readonly Part[] {
  if (state.heldText === '') return none
  return state.jsonSeen ? emitFields(state, { preamble: state.heldText }) : [state.build.content(0, state.heldText)]
}

/** What is owed at the end: open blocks, held text, the finish reason, and the usage as the last chunk. */
const finish: Handle = (state) => {
  const { build, stopReason, toolCalls, exchange } = state
  if (stopReason === undefined) throw truncated(exchange.deployment.provider)
  state.finished = true
  const owed = [...state.open.values()].flatMap((block) => closeBlock(state, block))
  const ending = Object.keys(state.ending).length === 0 ? none : emitFields(state, state.ending)
  const answeredAsJson = state.jsonSeen && toolCalls === 0 && stopReason === 'tool_use'
  const reason = answeredAsJson ? 'stop' : toFinishReason(stopReason, toolCalls > 0)
  const native = isForeignFinishReason(stopReason) ? stopReason : undefined
  return [...owed, ...releaseText(state), ...ending, build.finish(0, reason, native), build.usage(toUsage(state.usage))]
}

const handlers: Readonly<Record<string, Handle>> = {
  message_start: onMessageStart,
  content_block_start: onBlockStart,
  content_block_delta: onBlockDelta,
  content_block_stop: onBlockStop,
  message_delta: onMessageDelta,
  message_stop: finish,
  error: (state, event) => {
    throw errorInside(event, state.exchange.deployment.provider)
  },
}

function truncated(provider: string): GatewayError {
  return new GatewayError('stream_truncated', 'The provider ended the stream before the answer was complete.', {
    upstream: { provider, status: 200 },
  })
}

/** Decodes a stream of the Messages API; events of unknown type are ignored, as its versioning policy demands. */
export function createChatStream(exchange: Exchange<'chat'>): StreamDecoder<ChatChunk> {
  const { deployment, id, created } = exchange
  const state: State = {
    exchange,
    format: answerFormat(exchange),
    build: createChunkBuilder({ id: `chatcmpl-${id}`, created, model: deployment.model }),
    open: new Map(),
    usage: {},
    textLength: 0,
    heldText: '',
    toolCalls: 0,
    jsonSeen: false,
    stopReason: undefined,
    ending: {},
    finished: false,
  }
  const malformed = new MalformedEvents(deployment.provider)
  return {
    get progress() {
      if (state.finished) return 'terminated'
      return state.stopReason === undefined ? 'open' : 'finished'
    },
    get usage() {
      return Object.keys(state.usage).length === 0 ? undefined : toUsage(state.usage)
    },
    push({ data }) {
      // After the end some servers of this dialect add OpenAI's terminator.
      if (state.finished || data === '' || data === '[DONE]') return none
      const event = parseJson(data)
      if (!isObject(event)) {
        malformed.skip(state.toolCalls > 0 || state.jsonSeen)
        return none
      }
      if (isObject(event['error'])) throw errorInside(event, deployment.provider)
      const type = stringOf(event['type']) ?? ''
      const handle = Object.hasOwn(handlers, type) ? handlers[type] : undefined
      return handle ? handle(state, event) : none
    },
    end() {
      return state.finished ? none : finish(state, {})
    },
  }
}
