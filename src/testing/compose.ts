import { parseJson, type JsonObject } from '../wire/json.js'
import { isSpace, type Conversation } from './conversation.js'
import { neededEvents, type FaultPlan } from './faults.js'
import { hashOf, toId } from './hash.js'
import { sampleOf } from './sample.js'

/** A tool call of an answer; `pieces` joined are its arguments as JSON. */
export interface ComposedToolCall {
  readonly id: string
  readonly name: string
  readonly pieces: readonly string[]
}

/** Why a choice ended; each dialect has its own word for it. */
export type Finish = 'stop' | 'stop_sequence' | 'length' | 'tool_calls'

/** One choice of an answer; every piece is one token and one event of a stream. */
export interface ComposedChoice {
  readonly pieces: readonly string[]
  readonly toolCalls: readonly ComposedToolCall[]
  readonly finish: Finish
  /** The sequence that stopped it. */
  readonly stopSequence: string | undefined
}

/** A whole answer before a dialect writes it down. Token counts are exact: one per piece. */
export interface Composition {
  /** 24 characters, the same for the same request. */
  readonly id: string
  readonly model: string
  readonly choices: readonly ComposedChoice[]
  readonly reasoning: readonly string[]
  readonly promptTokens: number
  readonly completionTokens: number
}

/** What a script may set in an answer; the rest is composed as always. */
export interface ScriptedContent {
  readonly text?: string
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: JsonObject }[]
  readonly finish?: Finish
}

const filler =
  'the river runs over small round stones while a slow wind moves through tall grass and every bird waits for rain'.split(
    ' ',
  )
const reasoningText = 'The user wants an answer, so I write one.'
const longestEcho = 400
// Enough to tell requests apart, and cheap for megabytes of text.
const hashedLength = 2_000

/** Makes the answer to a conversation; it depends on nothing else. */
export function compose(conversation: Conversation, plan: FaultPlan, script: ScriptedContent = {}): Composition {
  const hash = hashOf(
    `${conversation.model}\n${conversation.promptTokens}\n${conversation.userText.slice(0, hashedLength)}`,
  )
  const choices = Array.from({ length: conversation.choices }, (_, index) =>
    composeChoice(conversation, plan, script, hash, index),
  )
  const reasoning = conversation.reasoning ? piecesOf(reasoningText) : []
  const completionTokens = choices.reduce((sum, choice) => sum + tokensOf(choice), reasoning.length)
  const { model, promptTokens } = conversation
  return { id: toId(hash), model, choices, reasoning, promptTokens, completionTokens }
}

function composeChoice(
  conversation: Conversation,
  plan: FaultPlan,
  script: ScriptedContent,
  hash: number,
  index: number,
): ComposedChoice {
  const calls = callsOf(conversation, script)
  if (calls.length > 0) {
    const toolCalls = calls.map((call, position) => ({
      id: toId(hashOf(`${hash} ${index} ${position}`)),
      name: call.name,
      pieces: JSON.stringify(call.arguments).match(/.{1,8}/gs) ?? [],
    }))
    const pieces = piecesOf(script.text ?? '')
    return { pieces, toolCalls, finish: script.finish ?? 'tool_calls', stopSequence: undefined }
  }
  const pieces = script.text === undefined ? answerOf(conversation, plan, hash) : piecesOf(script.text)
  return limit(index === 0 ? pieces : [...pieces, ' (choice', ` ${index + 1})`], conversation, script.finish)
}

function answerOf(conversation: Conversation, plan: FaultPlan, hash: number): readonly string[] {
  if (conversation.jsonSchema) return piecesOf(JSON.stringify(sampleOf(conversation.jsonSchema, conversation.userText)))
  if (plan.words !== undefined) return fillerWords(hash, plan.words)
  const said = conversation.toolResult ?? conversation.userText
  const opening = conversation.toolResult === undefined ? 'You said:' : 'The tool said:'
  const pieces = piecesOf(`${opening} ${said}`, longestEcho)
  const missing = neededEvents(plan) - pieces.length + 1
  return missing > 0 ? [...pieces, ...fillerWords(hash, missing).map((word) => ` ${word.trim()}`)] : pieces
}

function fillerWords(hash: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const word = filler[(hash + index * 7) % filler.length] ?? ''
    return index === 0 ? word : ` ${word}`
  })
}

function callsOf(
  conversation: Conversation,
  script: ScriptedContent,
): readonly { readonly name: string; readonly arguments: unknown }[] {
  if (script.toolCalls) return script.toolCalls
  const { tools, toolChoice, userText, toolResult } = conversation
  if (script.text !== undefined || toolChoice === 'none') return []
  const forced = typeof toolChoice === 'object' ? tools.filter((tool) => tool.name === toolChoice.name) : []
  const asked = toolResult === undefined ? tools.filter((tool) => userText.includes(`call ${tool.name}`)) : []
  const called =
    forced.length > 0 ? forced : toolChoice === 'required' && asked.length === 0 ? tools.slice(0, 1) : asked
  return called.map((tool) => ({ name: tool.name, arguments: sampleOf(tool.schema, userText) }))
}

function limit(whole: readonly string[], conversation: Conversation, finish: Finish | undefined): ComposedChoice {
  const stopped = conversation.stop.length > 0 ? stopAt(whole.join(''), conversation.stop) : undefined
  const all = stopped ? piecesOf(stopped.text) : whole
  const pieces = conversation.maxTokens === undefined ? all : all.slice(0, conversation.maxTokens)
  if (pieces.length < all.length) return { pieces, toolCalls: [], finish: 'length', stopSequence: undefined }
  const standard = stopped ? 'stop_sequence' : 'stop'
  return { pieces, toolCalls: [], finish: finish ?? standard, stopSequence: stopped?.sequence }
}

function stopAt(text: string, sequences: readonly string[]): { text: string; sequence: string } | undefined {
  const cuts = sequences.map((sequence) => ({ sequence, at: text.indexOf(sequence) })).filter(({ at }) => at >= 0)
  const first = cuts.toSorted((left, right) => left.at - right.at)[0]
  return first && { text: text.slice(0, first.at), sequence: first.sequence }
}

/** Words with the space before them, the last one also with the space behind it; joined they are the text again. */
export function piecesOf(text: string, limit = Number.POSITIVE_INFINITY): string[] {
  const pieces: string[] = []
  let start = 0
  let inWord = false
  for (let index = 0; index < text.length && pieces.length < limit; index++) {
    const space = isSpace(text.charCodeAt(index))
    if (space && inWord) {
      pieces.push(text.slice(start, index))
      start = index
    }
    inWord = !space
  }
  if (pieces.length >= limit || start === text.length) return pieces
  if (inWord || pieces.length === 0) return [...pieces, text.slice(start)]
  return [...pieces.slice(0, -1), `${pieces.at(-1) ?? ''}${text.slice(start)}`]
}

function tokensOf(choice: ComposedChoice): number {
  return choice.toolCalls.reduce((sum, call) => sum + call.pieces.length, choice.pieces.length)
}

/** The arguments of a composed tool call, parsed. */
export function argumentsOf(call: ComposedToolCall): unknown {
  return parseJson(call.pieces.join(''))
}
