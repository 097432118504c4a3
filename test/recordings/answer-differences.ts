import { isDeepStrictEqual } from 'node:util'
import { parseJson } from '../../src/wire/json.js'
import type { Answer, AnsweredChoice, AnsweredUsage, CalledTool } from './answer.js'

/** How the answer that the client got differs from the one that the provider gave; one line a difference. */
export function answerDifferences(expected: Answer, got: Answer): readonly string[] {
  const problems: string[] = []
  const indexes = (answer: Answer) => [...answer.choices.keys()].toSorted((a, b) => a - b).join()
  if (indexes(expected) !== indexes(got)) problems.push(`choices ${indexes(got)} where ${indexes(expected)} were due`)
  for (const [index, choice] of expected.choices) {
    const other = got.choices.get(index)
    if (other) problems.push(...choiceDifferences(choice, other).map((line) => `choice ${index}: ${line}`))
  }
  return problems
}

/** Reasoning that a server left between tags at the start of the text, set apart as the gateway does. */
function withoutThinkTags(choice: AnsweredChoice): AnsweredChoice {
  const [whole, thought] = /^\s*<think>([\s\S]*?)(?:<\/think>\s*|$)/.exec(choice.text) ?? []
  if (whole === undefined || thought === undefined) return choice
  return { ...choice, text: choice.text.slice(whole.length), reasoning: choice.reasoning + thought }
}

function choiceDifferences(recorded: AnsweredChoice, got: AnsweredChoice): readonly string[] {
  const problems: string[] = []
  const expected = recorded.text === got.text ? recorded : withoutThinkTags(recorded)
  if (expected.text !== got.text) problems.push(`text ${shown(got.text)} where ${shown(expected.text)} was due`)
  if (expected.reasoning.trim() !== got.reasoning.trim()) {
    problems.push(`reasoning ${shown(got.reasoning)} where ${shown(expected.reasoning)} was due`)
  }
  if (expected.images !== got.images) problems.push(`${got.images} images where ${expected.images} were due`)
  if (expected.finish !== undefined && expected.finish !== got.finish) {
    problems.push(`finish reason ${got.finish} where ${expected.finish} was due`)
  }
  if (expected.toolCalls.length !== got.toolCalls.length) {
    problems.push(`${got.toolCalls.length} tool calls where ${expected.toolCalls.length} were due`)
  }
  for (const [position, call] of expected.toolCalls.entries()) {
    const other = got.toolCalls[position]
    if (other) problems.push(...callDifferences(call, other).map((line) => `tool call ${position}: ${line}`))
  }
  return problems
}

function callDifferences(expected: CalledTool, got: CalledTool): readonly string[] {
  const problems: string[] = []
  if (expected.name !== got.name) problems.push(`name ${got.name} where ${expected.name} was due`)
  if (expected.id !== undefined && expected.id !== bareId(got.id)) {
    problems.push(`id ${got.id ?? ''} where ${expected.id} was due`)
  }
  if (got.id === undefined) problems.push('no id')
  // Key order and white space are nobody's promise, so arguments are compared as JSON where they are JSON.
  const [left, right] = [parseJson(expected.arguments), parseJson(got.arguments)]
  const equal = left === undefined ? expected.arguments === got.arguments : isDeepStrictEqual(left, right)
  if (!equal) problems.push(`arguments ${shown(got.arguments)} where ${shown(expected.arguments)} was due`)
  return problems
}

/** Gemini's signature of a call travels behind its id, for clients that keep only OpenAI's documented fields. */
function bareId(id: string | undefined): string | undefined {
  return id?.split('__thought__')[0]
}

/** Checks the sums of a usage, and that it is the provider's; the provider's total is the truth where it gave one. */
export function usageDifferences(
  expected: AnsweredUsage | undefined,
  got: AnsweredUsage | undefined,
): readonly string[] {
  if (!got) return expected?.total === undefined ? [] : ['no usage, and the provider sent one']
  const { prompt, completion, total } = got
  if (prompt === undefined || completion === undefined || total === undefined) return ['usage that is not whole']
  const problems = prompt + completion === total ? [] : [`usage ${prompt} + ${completion} is not ${total}`]
  if (expected?.prompt !== undefined && expected.prompt !== prompt) {
    problems.push(`${prompt} prompt tokens where ${expected.prompt} were due`)
  }
  if (expected?.total !== undefined && expected.total !== total) {
    problems.push(`${total} tokens where ${expected.total} were due`)
  }
  return problems
}

function shown(text: string): string {
  return JSON.stringify(text.length > 90 ? `${text.slice(0, 60)}…${text.slice(-25)} (${text.length})` : text)
}
