import { InvalidRequestError } from '../../errors.js'
import type { ChatMessage } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject } from '../../wire/json.js'
import type { PendingCall } from './assistant.js'
import { assistantParts, functionCallId } from './assistant.js'
import type { Block, ContentTarget } from './content.js'
import { textBlock, toBlocks } from './content.js'
import { toWireName } from './tool-names.js'

/** A message of the Messages API. */
export interface WireMessage {
  readonly role: 'user' | 'assistant'
  readonly content: readonly Block[]
}

/** A conversation in the Messages API's form: roles alternate, the first is `user`, every tool call is answered. */
export interface Conversation {
  readonly system: readonly Block[]
  readonly messages: readonly WireMessage[]
}

interface ToolResult {
  readonly callId: string
  readonly block: Block
}

interface UserTurn {
  readonly role: 'user'
  readonly blocks: Block[]
  readonly results: ToolResult[]
}

interface AssistantTurn {
  readonly role: 'assistant'
  readonly thinking: Block[]
  readonly blocks: Block[]
  readonly calls: PendingCall[]
}

// The API refuses an empty message; a full stop says as little as one can.
const placeholder: Block = { type: 'text', text: '.' }
const unanswered = 'This tool call was not answered.'

/** A message's own `cache_control` (LiteLLM's form) marks its last block, unless that is marked already. */
function markLast(blocks: readonly Block[], message: ChatMessage): readonly Block[] {
  const mark = message['cache_control']
  const last = blocks.at(-1)
  if (!isObject(mark) || last === undefined || 'cache_control' in last) return blocks
  return [...blocks.slice(0, -1), { ...last, cache_control: mark }]
}

function systemBlocks(message: ChatMessage, place: string, target: ContentTarget): readonly Block[] {
  const blocks = toBlocks(message.content, place, target)
  const foreign = blocks.findIndex((block) => block['type'] !== 'text')
  if (foreign === -1) return markLast(blocks, message)
  throw new InvalidRequestError(`${place} may hold only text, as a ${message.role} message.`, place)
}

function toResult(message: ChatMessage, callId: string, place: string, target: ContentTarget): ToolResult {
  const blocks = toBlocks(message.content, place, target)
  const [first] = blocks
  // One plain text stays a string, which costs fewer bytes; an empty result has no content at all.
  const plain = blocks.length === 1 && first?.['type'] === 'text' && !('cache_control' in first)
  const mark = message['cache_control']
  return {
    callId,
    block: {
      ...(blocks.length > 0 && { content: plain ? first['text'] : blocks }),
      ...(message['is_error'] === true && { is_error: true }),
      ...(isObject(mark) && { cache_control: mark }),
    },
  }
}

type Turn = UserTurn | AssistantTurn

/** The turn that a user, tool or function message belongs to: the running one, or a new one. */
function userTurn(turns: Turn[]): UserTurn {
  const last = turns.at(-1)
  if (last?.role === 'user') return last
  const turn: UserTurn = { role: 'user', blocks: [], results: [] }
  turns.push(turn)
  return turn
}

function assistantTurn(turns: Turn[]): AssistantTurn {
  const last = turns.at(-1)
  if (last?.role === 'assistant') return last
  const turn: AssistantTurn = { role: 'assistant', thinking: [], blocks: [], calls: [] }
  turns.push(turn)
  return turn
}

/** The index of the latest legacy `function_call` before a `function` message. */
function callerOf(messages: readonly ChatMessage[], index: number): number {
  return messages.findLastIndex((message, at) => at < index && message.role === 'assistant' && !!message.function_call)
}

/** Sorts messages into turns: neighbours of one role become one turn, system messages are lifted out. */
function collectTurns(messages: readonly ChatMessage[], target: ContentTarget): { system: Block[]; turns: Turn[] } {
  const system: Block[] = []
  const turns: Turn[] = []
  for (const [index, message] of messages.entries()) {
    const place = `messages[${index}]`
    switch (message.role) {
      case 'system':
      case 'developer':
        system.push(...systemBlocks(message, place, target))
        break
      case 'user':
        userTurn(turns).blocks.push(...markLast(toBlocks(message.content, place, target), message))
        break
      case 'tool':
        userTurn(turns).results.push(toResult(message, message.tool_call_id, place, target))
        break
      case 'function':
        userTurn(turns).results.push(toResult(message, functionCallId(callerOf(messages, index)), place, target))
        break
      case 'assistant': {
        const { thinking, blocks, calls } = assistantParts(message, index, target)
        if (thinking.length + blocks.length + calls.length === 0) break
        const turn = assistantTurn(turns)
        turn.thinking.push(...thinking)
        turn.blocks.push(...markLast(blocks, message))
        turn.calls.push(...calls)
      }
    }
  }
  return { system, turns }
}

interface Call extends PendingCall {
  readonly wireId: string
}

/** Gives every call an id that the API takes and that no other call of the conversation has. */
function numberCalls(calls: readonly PendingCall[], taken: Set<string>): readonly Call[] {
  return calls.map((call, index) => {
    const wanted = toWireName(call.id === '' ? `call_${index}` : call.id)
    let wireId = wanted
    for (let copy = 2; taken.has(wireId); copy += 1) wireId = toWireName(`${wanted}_${copy}`)
    taken.add(wireId)
    return { ...call, wireId }
  })
}

/** A result that answers no call is still something the model should know: it becomes text. */
function orphanBlocks(result: ToolResult): readonly Block[] {
  const { content } = result.block
  const intro = `Result of the tool call ${result.callId}:`
  if (Array.isArray(content)) return [{ type: 'text', text: intro }, ...content]
  return typeof content === 'string' ? [{ type: 'text', text: `${intro} ${content}` }] : []
}

/** The user turn after tool calls: results first, in the order they were given, one for every call, then the rest. */
function answerCalls(calls: readonly Call[], turn: UserTurn | undefined): readonly Block[] {
  const open = [...calls]
  const answers: Block[] = []
  const rest: Block[] = []
  for (const result of turn?.results ?? []) {
    const at = open.findIndex((call) => call.id === result.callId)
    const [call] = at === -1 ? [] : open.splice(at, 1)
    if (call) answers.push({ type: 'tool_result', tool_use_id: call.wireId, ...result.block })
    else rest.push(...orphanBlocks(result))
  }
  const missing = open.map((call) => ({
    type: 'tool_result',
    tool_use_id: call.wireId,
    content: unanswered,
    is_error: true,
  }))
  return [...answers, ...missing, ...rest, ...(turn?.blocks ?? [])]
}

function toolUse(call: Call): Block {
  const { wireId, name, input, cacheControl } = call
  return { type: 'tool_use', id: wireId, name, input, ...(cacheControl && { cache_control: cacheControl }) }
}

function writeTurns(turns: readonly Turn[]): readonly WireMessage[] {
  const taken = new Set<string>()
  const messages: WireMessage[] = []
  let calls: readonly Call[] = []
  const writeUser = (turn: UserTurn | undefined): void => {
    const content = answerCalls(calls, turn)
    messages.push({ role: 'user', content: content.length === 0 ? [placeholder] : content })
    calls = []
  }
  if (turns[0]?.role !== 'user') writeUser(undefined)
  for (const turn of turns) {
    if (turn.role === 'user') {
      writeUser(turn)
      continue
    }
    calls = numberCalls(turn.calls, taken)
    messages.push({ role: 'assistant', content: [...turn.thinking, ...turn.blocks, ...calls.map(toolUse)] })
  }
  if (calls.length > 0) writeUser(undefined)
  return messages
}

/** A last assistant message is a prefill, which must not end in white space. */
function trimPrefill(messages: readonly WireMessage[]): readonly WireMessage[] {
  const last = messages.at(-1)
  const block = last?.content.at(-1)
  if (last?.role !== 'assistant' || block?.['type'] !== 'text') return messages
  const trimmed = textBlock(String(block['text']).trimEnd(), block)
  const content = [...last.content.slice(0, -1), ...(trimmed ? [trimmed] : [])]
  return [...messages.slice(0, -1), { role: 'assistant', content }]
}

/**
 * Turns OpenAI's messages into a conversation that the Messages API accepts.
 * @throws InvalidRequestError naming the message; GatewayError unsupported_parameter for content Claude cannot take
 */
export function toConversation(messages: readonly ChatMessage[], target: ContentTarget): Conversation {
  const { system, turns } = collectTurns(messages, target)
  return { system, messages: trimPrefill(writeTurns(turns)) }
}

const isThinking = (block: Block | undefined): boolean =>
  block?.['type'] === 'thinking' || block?.['type'] === 'redacted_thinking'

const holdsOnlyResults = (message: WireMessage | undefined): boolean =>
  message !== undefined && message.content.every((block) => block['type'] === 'tool_result')

/**
 * True where manual thinking would be refused ("Expected `thinking` …"): the last assistant message is a prefill, or
 * belongs to a tool loop whose reasoning is not known, as with clients that keep only OpenAI's fields.
 */
export function lacksThinking(messages: readonly WireMessage[]): boolean {
  const last = messages.findLastIndex((message) => message.role === 'assistant')
  const message = messages[last]
  if (message === undefined || isThinking(message.content[0])) return false
  if (last === messages.length - 1) return true
  if (!message.content.some((block) => block['type'] === 'tool_use')) return false
  // Claude thinks at the start of a loop only, unless asked otherwise: later steps of it may lack a thinking block.
  let first = last
  while (first >= 2 && holdsOnlyResults(messages[first - 1])) first -= 2
  return !isThinking(messages[first]?.content[0])
}

/** A `system` member in the Messages API's own form, which a caller may send beside messages, as blocks. */
export function nativeSystem(system: unknown): readonly JsonObject[] {
  if (typeof system === 'string') return [textBlock(system)].filter((block) => block !== undefined)
  return Array.isArray(system) ? system.filter(isObject) : []
}
