import { isObject, numberOf, stringOf, type JsonObject } from '../../src/wire/json.js'
import { finishReasonOf, type Answer, type AnsweredChoice, type AnsweredUsage, type CalledTool } from './answer.js'
import { at, objectsIn, textOf } from './exchange.js'

interface PartialCall {
  readonly key: string
  id: string | undefined
  name: string
  arguments: string
}

interface PartialChoice {
  text: string
  reasoning: string
  finish: string | undefined
  images: number
  readonly calls: PartialCall[]
}

/** Reads an answer in OpenAI's format, whole or in chunks, with every liberty that compatible servers take. */
export function readOpenAiAnswer(payloads: readonly unknown[]): Answer {
  const choices = new Map<number, PartialChoice>()
  let usage: AnsweredUsage | undefined
  for (const payload of payloads) {
    usage = readUsage(at(payload, 'usage')) ?? readUsage(at(payload, 'x_groq', 'usage')) ?? usage
    for (const [position, choice] of objectsIn(at(payload, 'choices')).entries()) {
      const index = numberOf(choice['index']) ?? position
      const known = choices.get(index) ?? { text: '', reasoning: '', finish: undefined, images: 0, calls: [] }
      choices.set(index, known)
      readChoice(choice, known, payloads.length > 1)
    }
  }
  return { choices: new Map([...choices].map(([index, choice]) => [index, closeChoice(choice)])), usage }
}

function readChoice(choice: JsonObject, into: PartialChoice, streamed: boolean): void {
  // Perplexity sends both: what is new, and all that was said so far.
  const { message: whole, delta } = choice
  const message = streamed ? (delta ?? whole) : (whole ?? delta)
  if (isObject(message)) readMessage(message, into)
  // Together and Featherless send the legacy `text` beside `delta`.
  else into.text += textOf(choice['text'])
  const finish = choice['finish_reason']
  if (typeof finish === 'string' && (finish !== '' || into.finish === undefined)) into.finish = finish
}

function readMessage(message: JsonObject, into: PartialChoice): void {
  const { content, images } = message
  if (typeof content === 'string') into.text += content
  else if (Array.isArray(content)) readParts(objectsIn(content), into)
  // Cloudflare and Pollinations answer a JSON value where a schema was asked for.
  else if (content !== null && content !== undefined) into.text += JSON.stringify(content)
  into.reasoning += stringOf(message['reasoning_content']) ?? textOf(message['reasoning'])
  // Snowflake has no other place for it.
  if (!('reasoning' in message) && !('reasoning_content' in message)) {
    for (const detail of objectsIn(message['reasoning_details'])) into.reasoning += textOf(detail['text'])
  }
  into.images += objectsIn(images).length
  for (const call of objectsIn(message['tool_calls'])) readCall(call, into.calls)
}

/** Lists of parts, as Mistral and Databricks send them. */
function readParts(parts: readonly JsonObject[], into: PartialChoice): void {
  for (const part of parts) {
    if (part['type'] === 'text') into.text += textOf(part['text'])
    const reasoning = part['thinking'] ?? part['summary']
    if (typeof reasoning === 'string') into.reasoning += reasoning
    else for (const piece of objectsIn(reasoning)) into.reasoning += textOf(piece['text'])
  }
}

function readCall(call: JsonObject, calls: PartialCall[]): void {
  const id = stringOf(call['id'])
  const index = numberOf(call['index'])
  const known = findCall(calls, index, id, textOf(at(call, 'function', 'name')) === '')
  const into = known ?? { key: index === undefined ? '' : String(index), id: undefined, name: '', arguments: '' }
  if (!known) calls.push(into)
  into.id ??= id
  into.name ||= textOf(at(call, 'function', 'name')) || textOf(at(call, 'custom', 'name'))
  const input = at(call, 'function', 'arguments') ?? at(call, 'function', 'parameters') ?? at(call, 'custom', 'input')
  if (typeof input === 'string') into.arguments += input
  else if (isObject(input)) into.arguments += JSON.stringify(input)
}

function findCall(calls: readonly PartialCall[], index: number | undefined, id: string | undefined, nameless: boolean) {
  const same = id === undefined ? undefined : calls.find((call) => call.id === id)
  if (same) return same
  const open = index === undefined ? calls.at(-1) : calls.findLast((call) => call.key === String(index))
  // Some servers repeat the index of a whole call for the next one, and some give every fragment an id of its own:
  // a new id opens a new call only where a name comes with it.
  return id === undefined || nameless || open?.id === undefined ? open : undefined
}

function closeChoice(choice: PartialChoice): AnsweredChoice {
  const toolCalls = choice.calls.map((call): CalledTool => ({
    id: call.id,
    name: call.name,
    arguments: call.arguments === '' ? '{}' : call.arguments,
  }))
  return {
    text: choice.text,
    reasoning: choice.reasoning,
    images: choice.images,
    toolCalls,
    finish: choice.finish === undefined ? undefined : finishReasonOf(choice.finish, toolCalls.length),
  }
}

function readUsage(usage: unknown): AnsweredUsage | undefined {
  if (!isObject(usage)) return undefined
  const prompt = numberOf(usage['prompt_tokens'])
  const completion = numberOf(usage['completion_tokens'])
  const total = numberOf(usage['total_tokens'])
  return prompt === undefined && completion === undefined && total === undefined
    ? undefined
    : { prompt, completion, total }
}
