import { isObject, numberOf, parseJson, stringOf, type JsonObject } from '../../src/wire/json.js'
import { finishReasonOf, type Answer, type AnsweredChoice, type AnsweredUsage, type CalledTool } from './answer.js'
import { at, objectsIn, textOf } from './exchange.js'

interface PartialChoice {
  text: string
  reasoning: string
  images: number
  finish: string | undefined
  readonly toolCalls: CalledTool[]
}

// With `$alt=json;enum-encoding=int`, which Google's Python client asks for, enums come as numbers.
const enumNumbers: Readonly<Record<number, string>> = { 1: 'STOP', 2: 'MAX_TOKENS' }

/** Reads a whole answer or the pieces of a streamed one: https://ai.google.dev/api/generate-content */
export function readGeminiAnswer(payloads: readonly unknown[]): Answer {
  const choices = new Map<number, PartialChoice>()
  let usage: AnsweredUsage | undefined
  for (const payload of payloads) {
    usage = readUsage(at(payload, 'usageMetadata')) ?? usage
    for (const [position, candidate] of objectsIn(at(payload, 'candidates')).entries()) {
      const index = numberOf(candidate['index']) ?? position
      const known = choices.get(index) ?? { text: '', reasoning: '', images: 0, finish: undefined, toolCalls: [] }
      choices.set(index, known)
      readCandidate(candidate, known)
    }
  }
  const blocked = payloads.map((payload) => stringOf(at(payload, 'promptFeedback', 'blockReason'))).find(Boolean)
  // Google answers a blocked prompt without any candidate, with status 200.
  if (blocked !== undefined && choices.size === 0) {
    choices.set(0, { text: '', reasoning: '', images: 0, finish: 'PROHIBITED_CONTENT', toolCalls: [] })
  }
  return { choices: new Map([...choices].map(([index, choice]) => [index, closeChoice(choice)])), usage }
}

function readCandidate(candidate: JsonObject, into: PartialChoice): void {
  for (const part of objectsIn(at(candidate, 'content', 'parts'))) {
    if (part['thought'] === true) into.reasoning += textOf(part['text'])
    else into.text += textOf(part['text'])
    const call = part['functionCall']
    if (isObject(call)) readCall(call, into.toolCalls)
    if (textOf(at(part, 'inlineData', 'mimeType')).startsWith('image/')) into.images += 1
  }
  const reason = candidate['finishReason']
  into.finish = stringOf(reason) ?? enumNumbers[numberOf(reason) ?? -1] ?? into.finish
}

/** A call whose pieces follow has a name and no arguments; they are assembled where they are texts at the top level. */
function readCall(call: JsonObject, calls: CalledTool[]): void {
  if (stringOf(call['name']) !== undefined) calls.push(toCall(call))
  const last = calls.at(-1)
  const pieces = objectsIn(call['partialArgs'])
  if (!last || pieces.length === 0) return
  const args = Object.assign({}, parseJson(last.arguments)) as Record<string, unknown>
  for (const { jsonPath, stringValue } of pieces) {
    const name = textOf(jsonPath).replace('$.', '')
    args[name] = textOf(args[name]) + textOf(stringValue)
  }
  calls[calls.length - 1] = { ...last, arguments: JSON.stringify(args) }
}

function toCall(call: JsonObject): CalledTool {
  return { id: stringOf(call['id']), name: textOf(call['name']), arguments: JSON.stringify(call['args'] ?? {}) }
}

function closeChoice(choice: PartialChoice): AnsweredChoice {
  const finish = choice.finish === undefined ? undefined : finishReasonOf(choice.finish, choice.toolCalls.length)
  return { ...choice, finish }
}

function readUsage(usage: unknown): AnsweredUsage | undefined {
  const prompt = numberOf(at(usage, 'promptTokenCount'))
  const total = numberOf(at(usage, 'totalTokenCount'))
  if (prompt === undefined || total === undefined) return undefined
  const input = prompt + (numberOf(at(usage, 'toolUsePromptTokenCount')) ?? 0)
  return { prompt: input, completion: total - input, total }
}
