import { isObject, numberOf, type JsonObject } from '../../src/wire/json.js'
import { objectsIn } from './exchange.js'

interface SeenChoice {
  roles: number
  firstHadRole: boolean
  finishes: number
  afterFinish: boolean
  readonly calls: Map<number, { id: number; name: number }>
}

/** What the chunks of one successful stream must hold true, whatever the provider sent; one line a breach. */
export function brokenInvariants(
  chunks: readonly JsonObject[],
  usageAsked: boolean,
  /** False for text completions, whose choices have no role. */
  roles: boolean,
): readonly string[] {
  const problems: string[] = []
  for (const member of ['id', 'created', 'model', 'object']) {
    const values = new Set(chunks.map((chunk) => chunk[member]))
    if (values.size > 1) problems.push(`${values.size} different values of ${member}`)
  }
  const usageChunks = chunks.filter((chunk) => isObject(chunk['usage']))
  const emptyChunks = chunks.filter((chunk) => objectsIn(chunk['choices']).length === 0)
  if (!usageAsked && usageChunks.length > 0) problems.push('usage that was not asked for')
  if (usageChunks.length > 1) problems.push(`usage on ${usageChunks.length} chunks`)
  if (usageChunks.some((chunk) => !emptyChunks.includes(chunk))) problems.push('usage on a chunk that has choices')
  if (usageChunks.length === 1 && usageChunks[0] !== chunks.at(-1)) problems.push('usage before the last chunk')
  if (emptyChunks.some((chunk) => !usageChunks.includes(chunk))) problems.push('an empty chunk without usage')
  return [...problems, ...brokenChoices(chunks, roles)]
}

function brokenChoices(chunks: readonly JsonObject[], roles: boolean): string[] {
  const problems: string[] = []
  const seen = new Map<number, SeenChoice>()
  for (const choice of chunks.flatMap((chunk) => objectsIn(chunk['choices']))) {
    const index = numberOf(choice['index']) ?? -1
    problems.push(...readChoice(choice, index, seen))
  }
  if (seen.size === 0) problems.push('no choice at all')
  for (const [index, choice] of seen) {
    if (roles && choice.roles !== 1) problems.push(`choice ${index}: role ${choice.roles} times`)
    if (roles && !choice.firstHadRole) problems.push(`choice ${index}: no role on its first chunk`)
    if (choice.finishes !== 1) problems.push(`choice ${index}: ${choice.finishes} finish reasons`)
    if (choice.afterFinish) problems.push(`choice ${index}: content after its finish reason`)
    problems.push(...brokenCalls(index, choice))
  }
  return problems
}

function readChoice(choice: JsonObject, index: number, seen: Map<number, SeenChoice>): string[] {
  const problems: string[] = []
  const delta = isObject(choice['delta']) ? choice['delta'] : {}
  let known = seen.get(index)
  if (!known) {
    known = { roles: 0, firstHadRole: 'role' in delta, finishes: 0, afterFinish: false, calls: new Map() }
    seen.set(index, known)
  }
  if ('role' in delta) known.roles += 1
  if (known.finishes > 0 && (delta['content'] || delta['tool_calls'])) known.afterFinish = true
  for (const call of objectsIn(delta['tool_calls'])) {
    problems.push(...readCall(call, index, known))
  }
  if (choice['finish_reason'] !== null && choice['finish_reason'] !== undefined) known.finishes += 1
  return problems
}

function readCall(call: JsonObject, choice: number, known: SeenChoice): string[] {
  const index = numberOf(call['index']) ?? -1
  const counts = known.calls.get(index)
  const called = call['type'] === 'custom' ? call['custom'] : call['function']
  const name = isObject(called) ? called['name'] : undefined
  const here = { id: 'id' in call ? 1 : 0, name: name === undefined ? 0 : 1 }
  if (counts) {
    known.calls.set(index, { id: counts.id + here.id, name: counts.name + here.name })
    return []
  }
  known.calls.set(index, here)
  const expected = known.calls.size - 1
  const problems = index === expected ? [] : [`choice ${choice}: tool call index ${index} where ${expected} was due`]
  if (typeof call['id'] !== 'string' || call['id'] === '')
    problems.push(`choice ${choice}: a first tool delta without id`)
  if (typeof name !== 'string' || name === '') problems.push(`choice ${choice}: a first tool delta without name`)
  if (call['type'] !== 'function' && call['type'] !== 'custom')
    problems.push(`choice ${choice}: a first tool delta without type`)
  return problems
}

function brokenCalls(index: number, choice: SeenChoice): string[] {
  return [...choice.calls].flatMap(([call, { id, name }]) => [
    ...(id > 1 ? [`choice ${index}: id of tool call ${call} ${id} times`] : []),
    ...(name > 1 ? [`choice ${index}: name of tool call ${call} ${name} times`] : []),
  ])
}
