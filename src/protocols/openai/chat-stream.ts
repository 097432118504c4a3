import type { ChatChunk, ChatDelta, FinishReason } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import type { UpstreamEvent } from '../../upstream/message.js'
import type { Exchange, StreamDecoder, StreamPart, StreamProgress } from '../protocol.js'
import { type AnswerHead, hasHead, invalidAnswer, throwChoiceError } from './answer.js'
import { readContent, readReasoning } from './content.js'
import { EventReader } from './event-reader.js'
import { EventTemplates } from './event-template.js'
import { foreignFinish, nativeFinish, toChatFinish } from './finish.js'
import { toLogprobs } from './logprobs.js'
import type { Quirks } from './quirks.js'
import { usesJsonTool } from './response-format.js'
import { promisedChoices } from '../promised-choices.js'
import { createThinkSplitter, type ThinkSplitter } from '../think-tags.js'
import { ToolCallStream } from './tool-call-stream.js'

type Part = StreamPart<ChatChunk>
type ChunkChoice = ChatChunk['choices'][number]

/** What is known of one choice so far. */
interface ChoiceState {
  readonly index: number
  readonly calls: ToolCallStream
  readonly splitter: ThinkSplitter | undefined
  /** The client has got the role. */
  started: boolean
  functionCall: boolean
  /** The provider's finish reason; held back until the stream ends, since content may still follow it. */
  native: string | undefined
  /** Members of the event and the choice that came with the finish reason. */
  finishEvent: JsonObject
  finishChoice: JsonObject
}

const nothing: readonly Part[] = []
const chunkObject = 'chat.completion.chunk'

/** Reads one stream of chat chunks. */
export function createChatStream(exchange: Exchange<'chat'>, quirks: Quirks): StreamDecoder<ChatChunk> {
  return new ChatStream(exchange, quirks)
}

class ChatStream implements StreamDecoder<ChatChunk> {
  readonly #exchange: Exchange<'chat'>
  readonly #reader: EventReader
  readonly #templates = new EventTemplates('content')
  readonly #choices = new Map<number, ChoiceState>()
  readonly #promised: number
  readonly #thinkTags: boolean
  readonly #jsonTool: boolean
  progress: StreamProgress = 'open'

  constructor(exchange: Exchange<'chat'>, quirks: Quirks) {
    this.#exchange = exchange
    this.#reader = new EventReader(exchange, quirks, chunkObject, 'chatcmpl', () => this.#isInsideToolCall())
    this.#promised = promisedChoices(exchange)
    this.#thinkTags = quirks.thinkTags === true
    this.#jsonTool = usesJsonTool(exchange.request, exchange.deployment, quirks)
  }

  get usage(): ChatUsage | undefined {
    return this.#reader.usage
  }

  push(event: UpstreamEvent): readonly Part[] {
    if (this.progress === 'terminated') return nothing
    if (event.frame !== undefined && this.#templates.match(event.data)) return [{ chunk: undefined, forward: event }]
    const body = this.#reader.read(event)
    if (!body) {
      if (this.#reader.isDone) this.progress = 'terminated'
      return nothing
    }
    const choices = Array.isArray(body['choices']) ? body['choices'].filter(isObject) : []
    if (event.frame !== undefined && this.#isPlain(body, choices)) {
      this.#templates.learn(event.data)
      return [{ chunk: undefined, forward: event }]
    }
    const parts: Part[] = []
    choices.forEach((choice, position) => this.#readChoice(body, choice, position, parts))
    if (this.#isFinished()) this.progress = 'finished'
    return parts
  }

  end(): readonly Part[] {
    const states = [...this.#choices.values()].toSorted((a, b) => a.index - b.index)
    const isWhole = states.length >= this.#promised && states.every((state) => this.#hasFinish(state))
    if (!isWhole) throw this.#reader.truncated()
    const parts: Part[] = []
    for (const state of states) this.#endChoice(state, parts)
    const { usage, head } = this.#reader
    if (usage) parts.push(toPart({}, head, [], usage))
    return parts
  }

  #isInsideToolCall(): boolean {
    for (const { calls, functionCall } of this.#choices.values()) if (functionCall || calls.hasBegun) return true
    return false
  }

  /** An empty reason counts only where the provider also said that nothing follows (xAI). */
  #hasFinish({ native }: ChoiceState): boolean {
    return native !== undefined && (native !== '' || this.progress === 'terminated')
  }

  #isFinished(): boolean {
    if (this.#choices.size < this.#promised) return false
    for (const { native } of this.#choices.values()) if (!native) return false
    return true
  }

  /** True where the event is content of a choice that has begun, in the very form in which the client gets it. */
  #isPlain(body: JsonObject, choices: readonly JsonObject[]): boolean {
    const [choice] = choices
    if (!choice || choices.length !== 1) return false
    const index = choice['index']
    const state = typeof index === 'number' ? this.#choices.get(index) : undefined
    if (!state?.started || (state.splitter && !state.splitter.isDone)) return false
    return hasHead(body, this.#reader.head) && isPlainEvent(body) && isPlainChoice(choice)
  }

  #readChoice(body: JsonObject, choice: JsonObject, position: number, parts: Part[]): void {
    throwChoiceError(choice, this.#exchange.deployment)
    const source = deltaOf(choice)
    const native = nativeFinish(choice)
    if (!source && native === undefined) return
    const state = this.#stateOf(numberOf(choice['index']) ?? position)
    if (native !== undefined) noteFinish(state, native, body, choice)
    const delta = this.#readDelta(state, source ?? {})
    if (state.started && Object.keys(delta).length === 0) return
    parts.push(this.#toDelta(state, delta, body, choice))
  }

  #stateOf(index: number): ChoiceState {
    const known = this.#choices.get(index)
    if (known) return known
    const state: ChoiceState = {
      index,
      calls: new ToolCallStream(this.#exchange.id, index, this.#jsonTool),
      splitter: this.#thinkTags ? createThinkSplitter() : undefined,
      started: false,
      functionCall: false,
      native: undefined,
      finishEvent: {},
      finishChoice: {},
    }
    this.#choices.set(index, state)
    return state
  }

  #readDelta(state: ChoiceState, source: JsonObject): ChatDelta {
    const read = readContent(source['content'])
    const tools = Array.isArray(source['tool_calls']) ? state.calls.push(source['tool_calls']) : undefined
    const thought = state.splitter?.push(read.text) ?? { reasoning: '', text: read.text }
    const text = thought.text + (tools?.text ?? '')
    const reasoning = readReasoning(source) || read.reasoning + thought.reasoning
    const refusal = stringOf(source['refusal'])
    const functionCall = toFunctionDelta(source['function_call'])
    if (functionCall) state.functionCall = true
    const delta: ChatDelta = keptMembers(source)
    if (text !== '') delta.content = text
    if (reasoning !== '') delta.reasoning_content = reasoning
    if (refusal !== undefined) delta.refusal = refusal
    if (read.images.length > 0) delta['images'] = read.images
    if (tools && tools.deltas.length > 0) delta.tool_calls = [...tools.deltas]
    if (functionCall) delta.function_call = functionCall
    return delta
  }

  #toDelta(state: ChoiceState, delta: ChatDelta, body: JsonObject, choice: JsonObject): Part {
    const isFirst = !state.started
    state.started = true
    const empty = Object.keys(delta).length === 0 ? { content: '' } : undefined
    const whole: ChatDelta = isFirst ? { role: 'assistant', ...empty, ...delta } : delta
    // Without the finish reason, which is still held back.
    const chunkChoice = toChoice(choice, state.index, whole, null)
    if (choice['logprobs'] !== undefined) chunkChoice.logprobs = toLogprobs(choice['logprobs'])
    return toPart(body, this.#reader.head, [chunkChoice])
  }

  #endChoice(state: ChoiceState, parts: Part[]): void {
    const { index, calls, splitter, finishEvent, finishChoice } = state
    const tools = calls.end()
    if (tools === 'unnamed') throw invalidAnswer(this.#exchange.deployment, 'a tool call without a name')
    const rest = splitter?.end() ?? { reasoning: '', text: '' }
    const text = rest.text + tools.text
    const delta: ChatDelta = {
      ...(text !== '' && { content: text }),
      ...(rest.reasoning !== '' && { reasoning_content: rest.reasoning }),
      ...(tools.deltas.length > 0 && { tool_calls: [...tools.deltas] }),
    }
    if (Object.keys(delta).length > 0) parts.push(this.#toDelta(state, delta, {}, {}))

    const native = this.#jsonTool && calls.count === 0 && state.native === 'tool_calls' ? 'stop' : state.native
    const reason = toChatFinish(native, { tools: calls.count > 0, functionCall: state.functionCall })
    const foreign = foreignFinish(state.native)
    const last: ChatDelta = foreign === undefined ? {} : { provider_specific_fields: { native_finish_reason: foreign } }
    parts.push(toPart(finishEvent, this.#reader.head, [toChoice(finishChoice, index, last, reason)]))
  }
}

/** The first reason stays, unless it was a plain stop and a later one says more. */
function noteFinish(state: ChoiceState, native: string, body: JsonObject, choice: JsonObject): void {
  const isWeak = state.native === undefined || state.native === '' || state.native === 'stop'
  if (isWeak && (native !== '' || state.native === undefined)) state.native = native
  state.finishEvent = body
  state.finishChoice = choice
}

function deltaOf(choice: JsonObject): JsonObject | undefined {
  if (isObject(choice['delta'])) return choice['delta']
  // Servers that answer a stream with a whole message, or with text as before chat.
  if (isObject(choice['message'])) return choice['message']
  return typeof choice['text'] === 'string' ? { content: choice['text'] } : undefined
}

function isPlainEvent(body: JsonObject): boolean {
  const isQuiet = (name: string): boolean => body[name] === undefined || body[name] === null
  return isQuiet('usage') && isQuiet('error') && !('x_groq' in body) && !('prompt_filter_results' in body)
}

function isPlainChoice(choice: JsonObject): boolean {
  const delta = choice['delta']
  if (choice['finish_reason'] !== null || !isObject(delta) || 'message' in choice || 'text' in choice) return false
  const logprobs = choice['logprobs']
  if (logprobs !== undefined && logprobs !== null && toLogprobs(logprobs) !== logprobs) return false
  for (const name in delta) {
    if (name !== 'content' && !(name === 'refusal' && delta[name] === null)) return false
  }
  return stringOf(delta['content']) !== undefined
}

const readMembers = new Set([
  'role',
  'content',
  'reasoning',
  'reasoning_content',
  'tool_calls',
  'function_call',
  'refusal',
])

/** Members of a delta that are passed on as they are: annotations, audio, reasoning_details ... */
function keptMembers(delta: JsonObject): ChatDelta {
  const kept: ChatDelta = {}
  for (const name in delta) {
    const value = delta[name]
    if (value === null || readMembers.has(name) || (Array.isArray(value) && value.length === 0)) continue
    kept[name] = value
  }
  return kept
}

function toFunctionDelta(call: unknown): ChatDelta['function_call'] | undefined {
  if (!isObject(call)) return undefined
  const name = stringOf(call['name'])
  const given = call['arguments']
  const text = typeof given === 'string' || given === undefined || given === null ? given : JSON.stringify(given)
  if (name === undefined && !text) return undefined
  return { ...(name !== undefined && { name }), ...(typeof text === 'string' && { arguments: text }) }
}

const writtenOfChoice = new Set(['index', 'delta', 'finish_reason', 'finish_details', 'logprobs', 'message', 'text'])
const writtenOfEvent = new Set([
  'id',
  'object',
  'created',
  'model',
  'choices',
  'usage',
  'x_groq',
  'prompt_filter_results',
  'obfuscation',
  'p',
])

// Both are filled member by member: spreading objects of unknown shape costs several times as much, and this runs
// for every event that is not forwarded.

function toChoice(from: JsonObject, index: number, delta: ChatDelta, finish: FinishReason | null): ChunkChoice {
  const choice: ChunkChoice = { index, delta, finish_reason: finish }
  for (const name in from) {
    if (from[name] !== null && !writtenOfChoice.has(name)) choice[name] = from[name]
  }
  return choice
}

function toPart(from: JsonObject, head: AnswerHead, choices: ChunkChoice[], usage?: ChatChunk['usage']): Part {
  const { id, created, model } = head
  const chunk: ChatChunk = { id, object: chunkObject, created, model, choices }
  for (const name in from) {
    if (from[name] !== null && !writtenOfEvent.has(name)) chunk[name] = from[name]
  }
  if (usage) chunk.usage = usage
  return { chunk, forward: undefined }
}
