import type { AssistantMessage, ChatMessage, ChatRequest, ChatTool, ToolChoice } from '../wire/chat.js'
import { isObject, type JsonObject, parseJson, stringOf } from '../wire/json.js'

/** A call that an assistant message made, in its newer or its older form. */
export interface PastCall {
  /** Empty for the older form, which has no ids. */
  readonly id: string
  readonly name: string
  /** JSON text. */
  readonly arguments: string
}

/** The tools of a request, the older `functions` among them. */
export function toolsOf(request: ChatRequest): readonly ChatTool[] {
  const older = (request.functions ?? []).map((declared): ChatTool => ({ type: 'function', function: declared }))
  return [...(request.tools ?? []), ...older]
}

/** The choice among the tools, the older `function_call` included; undefined where the request makes none. */
export function toolChoiceOf(request: ChatRequest): ToolChoice | undefined {
  const choice = request.tool_choice ?? request.function_call ?? undefined
  if (choice === undefined || typeof choice === 'string') return choice
  const name = stringOf(choice['name'])
  return name === undefined || 'type' in choice
    ? { type: 'function', ...choice }
    : { type: 'function', function: { name } }
}

/** The function that a choice names; undefined for a choice in a word. */
export function namedTool(choice: ToolChoice | undefined): string | undefined {
  if (typeof choice !== 'object' || choice.type !== 'function') return undefined
  return isObject(choice['function']) ? stringOf(choice['function']['name']) : undefined
}

/** The calls that an assistant message made. */
export function pastCalls({ tool_calls: calls, function_call: older }: AssistantMessage): readonly PastCall[] {
  const newer = (calls ?? []).flatMap(({ id, function: called, custom }): PastCall[] => {
    if (called) return [{ id, ...called }]
    return custom ? [{ id, name: custom.name, arguments: JSON.stringify({ input: custom.input }) }] : []
  })
  return older && newer.length === 0 ? [{ id: '', ...older }] : newer
}

/** A call's arguments as an object; text that is no JSON object is kept under `input`, so that nothing is lost. */
export function argumentsOf(text: string): JsonObject {
  if (text.trim() === '') return {}
  const value = parseJson(text)
  return isObject(value) ? value : value === null ? {} : { input: value ?? text }
}

/** Names of the functions that the calls of a conversation went to, by call id. */
export function calledNames(messages: readonly ChatMessage[]): ReadonlyMap<string, string> {
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? pastCalls(message) : []))
  return new Map(calls.map(({ id, name }) => [id, name]))
}

/** An id for a call that came without one: `call_` and 24 characters, the same for the same attempt and place. */
export function madeCallId(exchangeId: string, choice: number, position: number): string {
  const place = `${choice.toString(36).padStart(2, '0')}${position.toString(36).padStart(2, '0')}`
  return `call_${exchangeId.slice(0, 24 - place.length)}${place}`
}

/** Arguments as OpenAI writes them: JSON text, `{}` where there are none. */
export function toArgumentsText(value: unknown): string {
  if (value === undefined || value === null || value === '' || value === 'null') return '{}'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
