import { InvalidRequestError } from '../../errors.js'
import type { AssistantMessage, ChatMessage, ToolCall } from '../../wire/chat.js'
import { isObject, parseJson, stringOf, type JsonObject } from '../../wire/json.js'
import { toParts, toText, type PartContext } from './parts.js'
import { missingSignature, signatureOfCall, thoughtsOf, toBareId } from './thought-signature.js'

/** A conversation in Gemini's form. */
export interface Conversation {
  readonly systemInstruction: JsonObject | undefined
  readonly contents: readonly JsonObject[]
}

interface Call {
  readonly id: string
  readonly name: string
}

/** A model's turn under construction. */
interface ModelTurn {
  readonly role: 'model'
  readonly parts: JsonObject[]
  readonly calls: Call[]
}

/** A user's turn under construction: the results of the calls before it always come first. */
interface UserTurn {
  readonly role: 'user'
  readonly results: Map<number, JsonObject>
  readonly media: JsonObject[]
  readonly parts: JsonObject[]
}

type Turn = ModelTurn | UserTurn

function modelTurn(turns: Turn[]): ModelTurn {
  const last = turns.at(-1)
  if (last?.role === 'model') return last
  const turn: ModelTurn = { role: 'model', parts: [], calls: [] }
  turns.push(turn)
  return turn
}

function userTurn(turns: Turn[]): UserTurn {
  const last = turns.at(-1)
  if (last?.role === 'user') return last
  const turn: UserTurn = { role: 'user', results: new Map(), media: [], parts: [] }
  turns.push(turn)
  return turn
}

/**
 * Messages as systemInstruction and contents: system and developer texts are lifted out in order, turns of one role
 * are merged, and all results of a turn's calls follow it in one user content, in the order of the calls.
 * @throws InvalidRequestError naming the message that cannot be sent
 */
export function toConversation(messages: readonly ChatMessage[], context: PartContext): Conversation {
  const system: string[] = []
  const turns: Turn[] = []
  for (const [position, message] of messages.entries()) {
    const param = `messages[${position}]`
    if (message.role === 'system' || message.role === 'developer') {
      system.push(...toText(message.content, `${param}.content`))
    } else if (message.role === 'user') {
      userTurn(turns).parts.push(...toParts(message.content, `${param}.content`, context))
    } else if (message.role === 'assistant') {
      addAssistant(turns, message, param, context)
    } else {
      addToolResult(turns, message, param, context)
    }
  }
  return assemble(system, turns, context)
}

function assemble(system: readonly string[], turns: Turn[], context: PartContext): Conversation {
  const parts = system.map((text) => ({ text }))
  // A conversation starts with the user, also where the caller gave only system messages.
  if (turns[0]?.role !== 'user') turns.unshift({ role: 'user', results: new Map(), media: [], parts: [{ text: '.' }] })
  const contents = turns.map((turn) => ({ role: turn.role, parts: partsOf(turn, context) }))
  if (context.model.systemInstruction || parts.length === 0) {
    return { systemInstruction: parts.length === 0 ? undefined : { parts }, contents }
  }
  const [opening, ...rest] = contents
  return {
    systemInstruction: undefined,
    contents: [{ role: 'user', parts: [...parts, ...(opening?.parts ?? [])] }, ...rest],
  }
}

function partsOf(turn: Turn, { options }: PartContext): readonly JsonObject[] {
  if (turn.role === 'model') return turn.parts
  const results = [...turn.results].toSorted(([left], [right]) => left - right).map(([, part]) => part)
  const parts = [...results, ...turn.media, ...turn.parts]
  const needsText = parts.length === 0 || (options.textBesideMedia && !parts.some(hasText) && results.length === 0)
  return needsText ? [...parts, { text: ' ' }] : parts
}

const hasText = (part: JsonObject): boolean => 'text' in part

function addAssistant(turns: Turn[], message: AssistantMessage, param: string, context: PartContext): void {
  if (stringOf(message.audio?.id) !== undefined) {
    throw new InvalidRequestError(
      'Gemini cannot refer to earlier audio: send its transcript as content.',
      `${param}.audio`,
    )
  }
  const said = [...toParts(message.content, `${param}.content`, context), ...refusal(message)]
  const thoughts = context.model.signatures === 'none' ? [] : thoughtsOf(message)
  const parts = [
    ...thoughts.filter(({ text }) => text !== '').map(toThoughtPart),
    ...serverParts(message),
    ...signText(said, thoughts),
    ...imageParts(message, param, context),
  ]
  const calls = callsOf(message)
  if (parts.length + calls.length === 0) return
  const turn = modelTurn(turns)
  turn.parts.push(...parts)
  addCalls(turn, calls, param, context)
}

interface Thought {
  readonly text: string
  readonly signature: string | undefined
}

const toThoughtPart = ({ text, signature }: Thought): JsonObject => ({
  text,
  thought: true,
  ...(signature !== undefined && { thoughtSignature: signature }),
})

const refusal = (message: AssistantMessage): readonly JsonObject[] =>
  stringOf(message.refusal) === undefined ? [] : [{ text: message.refusal }]

/** Puts a signature that came without a thought back on the answer's last text. */
function signText(said: readonly JsonObject[], thoughts: readonly Thought[]): readonly JsonObject[] {
  const signature = thoughts.findLast(({ text }) => text === '')?.signature
  const last = said.at(-1)
  if (signature === undefined || last === undefined || !hasText(last)) return said
  return [...said.slice(0, -1), { ...last, thoughtSignature: signature }]
}

const serverKeys = ['toolCall', 'toolResponse', 'executableCode', 'codeExecutionResult']

/** Parts of hosted tools that an earlier answer gave and the caller sends back. */
function serverParts(message: AssistantMessage): readonly JsonObject[] {
  const fields = message['provider_specific_fields']
  const parts = isObject(fields) ? fields['server_tool_parts'] : undefined
  if (!Array.isArray(parts)) return []
  return parts.filter(isObject).filter((part) => serverKeys.some((key) => key in part))
}

/** Images that an earlier answer gave in `images`, with their signatures. */
function imageParts(message: AssistantMessage, param: string, context: PartContext): readonly JsonObject[] {
  const images: unknown = message['images']
  if (!Array.isArray(images)) return []
  return images.filter(isObject).flatMap((image, position) => {
    const part = { type: 'image_url', image_url: image['image_url'] }
    const signature = context.model.signatures === 'none' ? undefined : stringOf(image['thought_signature'])
    return toParts([part], `${param}.images[${position}]`, context).map((converted) => ({
      ...converted,
      ...(signature !== undefined && { thoughtSignature: signature }),
    }))
  })
}

function callsOf(message: AssistantMessage): readonly ToolCall[] {
  if (message.tool_calls && message.tool_calls.length > 0) return message.tool_calls
  return message.function_call ? [{ id: '', function: message.function_call }] : []
}

function addCalls(turn: ModelTurn, calls: readonly ToolCall[], param: string, { model, options }: PartContext): void {
  for (const [position, call] of calls.entries()) {
    const where = `${param}.tool_calls[${position}]`
    const name = call.function?.name ?? call.custom?.name
    if (name === undefined) throw new InvalidRequestError('A tool call needs `function`.', where)
    const id = toBareId(call.id)
    const isFirst = turn.calls.length === 0
    const given = model.signatures === 'none' ? undefined : signatureOfCall(call)
    const signature = given ?? (isFirst && model.signatures === 'required' ? missingSignature : undefined)
    turn.calls.push({ id, name })
    turn.parts.push({
      functionCall: { ...(options.functionCallIds && id !== '' && { id }), name, args: argumentsOf(call, where) },
      ...(signature !== undefined && { thoughtSignature: signature }),
    })
  }
}

function argumentsOf(call: ToolCall, param: string): JsonObject {
  if (call.custom) return { input: call.custom.input }
  const text = call.function?.arguments.trim() ?? ''
  const value = text === '' ? {} : parseJson(text)
  if (isObject(value)) return value
  throw new InvalidRequestError('The arguments of a tool call must be a JSON object.', `${param}.function.arguments`)
}

type ResultMessage = Extract<ChatMessage, { role: 'tool' | 'function' }>

/** The call that a result answers: by id, else (legacy functions) the first of that name without a result. */
function findCall(calls: readonly Call[], message: ResultMessage, answered: ReadonlyMap<number, unknown>): number {
  if (message.role === 'function') {
    return calls.findIndex(({ name }, position) => name === message.name && !answered.has(position))
  }
  const id = toBareId(message.tool_call_id)
  const free = calls.findIndex((call, position) => call.id === id && !answered.has(position))
  return free === -1 ? calls.findIndex((call) => call.id === id) : free
}

/** Where among the turn's results one belongs, and the call it answers. @throws InvalidRequestError where it answers none */
function matchCall(turns: readonly Turn[], message: ResultMessage, param: string): readonly [number, Call] {
  const asked = turns.findLast((turn) => turn.role === 'model')
  const calls = asked?.calls ?? []
  const last = turns.at(-1)
  const answered = last?.role === 'user' ? last.results : new Map<number, JsonObject>()
  const position = findCall(calls, message, answered)
  const call = calls[position]
  if (call) return [position, call]
  const isTool = message.role === 'tool'
  const name = isTool ? stringOf(message.name) : undefined
  // A client that lost the id but names the function is let through: Gemini pairs by name.
  if (isTool && name !== undefined && calls.length > 0) {
    return [calls.length + answered.size, { id: toBareId(message.tool_call_id), name }]
  }
  const field = isTool ? 'tool_call_id' : 'name'
  throw new InvalidRequestError(
    'This result answers no tool call of the assistant turn before it.',
    `${param}.${field}`,
  )
}

function addToolResult(turns: Turn[], message: ResultMessage, param: string, context: PartContext): void {
  const [position, call] = matchCall(turns, message, param)
  const turn = userTurn(turns)
  const parts = toParts(message.content, `${param}.content`, context)
  const media = parts.filter((part) => !hasText(part))
  const texts = parts.filter(hasText).map((part) => String(part['text']))
  const inside = context.model.mediaInToolResults && media.every((part) => 'inlineData' in part)
  turn.results.set(position, {
    functionResponse: {
      ...(context.options.functionCallIds && call.id !== '' && { id: call.id }),
      name: call.name,
      response: toResponse(texts.join('\n')),
      ...(inside && media.length > 0 && { parts: media.map(({ inlineData }) => ({ inlineData })) }),
    },
  })
  if (!inside) turn.media.push(...media)
}

// Gemini reads `$ref` in a response as a pointer to a part, and its numbers are doubles: such text stays text.
const mustStayText = /"\$(?:ref|defs|dynamicRef|id)"\s*:|[:,[]\s*-?\d{16}/

/** A tool's answer as an object: JSON objects as they are, everything else as `{ content }`. */
function toResponse(text: string): JsonObject {
  const value = text.startsWith('{') && !mustStayText.test(text) ? parseJson(text) : undefined
  return isObject(value) ? value : { content: text }
}
